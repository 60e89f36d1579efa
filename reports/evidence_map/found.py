"""What a run holds for a pattern of probe ids: where to read it, and how many checks came out how. No verdict on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from probes.core.findings import Finding, Status
from probes.core.manifest import PlannedStep
from probes.core.patterns import matches
from probes.core.records import Measurement
from reports.chapters import chapter_anchors
from reports.limits import Limits
from reports.load import Loaded
from reports.numbers import count, plural
from reports.results import summary
from reports.views import Link

_LINKED = 3
"""Chapters that are named in one cell."""
_TITLE = 80
"""Letters of a chapter's title in a link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found, in words; `measured` where at least one probe has numbers."""

    text: str
    links: tuple[Link, ...] = ()
    measured: bool = False


def found_in(loaded: Loaded, globs: Iterable[str], *, limits: Limits) -> Mapping[str, Found]:
    """Pattern -> what the run holds for it."""
    anchors = chapter_anchors(loaded)
    shown = {step.step_id: anchors[step.step_id] for step in loaded.manifest.steps[: limits.chapters]}
    judged: dict[str, list[Finding]] = {}
    for finding in loaded.findings:
        judged.setdefault(finding.probe, []).append(finding)
    return {glob: _found(glob, loaded, judged, shown) for glob in dict.fromkeys(globs)}


def _found(glob: str, loaded: Loaded, by_probe: Mapping[str, Sequence[Finding]], shown: Mapping[str, str]) -> Found:
    steps = [step for step in loaded.manifest.steps if matches(glob, step.probe)]
    probes = {step.probe for step in steps} | {s.probe for s in loaded.manifest.skips if matches(glob, s.probe)}
    measured = {step.probe for step in steps if _has_numbers(step, loaded)}
    judged = [finding for probe, found in by_probe.items() if matches(glob, probe) for finding in found]
    said = [_probes(len(measured), len(probes)), *([summary(judged)] if judged else [])]
    links = [*_chapters(steps, judged, shown)]
    if len(measured) < len(probes):
        links.append(Link("Not run", "not-run"))
    return Found(text=" ".join(said), links=tuple(links), measured=bool(measured))


def _has_numbers(step: PlannedStep, loaded: Loaded) -> bool:
    result = loaded.steps.get(step.step_id)
    return result is not None and any(isinstance(record, Measurement) for record in result.records)


def _probes(measured: int, planned: int) -> str:
    if not planned:
        return "No such probe was in the plan."
    return f"Numbers from {count(measured) if measured else 'none'} of {plural(planned, 'probe')}."


def _chapters(steps: Iterable[PlannedStep], judged: Iterable[Finding], shown: Mapping[str, str]) -> list[Link]:
    """The chapters by the order of the plan, those with a failed check first."""
    failing = {finding.probe for finding in judged if finding.status is Status.FAIL}
    linked = [step for step in steps if step.step_id in shown]
    linked.sort(key=lambda step: step.probe not in failing)
    links = [Link(step.title[:_TITLE], shown[step.step_id]) for step in linked[:_LINKED]]
    if len(linked) > _LINKED:
        links.append(Link(f"{count(len(linked) - _LINKED)} more", "chapters"))
    return links
