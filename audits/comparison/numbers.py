"""Every number and every check of several runs, each beside that of the first, with the paired difference to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from audits.comparison.adjusting import adjusted
from audits.comparison.items import incomparable, may_miss, of_other_kind, outcomes, unpaired
from audits.comparison.pairs import Pairs
from audits.gate.absences import measurements
from probes.core.findings import Finding, Level, Status
from probes.core.manifest import Manifest, PlannedStep
from probes.core.records import Better, Estimate, Measurement, Skip, measurement_key
from probes.core.run_folder import RunFolder, StepResult
from probes.core.side_by_side import (
    ComparedNumber,
    Reading,
    Standing,
    Value,
    apart,
    direction,
    reading,
)

OTHER_DATA = "measured on other data than the baseline"
NO_TEST = "no number of a test"

_BADNESS: Mapping[Status | None, int] = {
    Status.FAIL: 4,
    Status.ERROR: 3,
    Status.NOT_RUN: 3,
    Status.INCONCLUSIVE: 2,
    Status.WAIVED: 1,
}
"""How much a status asks of the reader; 0 for all others."""
_LEVELS = (Level.BLOCK, Level.WARN, Level.INFO, Level.OFF)


def compared_numbers(sides: Sequence[Side]) -> list[ComparedNumber]:
    """All numbers and checks; what is shown to be worse first, in each standing what blocks.

    Raises:
        IntegrityError: when a file is damaged.
    """
    return _sorted(adjusted([_number(name, sides) for name in _names(sides)]))


@dataclass(frozen=True)
class Side:
    """One of the runs.

    Attributes:
        letter: by which numbers name it.
        results: by step id.
        judged: findings, where statuses are to be compared as well.
    """

    letter: str
    folder: RunFolder
    manifest: Manifest
    results: Mapping[str, StepResult]
    judged: Sequence[Finding] = ()

    @cached_property
    def steps(self) -> Mapping[str, tuple[PlannedStep, StepResult | None]]:
        """Probe id -> its step."""
        return {step.probe: (step, self.results.get(step.step_id)) for step in self.manifest.steps}

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
        return {finding.check: finding for finding in self.judged}

    @cached_property
    def _pairs(self) -> dict[tuple[str, str], Pairs | str]:
        return {}

    def same_data(self, first: Side) -> bool:
        return self.manifest.data.fingerprint == first.manifest.data.fingerprint

    def pairs(self, probe: str, first: Side) -> Pairs | str:
        """The outcomes of a step beside the first run's, or why they cannot be paired."""
        key = (first.letter, probe)
        if key not in self._pairs:
            self._pairs[key] = _paired(self, first, probe)
        return self._pairs[key]


def _paired(run: Side, first: Side, probe: str) -> Pairs | str:
    new, old = run.steps[probe][0], first.steps[probe][0]
    cards = run.manifest.model, first.manifest.model
    reason = incomparable(new, old) or of_other_kind(*cards)
    if reason:
        return reason
    after, before, missing = outcomes(run.folder, new), outcomes(first.folder, old), may_miss(*cards)
    reason = unpaired(before, after, most_missing=missing)
    return Pairs(before, after, missing) if before is not None and after is not None and not reason else reason


def _names(runs: Sequence[Side]) -> list[str]:
    """Of all numbers and checks, those of the first run first, each once."""
    return list(dict.fromkeys(name for run in runs for name in (*run.found, *run.findings)))


def _number(name: str, runs: Sequence[Side]) -> ComparedNumber:
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


def _value(name: str, run: Side, first: Side) -> Value:
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
    shown = {"reading": reading(difference, measured.better), "direction": direction(difference)}
    return value.model_copy(update={"difference": difference, **shown})


def _judged_only(name: str, run: Side, finding: Finding | None, about: Mapping[str, Any]) -> Value:
    """A check of something that is no number of a test, such as the change since a baseline."""
    if finding is None or finding.estimate is None:
        return Value(letter=run.letter, absent=_absent(name, run), **about)
    return Value(letter=run.letter, estimate=finding.estimate, unpaired=NO_TEST, **about)


def _difference(name: str, probe: str, new: Measurement, run: Side, first: Side) -> Estimate | str:
    if name not in first.found:
        return "the baseline has no such number"
    if not run.same_data(first):
        return OTHER_DATA
    pairs = run.pairs(probe, first)
    return pairs if isinstance(pairs, str) else pairs.difference(first.found[name][1], new)


def _absent(name: str, run: Side) -> str:
    """Why a run has no such number."""
    finding = run.findings.get(name)
    if finding is not None:
        return finding.message
    for skip in run.manifest.skips:
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
    distance = max((apart(value.difference) for value in number.values if value.difference is not None), default=0.0)
    return list(Standing).index(number.standing), min(levels, default=len(_LEVELS)), -worst, -distance
