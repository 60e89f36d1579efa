"""Several runs side by side, the first of them as the baseline of the others; see `probes.core.side_by_side`."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from audits.comparison.baseline import facts, incomparable, outcomes, unpaired
from audits.comparison.pairs import Pairs
from audits.evidence.unchanged import require_unchanged, require_verdict_as_sealed
from audits.gate.absences import measurements
from probes.core.errors import UsageError
from probes.core.findings import Finding, Level, Status
from probes.core.manifest import PlannedStep
from probes.core.records import SCHEMA_VERSION, Better, Estimate, Measurement, Skip, measurement_key
from probes.core.run_folder import RunFolder, StepResult
from probes.core.side_by_side import (
    ComparedNumber,
    ComparedRun,
    Differing,
    Reading,
    SideBySide,
    Standing,
    Value,
    reading,
)
from reports.load import Loaded, load

OTHER_DATA = "measured on other data than the baseline"
NO_TEST = "no number of a test"
UNPAIRED = "unpaired"

_BADNESS: Mapping[Status | None, int] = {
    Status.FAIL: 4,
    Status.ERROR: 3,
    Status.NOT_RUN: 3,
    Status.INCONCLUSIVE: 2,
    Status.WAIVED: 1,
}
"""How much a status asks of the reader; 0 for all others."""
_LEVELS = (Level.BLOCK, Level.WARN, Level.INFO, Level.OFF)


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
    runs = [_Run(letter, folder, load(folder)) for letter, folder in zip(string.ascii_uppercase, folders, strict=False)]
    numbers = _sorted([_number(name, runs) for name in _names(runs)])
    return SideBySide(
        schema_version=SCHEMA_VERSION,
        runs=tuple(_run(run, runs[0], numbers) for run in runs),
        differing=tuple(_differing(runs)),
        numbers=tuple(numbers),
    )


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


@dataclass(frozen=True)
class _Run:
    letter: str
    folder: RunFolder
    loaded: Loaded

    @cached_property
    def steps(self) -> Mapping[str, tuple[PlannedStep, StepResult | None]]:
        """Probe id -> its step."""
        return {step.probe: (step, self.loaded.steps.get(step.step_id)) for step in self.loaded.manifest.steps}

    @cached_property
    def found(self) -> Mapping[str, tuple[PlannedStep, Measurement]]:
        """Every number under its whole name."""
        return {
            f"{probe}.{each.key}": (step, each)
            for probe, (step, result) in self.steps.items()
            for each in measurements(result)
        }

    @cached_property
    def findings(self) -> Mapping[str, Finding]:
        return {finding.check: finding for finding in self.loaded.findings}

    @cached_property
    def _pairs(self) -> dict[tuple[str, str], Pairs | str]:
        return {}

    def same_data(self, first: _Run) -> bool:
        return self.loaded.manifest.data.fingerprint == first.loaded.manifest.data.fingerprint

    def pairs(self, probe: str, first: _Run) -> Pairs | str:
        """The outcomes of a step beside the first run's, or why they cannot be paired."""
        key = (first.letter, probe)
        if key not in self._pairs:
            self._pairs[key] = _paired(self, first, probe)
        return self._pairs[key]


def _paired(run: _Run, first: _Run, probe: str) -> Pairs | str:
    new, old = run.steps[probe][0], first.steps[probe][0]
    reason = incomparable(new, old)
    if reason:
        return reason
    after, before = outcomes(run.folder, new), outcomes(first.folder, old)
    reason = unpaired(before, after)
    return Pairs(before, after) if before is not None and after is not None and not reason else reason


def _names(runs: Sequence[_Run]) -> list[str]:
    """Of all numbers and checks, those of the first run first, each once."""
    return list(dict.fromkeys(name for run in runs for name in (*run.found, *run.findings)))


def _number(name: str, runs: Sequence[_Run]) -> ComparedNumber:
    values = tuple(_value(name, run, runs[0]) for run in runs)
    measured = next((run.found[name] for run in runs if name in run.found), None)
    better = measured[1].better if measured else None
    standing = _standing(values, better)
    if measured is None:
        finding = next(run.findings[name] for run in runs if name in run.findings)
        return ComparedNumber(
            standing=standing,
            name=name,
            probe=finding.probe,
            risk=finding.risk,
            title=finding.title,
            part=finding.slice,
            better=finding.better,
            unit=finding.unit,
            values=values,
        )
    step, found = measured
    return ComparedNumber(
        standing=standing,
        name=name,
        probe=step.probe,
        risk=step.risk,
        title=f"{step.title}: {found.title}",
        part=found.slice,
        better=found.better,
        unit=found.unit,
        values=values,
    )


def _value(name: str, run: _Run, first: _Run) -> Value:
    finding, found = run.findings.get(name), run.found.get(name)
    about = {} if finding is None else finding.model_dump(include={"status", "level", "minimum", "maximum"})
    if found is None:
        return _judged_only(name, run, finding, about)
    step, measured = found
    value = Value(letter=run.letter, estimate=measured.estimate, **about)
    if run is first:
        return value
    difference = _difference(name, step.probe, measured, run, first)
    if isinstance(difference, str):
        return value.model_copy(update={"unpaired": difference})
    return value.model_copy(update={"difference": difference, "reading": reading(difference, measured.better)})


def _judged_only(name: str, run: _Run, finding: Finding | None, about: Mapping[str, Any]) -> Value:
    """A check of something that is no number of a test, such as the change since a baseline."""
    if finding is None or finding.estimate is None:
        return Value(letter=run.letter, absent=_absent(name, run), **about)
    return Value(letter=run.letter, estimate=finding.estimate, unpaired=NO_TEST, **about)


def _difference(name: str, probe: str, new: Measurement, run: _Run, first: _Run) -> Estimate | str:
    if name not in first.found:
        return "the baseline has no such number"
    if not run.same_data(first):
        return OTHER_DATA
    pairs = run.pairs(probe, first)
    return pairs if isinstance(pairs, str) else pairs.difference(first.found[name][1], new)


def _absent(name: str, run: _Run) -> str:
    """Why a run has no such number."""
    finding = run.findings.get(name)
    if finding is not None:
        return finding.message
    for skip in run.loaded.manifest.skips:
        if name == skip.probe or name.startswith(f"{skip.probe}."):
            return skip.skip.detail
    probe = next((probe for probe in run.steps if name.startswith(f"{probe}.")), None)
    if probe is None:
        return "The run did not plan this test."
    result = run.steps[probe][1]
    if result is None:
        return "The test did not finish."
    if result.end.status == "failed":
        return f"The test broke: {result.end.error}"
    return _skipped(name.removeprefix(f"{probe}."), result) or "The test gave no such number."


def _skipped(key: str, result: StepResult) -> str:
    skips = [record for record in result.records if isinstance(record, Skip)]
    exact = (skip.detail for skip in skips if skip.name and measurement_key(skip.name, skip.slice) == key)
    whole = (skip.detail for skip in skips if skip.name is None and not skip.slice)
    return next(exact, "") or next(whole, "")


def _standing(values: Sequence[Value], better: Better | None) -> Standing:
    measured = [value.estimate is not None for value in values]
    readings = {value.reading for value in values}
    if not any(measured):
        return Standing.NOWHERE
    if Reading.WORSE in readings:
        return Standing.WORSE
    if any(_fell(values[0].status, value.status) for value in values[1:]):
        return Standing.STATUS_WORSE
    if not all(measured):
        return Standing.NOT_IN_ALL
    if Reading.BETTER in readings:
        return Standing.BETTER
    if better is Better.CONTEXT:
        return Standing.NEITHER
    return Standing.UNPAIRED if any(value.unpaired for value in values) else Standing.UNCLEAR


def _fell(first: Status | None, later: Status | None) -> bool:
    return None not in (first, later) and _BADNESS.get(later, 0) > _BADNESS.get(first, 0)


def _sorted(numbers: Sequence[ComparedNumber]) -> list[ComparedNumber]:
    """What is shown to be worse first; in each standing what blocks, then what is worst, then what differs most."""
    return sorted(numbers, key=_key)


def _key(number: ComparedNumber) -> tuple[int, int, int, float]:
    levels = [_LEVELS.index(value.level) for value in number.values if value.level is not None]
    worst = max(_BADNESS.get(value.status, 0) for value in number.values)
    apart = max((_apart(value.difference) for value in number.values if value.difference is not None), default=0.0)
    return list(Standing).index(number.standing), min(levels, default=len(_LEVELS)), -worst, -apart


def _apart(difference: Estimate) -> float:
    """How far from zero, in widths of the interval."""
    width = difference.high - difference.low
    return abs(difference.value) / width if width > 0 else 0.0


def _run(run: _Run, first: _Run, numbers: Sequence[ComparedNumber]) -> ComparedRun:
    manifest, verdict = run.loaded.manifest, run.loaded.verdict
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


def _differing(runs: Sequence[_Run]) -> Iterator[Differing]:
    known = [facts(run.loaded.manifest) | _judged_by(run) for run in runs]
    for what in dict.fromkeys(what for each in known for what in each):
        values = tuple(each.get(what, "") for each in known)
        if len(set(values)) > 1:
            yield Differing(what=what, values=values)


def _judged_by(run: _Run) -> dict[str, str]:
    verdict = run.loaded.verdict
    return {"Judged by": f"{verdict.policy_id} {verdict.policy_digest[:12]}"} if verdict else {}
