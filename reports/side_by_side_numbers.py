"""The numbers of several runs side by side: each with its differences, those of one standing together."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from probes.core.records import Estimate, Unit
from probes.core.side_by_side import ComparedNumber, ComparedRun, Reading, SideBySide, Standing, Value
from reports.changed import BETTER, UNCLEAR, WORSE
from reports.limits import Limits
from reports.numbers import accepted, capital, difference_unit, items, part_in_words, plural, printed
from reports.pages import left_out
from reports.views import Badge, Column
from reports.wording import BADGES, LEVELS

READINGS: Mapping[Reading, Badge] = {
    Reading.WORSE: WORSE,
    Reading.BETTER: BETTER,
    Reading.UNCLEAR: UNCLEAR,
    Reading.NEITHER: Badge("Neither is better", "none"),
}
STANDINGS: Mapping[Standing, str] = {
    Standing.WORSE: "Shown to be worse",
    Standing.STATUS_WORSE: "Check came out worse, without a shown difference",
    Standing.NOT_IN_ALL: "Not in every run",
    Standing.BETTER: "Shown to be better",
    Standing.UNPAIRED: "Not paired",
    Standing.UNCLEAR: "No difference shown",
    Standing.NEITHER: "Numbers to read others by",
    Standing.NOWHERE: "Measured in no run",
}
FOLDED = frozenset({Standing.UNCLEAR, Standing.NEITHER, Standing.NOWHERE})
"""Standings that ask nothing of the reader; they open on request."""

ELSEWHERE = "All of them are printed by `audit compare` with --json."
_REASON = 110
"""Characters of a reason in a cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One cell: a number with its interval, how much it rests on and a badge, or `note`, why there is none."""

    value: str = ""
    interval: str = ""
    size: str = ""
    badge: Badge | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One number in every run, and its differences."""

    title: str
    facts: str
    name: str
    cells: tuple[Told, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """All numbers of one standing."""

    anchor: str
    title: str
    size: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    note: str
    folded: bool


def number_groups(found: SideBySide, limits: Limits) -> Iterator[Group]:
    """The numbers by standing, what is shown to be worse first."""
    head = (Column(text="Number"), *(Column(text=name, number=True) for name in _headings(found.runs)))
    for standing in Standing:
        members = [each for each in found.numbers if each.standing is standing]
        if members:
            shown = members[: limits.checks]
            yield Group(
                anchor=f"numbers-{standing.value.replace('_', '-')}",
                title=STANDINGS[standing],
                size=plural(len(members), "number"),
                columns=head,
                lines=tuple(_line(each, found.runs) for each in shown),
                note=left_out(len(shown), len(members), "numbers", where=ELSEWHERE),
                folded=standing in FOLDED,
            )


def _headings(runs: Sequence[ComparedRun]) -> Iterator[str]:
    for place, run in enumerate(runs):
        yield run.letter
        if place and run.same_data:
            yield f"{run.letter} − A"


def _line(each: ComparedNumber, runs: Sequence[ComparedRun]) -> Line:
    facts = (part_in_words(each.part), _policy(each))
    return Line(
        title=capital(each.title),
        facts="; ".join(fact for fact in facts if fact),
        name=each.name,
        cells=tuple(_cells(each, runs)),
    )


def _policy(each: ComparedNumber) -> str:
    """What is accepted, and how strictly; where the runs were judged differently, of each."""
    told = {
        value.letter: f"{accepted(value.minimum, value.maximum, each.unit)}, {LEVELS[value.level].lower()}"
        for value in each.values
        if value.level is not None
    }
    if len(set(told.values())) < 2:
        return next(iter(told.values()), "")
    return "; ".join(f"{letter}: {what}" for letter, what in told.items())


def _cells(each: ComparedNumber, runs: Sequence[ComparedRun]) -> Iterator[Told]:
    for place, (value, run) in enumerate(zip(each.values, runs, strict=True)):
        yield _told(value, each.unit)
        if place and run.same_data:
            yield _changed(value, each.unit)


def _told(value: Value, unit: Unit | None) -> Told:
    badge = None if value.status is None else BADGES[value.status]
    if value.estimate is None:
        return Told(badge=badge, note=_short(value.absent))
    figures = printed(value.estimate, unit or Unit.SCORE)
    return Told(value=figures.value, interval=figures.interval, size=_size(value.estimate), badge=badge)


def _changed(value: Value, unit: Unit | None) -> Told:
    if value.difference is None or value.reading is None:
        return Told(note=_short(value.unpaired) or "–")
    figures = printed(value.difference, difference_unit(unit))
    size = _size(value.difference)
    return Told(value=figures.value, interval=figures.interval, size=size, badge=READINGS[value.reading])


def _size(estimate: Estimate) -> str:
    return f"n = {items(estimate)}"


def _short(reason: str) -> str:
    return textwrap.shorten(reason, _REASON, placeholder="…")
