"""What a reader asks first, besides whether it may ship: what is worst, for whom, and how sure is all of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from probes.core.findings import Finding, Level, Status
from probes.core.records import Estimate, Measurement, Unit
from reports.groups import ATTRIBUTES
from reports.load import Loaded
from reports.numbers import accepted, capital, count, fixed, level, plural, printed, spread
from reports.ranking import Ranked, beyond
from reports.severity import margin
from reports.views import Fact
from reports.wording import outcome

_PEOPLE = frozenset({*ATTRIBUTES, "group"})
"""Keys of a part of the data that name people, or words for them."""

_SHARES = (Unit.PROPORTION, Unit.DIFFERENCE)
_ASKED = frozenset({Level.BLOCK, Level.WARN})
"""Levels at which a policy asks for more than to be told."""


def bearings(loaded: Loaded, findings: Sequence[Ranked]) -> tuple[Fact, ...]:
    """One line for each question; none where nothing was judged."""
    judged = [item for item in findings if _limited(item.finding)]
    if not judged:
        return ()
    asked = [item for item in judged if item.finding.level in _ASKED]
    people = [item for item in judged if item.finding.slice.keys() & _PEOPLE]
    return (
        Fact("What is worst", _worst(asked or judged)),
        Fact("For whom", _whom(people, loaded)),
        Fact("How sure", _sure([item.finding for item in judged])),
    )


def _limited(finding: Finding) -> bool:
    """Whether a number was held against a threshold."""
    return finding.estimate is not None and (finding.minimum is not None or finding.maximum is not None)


def furthest(items: Sequence[Ranked]) -> Ranked:
    """The number furthest beyond its threshold, or else the closest to it; shares before scores, which have no common
    scale.
    """
    shares = [item for item in items if item.finding.unit in _SHARES]
    over = [item for item in items if beyond(item.finding) > 0]
    shares_over = [item for item in over if item.finding.unit in _SHARES]
    return max(shares_over or over or shares or items, key=lambda item: beyond(item.finding))


def _worst(judged: Sequence[Ranked]) -> str:
    worst = furthest(judged)
    if beyond(worst.finding) > 0:
        many = sum(beyond(item.finding) > 0 for item in judged)
        lie = "lies beyond its threshold" if many == 1 else "lie beyond their thresholds"
        return f"{_told(worst)}. {count(many)} of {plural(len(judged), 'judged number')} {lie} as measured."
    numbers = "the one judged number" if len(judged) == 1 else f"none of the {count(len(judged))} judged numbers"
    was = "was not" if len(judged) == 1 else "was"
    return f"{capital(numbers)} {was} measured beyond its threshold; closest to it: {_told(worst)}."


def _whom(people: Sequence[Ranked], loaded: Loaded) -> str:
    named = ", ".join(loaded.manifest.data.groups)
    data = f"The data divide the items by {named}" if named else "The data name no groups of people"
    if people:
        return f"{_told(_most_unequal(people))}. {data}."
    largest = max(_gaps(loaded), key=lambda found: abs(found.estimate.value), default=None)
    if largest is None:
        return f"Not known: no test compared groups of people. {data}."
    return f"Not judged. Largest measured: {largest.title}, {printed(largest.estimate, largest.unit).line}. {data}."


def _most_unequal(people: Sequence[Ranked]) -> Ranked:
    """The number furthest beyond its threshold; where none is beyond it, the largest difference."""
    first = furthest(people)
    gaps = [item for item in people if item.finding.unit is Unit.DIFFERENCE]
    return first if beyond(first.finding) > 0 or not gaps else max(gaps, key=lambda item: _size(item.finding))


def _size(finding: Finding) -> float:
    return abs(finding.estimate.value) if finding.estimate else 0.0


def _gaps(loaded: Loaded) -> Iterator[Measurement]:
    for _, record in loaded.records():
        if isinstance(record, Measurement) and record.unit is Unit.DIFFERENCE and record.slice.keys() & _PEOPLE:
            yield record


def _told(item: Ranked) -> str:
    """The number with its interval, its size, what is accepted, and what the check said."""
    finding = item.finding
    if finding.estimate is None:
        raise ValueError(f"nothing was measured for {finding.check}")
    unit = finding.unit or Unit.SCORE
    said = ", ".join(part for part in (outcome(finding).word.lower(), item.number) if part)
    limit = f"{accepted(finding.minimum, finding.maximum, unit)} accepted"
    figures = f"{printed(finding.estimate, unit).line}, n = {count(finding.estimate.n)}; {limit}, {margin(finding)}"
    return f"{item.title}: {figures} ({said})"


def _sure(judged: Sequence[Finding]) -> str:
    """How wide the intervals are, what they rest on, and what would settle the open checks."""
    estimates = [finding.estimate for finding in judged if finding.estimate is not None]
    sizes = spread([estimate.clusters for estimate in estimates])
    told = f"{level(estimates[0])} intervals on {sizes} independent items{_reach(judged)}."
    undecided = [finding for finding in judged if finding.status is Status.INCONCLUSIVE]
    if not undecided:
        return told
    needed = [finding.needed_n for finding in undecided if finding.needed_n]
    more = f"; up to about {count(max(needed))} items would decide {count(len(needed))} of them" if needed else ""
    return f"{told} {plural(len(undecided), 'check')} undecided{more}."


def _reach(judged: Sequence[Finding]) -> str:
    shares = [f.estimate for f in judged if f.estimate and f.unit in _SHARES]
    if not shares:
        return ""
    reach = 100 * median(map(_longer, shares))
    return f"; half of those of shares reach {fixed(reach, 1)} percentage points or more to the longer side"


def _longer(estimate: Estimate) -> float:
    return max(estimate.high - estimate.value, estimate.value - estimate.low)
