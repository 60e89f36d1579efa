"""Several runs side by side, the first of them as the baseline of the others; see `probes.core.side_by_side`."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterator, Sequence

from audits.comparison.facts import facts
from audits.comparison.numbers import Side, compared_numbers
from audits.evidence.unchanged import require_unchanged, require_verdict_as_sealed
from probes.core.errors import UsageError
from probes.core.findings import Verdict
from probes.core.records import SCHEMA_VERSION
from probes.core.run_folder import RunFolder
from probes.core.side_by_side import ComparedNumber, ComparedRun, Differing, Reading, SideBySide
from reports.load import Loaded, load

UNPAIRED = "unpaired"


def side_by_side(folders: Sequence[RunFolder]) -> SideBySide:
    """Compare runs number by number.

    Raises:
        UsageError: for fewer than two runs, more than there are letters, one that is named twice or is no run folder.
        IntegrityError: when a file is damaged, or a run is not what was sealed.
    """
    _require_some(folders)
    for folder in folders:
        require_unchanged(folder)
        require_verdict_as_sealed(folder)
    loaded = [load(folder) for folder in folders]
    sides = [_side(*each) for each in zip(string.ascii_uppercase, folders, loaded, strict=False)]
    numbers = compared_numbers(sides)
    return SideBySide(
        schema_version=SCHEMA_VERSION,
        runs=tuple(
            _run(side, sides[0], numbers, verdict=each.verdict) for side, each in zip(sides, loaded, strict=True)
        ),
        differing=tuple(_differing(loaded)),
        numbers=tuple(numbers),
    )


def _side(letter: str, folder: RunFolder, loaded: Loaded) -> Side:
    return Side(letter, folder, loaded.manifest, loaded.steps, loaded.findings)


def _require_some(folders: Sequence[RunFolder]) -> None:
    if len(folders) < 2:
        raise UsageError("one run has nothing to be compared with", hint="name two run folders or more")
    if len(folders) > len(string.ascii_uppercase):
        raise UsageError(
            f"{len(folders)} runs cannot be read side by side", hint="name at most 26, or list them with `audit index`"
        )
    places = [folder.path.resolve() for folder in folders]
    twice = next((place for place in places if places.count(place) > 1), None)
    if twice is not None:
        raise UsageError(f"the run {twice} is named twice", hint="name different run folders")


def _run(run: Side, first: Side, numbers: Sequence[ComparedNumber], *, verdict: Verdict | None) -> ComparedRun:
    manifest = run.manifest
    return ComparedRun(
        letter=run.letter,
        run_id=manifest.run_id,
        created=manifest.created,
        model_name=manifest.model.name,
        model=manifest.model.fingerprint,
        data_name=manifest.data.name,
        data=manifest.data.fingerprint,
        items=manifest.data.n,
        policy=verdict.policy_id if verdict else "",
        policy_digest=verdict.policy_digest if verdict else manifest.policy_digest,
        exit_code=verdict.exit_code if verdict else None,
        sentence=verdict.sentence if verdict else "",
        same_data=run.same_data(first),
        readings=_counted(run.letter, numbers),
    )


def _counted(letter: str, numbers: Sequence[ComparedNumber]) -> dict[str, int]:
    values = [value for number in numbers for value in number.values if value.letter == letter and value.estimate]
    counts = Counter(value.reading.value if value.reading else UNPAIRED for value in values)
    return {name: counts[name] for name in (*Reading, UNPAIRED)} if letter != "A" else {}


def _differing(runs: Sequence[Loaded]) -> Iterator[Differing]:
    known = [facts(run.manifest) | _judged_by(run.verdict) for run in runs]
    for what in dict.fromkeys(what for each in known for what in each):
        values = tuple(each.get(what, "") for each in known)
        if len(set(values)) > 1:
            yield Differing(what=what, values=values)


def _judged_by(verdict: Verdict | None) -> dict[str, str]:
    return {"Judged by": f"{verdict.policy_id} {verdict.policy_digest[:12]}"} if verdict else {}
