"""The run as it may be shown to anybody: personal data of a known form masked, and offensive words in its cases.

Masked is what comes from the data and the model: texts, answers, notes, errors, and the names of parts of the data.
What people declared with their names on it (audit card, policy, waivers, sign-offs) is theirs to publish and stays.
Offensive words elsewhere are masked as they are printed; the texts of cases are cut into changed and unchanged
stretches before, which would hide a word that a stretch ends in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from pydantic import BaseModel

from probes.core.comparison import Comparison, StepComparison
from probes.core.findings import Finding, Verdict
from probes.core.manifest import Manifest
from probes.core.records import Accounting, Curve, Evidence, Measurement, Record, Shown, Skip, measurement_key
from probes.core.run_folder import StepResult
from probes.core.side_by_side import ComparedNumber
from probes.text.masking import mask
from probes.text.personal import mask_pair, mask_personal
from reports.load import Loaded

Model = TypeVar("Model", bound=BaseModel)


def redacted(loaded: Loaded) -> Loaded:
    """The run with personal data masked; no number, no status and no identifier of an item changes.

    Equal names of parts of the data stay equal, and different ones different.
    """
    redaction = _Redaction()
    return replace(
        loaded,
        manifest=_redacted_notes(loaded),
        steps={step_id: redaction.step(step) for step_id, step in loaded.steps.items()},
        verdict=redaction.verdict(loaded.verdict) if loaded.verdict else None,
        comparison=redaction.comparison(loaded.comparison) if loaded.comparison else None,
    )


def redacted_verdict(verdict: Verdict) -> Verdict:
    """The verdict alone, for a log that anybody may read."""
    return _Redaction().verdict(verdict)


def without_personal(loaded: Loaded) -> Loaded:
    """The run without its cases, redacted: what the files for CI and inventories are made of."""
    steps = {
        step_id: replace(step, records=tuple(each for each in step.records if not isinstance(each, Evidence)))
        for step_id, step in loaded.steps.items()
    }
    return redacted(replace(loaded, steps=steps))


def _redacted_notes(loaded: Loaded) -> Manifest:
    data = loaded.manifest.data
    return _changed(loaded.manifest, data=_changed(data, notes=tuple(map(_said, data.notes))))


def _changed(model: Model, **fields: object) -> Model:
    """The model with these fields, or itself where they are as they were."""
    return (
        model
        if all(getattr(model, name) == value for name, value in fields.items())
        else model.model_copy(update=fields)
    )


def _said(sentence: str) -> str:
    """A sentence of ours that may quote the data; its numbers are results."""
    return mask_personal(sentence, loose=False)


class _Redaction:
    """What one run masks, so that names of parts of its data can be told apart afterwards."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._given: set[str] = set()

    def step(self, step: StepResult) -> StepResult:
        """All records of a step, and what broke it."""
        end = _changed(step.end, error=mask_personal(step.end.error), traceback=mask_personal(step.end.traceback))
        return replace(step, records=tuple(map(self.record, step.records)), end=end)

    def record(self, record: Record) -> Record:
        """One record; lists of words are the test's subject and stay."""
        match record:
            case Evidence():
                return self._evidence(record)
            case Measurement():
                return self._measurement(record)
            case Curve():
                return self._curve(record)
            case Accounting():
                return _changed(record, note=_said(record.note), slice=self._part(record.slice))
            case Skip():
                return _changed(record, detail=_said(record.detail), slice=self._part(record.slice))
            case _:
                return record

    def verdict(self, verdict: Verdict) -> Verdict:
        """What was found, and which waivers were applied to it."""
        findings = tuple(map(self._finding, verdict.findings))
        names = {old.check: new.check for old, new in zip(verdict.findings, findings, strict=True)}
        waivers = tuple(
            _changed(use, findings=tuple(names.get(check, check) for check in use.findings)) for use in verdict.waivers
        )
        return verdict.model_copy(update={"findings": findings, "waivers": waivers})

    def comparison(self, comparison: Comparison) -> Comparison:
        """Its numbers are about the same parts of the data."""
        steps = tuple(map(self._compared, comparison.steps))
        return _changed(comparison, steps=steps, numbers=tuple(map(self._number, comparison.numbers)))

    def _number(self, number: ComparedNumber) -> ComparedNumber:
        part = self._part(number.part)
        values = tuple(_changed(each, absent=_said(each.absent)) for each in number.values)
        name = number.name if part == number.part else measurement_key(number.name.partition("[")[0], part)
        return _changed(number, name=name, part=part, title=_said(number.title), values=values)

    def _compared(self, step: StepComparison) -> StepComparison:
        return _changed(step, measurements=tuple(map(self._measurement, step.measurements)))

    def _measurement(self, found: Measurement) -> Measurement:
        return _changed(found, title=_said(found.title), slice=self._part(found.slice))

    def _evidence(self, evidence: Evidence) -> Evidence:
        return _changed(
            evidence,
            shown=_shown(evidence.shown),
            gold=None if evidence.gold is None else _said(evidence.gold),
            note=_said(evidence.note),
            slice=self._part(evidence.slice),
        )

    def _curve(self, curve: Curve) -> Curve:
        points = tuple(_changed(point, label=point.label and _said(point.label)) for point in curve.points)
        titles = {name: _said(getattr(curve, name)) for name in ("title", "x_title", "y_title")}
        return _changed(curve, **titles, points=points, slice=self._part(curve.slice))

    def _finding(self, finding: Finding) -> Finding:
        part = self._part(finding.slice)
        check = finding.check
        if part != finding.slice and finding.measurement:
            old, new = (measurement_key(finding.measurement, each) for each in (finding.slice, part))
            check = check.replace(old, new)
        return _changed(finding, check=check, slice=part, title=_said(finding.title), message=_said(finding.message))

    def _part(self, part: Mapping[str, str]) -> Mapping[str, str]:
        return {key: self._name(value) for key, value in part.items()}

    def _name(self, value: str) -> str:
        masked = _said(value)
        if masked == value:
            return value
        if value not in self._names:
            self._names[value] = name = _apart(masked, self._given)
            self._given.add(name)
        return self._names[value]


def _apart(name: str, given: set[str]) -> str:
    """The name, with a number where another value looks the same once it is masked."""
    number, apart = 1, name
    while apart in given:
        number += 1
        apart = f"{name} ({number})"
    return apart


def _shown(sides: Sequence[Shown]) -> tuple[Shown, ...]:
    if len(sides) == 1:
        return (_side(sides[0], tuple(mask(mask_personal(text)) for text in sides[0].texts)),)
    before, after = sides
    pairs = [mask_pair(old, new) for old, new in zip(before.texts, after.texts, strict=False)]
    texts = ([mask(pair[which]) for pair in pairs] for which in (0, 1))
    return tuple(
        _side(side, (*paired, *(mask(mask_personal(text)) for text in side.texts[len(pairs) :])))
        for side, paired in zip((before, after), texts, strict=True)
    )


def _side(side: Shown, texts: tuple[str, ...]) -> Shown:
    return _changed(side, texts=texts, answer=_said(side.answer))
