"""How a check went from run to run: a small picture, and the same numbers beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from probes.core.findings import Finding
from probes.core.records import Unit
from reports.charts import Scale, at, domain
from reports.numbers import accepted, printed
from reports.views import Kind
from reports.wording import BADGES

STEP, HEIGHT, MARGIN = 18, 48, 6
"""Width of one run, height of the picture, and room above and below its plot, in user units (about pixels)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One run: its mark, its interval, and its thresholds as lines from `left` to `right`.

    `whisker` is empty where there is no estimate; then the mark stands in the middle.
    """

    kind: Kind
    x: str
    y: str
    whisker: tuple[str, str] | None
    left: str
    right: str
    limits: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A picture of one check; `takeaway` says in words what it shows."""

    width: int
    height: int
    stops: tuple[Stop, ...]
    joins: tuple[tuple[str, str, str, str], ...]
    takeaway: str


def spark(history: Sequence[Finding | None], data: Sequence[str]) -> Spark:
    """The course of one check over n runs.

    Args:
        history: (n,) what became of it, oldest first; None where a run was not judged by it.
        data: (n,) fingerprints of the data; runs on different items are not joined by a line.
    """
    scale = _scale(history)
    stops = [None if each is None else _stop(each, place, scale) for place, each in enumerate(history)]
    joins = (
        (first.x, first.y, second.x, second.y)
        for (first, one), (second, other) in pairwise(zip(stops, data, strict=True))
        if first and second and first.whisker and second.whisker and one == other
    )
    return Spark(
        width=STEP * len(history),
        height=HEIGHT,
        stops=tuple(stop for stop in stops if stop is not None),
        joins=tuple(joins),
        takeaway=_takeaway(history),
    )


def _scale(history: Sequence[Finding | None]) -> Scale | None:
    seen = [bound for each in history if each is not None for bound in _extent(each)]
    unit = next((each.unit for each in history if each is not None and each.unit), Unit.SCORE)
    return domain(seen, unit, start=HEIGHT - MARGIN, end=MARGIN) if seen else None


def _extent(finding: Finding) -> Iterator[float]:
    if finding.estimate is not None:
        yield from (finding.estimate.low, finding.estimate.high)
        yield from (limit for limit in (finding.minimum, finding.maximum) if limit is not None)


def _stop(finding: Finding, place: int, scale: Scale | None) -> Stop:
    middle, estimate = STEP * (place + 0.5), finding.estimate
    empty = Stop(
        kind=BADGES[finding.status].kind,
        x=at(middle),
        y=at(HEIGHT / 2),
        whisker=None,
        left=at(middle - STEP / 2),
        right=at(middle + STEP / 2),
        limits=(),
    )
    if scale is None or estimate is None:
        return empty
    return replace(
        empty,
        y=scale.at(estimate.value),
        whisker=(scale.at(estimate.low), scale.at(estimate.high)),
        limits=tuple(scale.at(limit) for limit in (finding.minimum, finding.maximum) if limit is not None),
    )


def _takeaway(history: Sequence[Finding | None]) -> str:
    """The first and the last number, and what is accepted: what a reader of the row would say of it."""
    told = [_told(each) for each in history if each is not None]
    last = next(each for each in reversed(history) if each is not None)
    course = told[0] if len(told) == 1 else f"from {told[0]} to {told[-1]}"
    return f"{course} in {len(told)} of {len(history)} runs; {accepted(last.minimum, last.maximum, last.unit)} accepted"


def _told(finding: Finding) -> str:
    word = BADGES[finding.status].word.lower()
    return f"{printed(finding.estimate, finding.unit or Unit.SCORE).value} ({word})" if finding.estimate else word
