"""Word, character and sentence lists: tab-separated files, one for each language and subject.

The first lines of a file say where it comes from: "# provenance:", "# licence:" and "# columns:", which names the
columns of the rows below. A test checks every file against this.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LANGUAGE = "en"
_HEADER = ("provenance", "licence", "columns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """One list.

    Attributes:
        name, language: of the file `lexicons/<language>/<name>.tsv`.
        provenance, licence: as the file says; the report prints them.
        columns: names of the columns.
        rows: the entries, each split into its columns.
    """

    name: str
    language: str
    provenance: str
    licence: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@cache
def lexicon(name: str, *, language: str = LANGUAGE) -> Lexicon:
    """The list `lexicons/<language>/<name>.tsv`; lines that start with "#" describe it.

    Raises:
        FileNotFoundError: when there is no such list.
    """
    lines = (files("probes.text") / "lexicons" / language / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    head = [line[1:].strip().partition(":") for line in lines if line.startswith("#")]
    said = {key: value.strip() for key, _, value in head if key in _HEADER}
    return Lexicon(
        name=name,
        language=language,
        provenance=said.get("provenance", ""),
        licence=said.get("licence", ""),
        columns=tuple(column.strip() for column in said.get("columns", "").split(",")),
        rows=tuple(tuple(line.split("\t")) for line in lines if line and not line.startswith("#")),
    )


def rows(name: str, *, language: str = LANGUAGE) -> tuple[tuple[str, ...], ...]:
    """The rows of a list.

    Raises:
        FileNotFoundError: when there is no such list.
    """
    return lexicon(name, language=language).rows


@cache
def alternatives(name: str, *, language: str = LANGUAGE) -> dict[str, tuple[str, ...]]:
    """{first column: the columns after it}."""
    return {first: tuple(others) for first, *others in rows(name, language=language)}
