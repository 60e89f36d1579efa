"""Several runs side by side as a page: what is shown to be worse first, and why what is not paired is not."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from probes.core.records import Better, Estimate, Unit
from probes.core.side_by_side import ComparedNumber, ComparedRun, Reading, SideBySide, Standing, Value
from reports.baseline import BETTER, UNCLEAR, WORSE
from reports.charts import IntervalPlot, Plotted, interval_plot
from reports.limits import Limits
from reports.numbers import accepted, capital, count, items, part_in_words, plural, printed
from reports.pages import fitted, left_out, public, rendered
from reports.tables import code, columns, number, row, status, table, text
from reports.views import Badge, Column, Link, Table
from reports.wording import BADGES, LEVELS, NOT_JUDGED, VERDICTS

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
_PLOTTED = frozenset({Standing.WORSE, Standing.STATUS_WORSE, Standing.BETTER, Standing.UNCLEAR})
_REASON = 110
"""Characters of a reason in a cell."""
_FALSE = 0.025
"""How often an interval at 95 % lies wholly on one given side of zero where there is no difference."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The page."""

    title: str
    contents: tuple[Link, ...]
    lead: str
    runs: Table
    warnings: tuple[str, ...]
    summary: tuple[str, ...]
    chance: str
    plots: tuple[IntervalPlot, ...]
    groups: tuple[Group, ...]
    unpaired: Table | None
    differing: Table | None


def render_side_by_side(found: SideBySide, *, unmask: bool = False) -> bytes:
    """The comparison as one HTML file, under 5 MB; the same comparison gives the same bytes.

    Listed offensive words and personal data of a known form are masked, unless `unmask`.
    """
    shown = found if unmask else found.model_copy(update={"numbers": tuple(map(_public, found.numbers))})
    return fitted(
        lambda limits: rendered(
            "compare.html.j2",
            limits=limits,
            masked=not unmask,
            in_print=f"Comparison of {len(found.runs)} runs with {found.runs[0].run_id[:60]}",
            page=compared(shown, limits=limits),
        )
    )


def _public(each: ComparedNumber) -> ComparedNumber:
    """The number as it may be shown to anybody: its names and reasons come from the data."""
    values = tuple(value.model_copy(update={"absent": public(value.absent)}) for value in each.values)
    part = {key: public(value) for key, value in each.part.items()}
    told = {"title": public(each.title), "name": public(each.name), "part": part, "values": values}
    return each.model_copy(update=told)


def compared(found: SideBySide, *, limits: Limits) -> Compared:
    """Everything the template prints."""
    plots = tuple(plot for run in found.runs[1:] if run.same_data for plot in _plots(found, run, limits))
    groups, unpaired = tuple(_groups(found, limits)), _unpaired(found, limits)
    return Compared(
        title=f"{plural(len(found.runs), 'run')} side by side",
        contents=tuple(_contents(groups, plots=bool(plots), unpaired=unpaired is not None)),
        lead=_LEAD,
        runs=_runs(found.runs),
        warnings=tuple(warnings(found)),
        summary=tuple(summary(run) for run in found.runs[1:]),
        chance=by_chance(found),
        plots=plots,
        groups=groups,
        unpaired=unpaired,
        differing=_differing(found, limits),
    )


def _contents(groups: Sequence[Group], *, plots: bool, unpaired: bool) -> Iterator[Link]:
    yield Link("The runs", "runs")
    if plots:
        yield Link("Differences at a glance", "differences")
    yield from (Link(f"{group.title} ({group.size})", group.anchor) for group in groups)
    if unpaired:
        yield Link("Why not paired", "unpaired")
    yield Link("What differs besides", "differing")


_LEAD = (
    "A is the baseline. A difference is a later run's number less A's, for the same items, asked of both models. "
    "“Worse” and “better” are said where the interval of the difference lies wholly on one side of zero."
)


def warnings(found: SideBySide) -> Iterator[str]:
    """What must be known before any two numbers are compared."""
    first, others = found.runs[0], [run for run in found.runs[1:] if not run.same_data]
    if others:
        names = _listed([run.letter for run in others])
        were = "was" if len(others) == 1 else "were"
        yield (
            f"Not measured on the same items: {names} {were} measured on other data than A. These numbers stand beside "
            "each other without a difference: what they differ by may lie in the data as well as in the models."
        )
    judged = [run for run in found.runs[1:] if run.policy_digest != first.policy_digest]
    if judged:
        names = _listed([run.letter for run in judged])
        yield f"Another policy than A's: {names}. Statuses are not comparable with A's; the numbers are."
    unjudged = [run.letter for run in found.runs if run.exit_code is None]
    if unjudged:
        yield f"Not judged: {_listed(unjudged)}. There are numbers, and no statuses."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def summary(run: ComparedRun) -> str:
    """What a run shows beside the first one."""
    if not run.same_data:
        return f"{run.letter}: no differences, since it was measured on other data than A."
    readings = run.readings
    worse, better, unpaired = readings[Reading.WORSE], readings[Reading.BETTER], readings["unpaired"]
    return (
        f"{run.letter} against A: {plural(worse, 'number')} shown to be worse, {count(better)} better, "
        f"{count(readings[Reading.UNCLEAR])} without a difference that these items show, "
        f"{count(readings[Reading.NEITHER])} where neither direction is better, {count(unpaired)} not paired."
    )


def by_chance(found: SideBySide) -> str:
    """How many numbers would be shown to be worse were all models alike; "" where nothing was paired."""
    directed = (Reading.WORSE, Reading.BETTER, Reading.UNCLEAR)
    paired = sum(run.readings[reading] for run in found.runs[1:] for reading in directed)
    if not paired:
        return ""
    expected = max(1, round(_FALSE * paired))
    return (
        f"{plural(paired, 'difference')} with a good direction {'was' if paired == 1 else 'were'} looked at. Were the "
        f"models alike, up to about {count(expected)} would still be shown to be worse, and as many better, by chance."
    )


def _runs(runs: Sequence[ComparedRun]) -> Table:
    head = columns("Run", "Verdict", "Model", "Data", "Judged by", "Run folder")
    rows = [
        row(
            text(f"{run.letter}{'' if place else ', the baseline'}"),
            status(verdict_of(run)),
            text(run.model_name, run.model[:12]),
            text(f"{run.data_name}, {plural(run.items, 'item')}", run.data[:12]),
            text(run.policy or "not judged", run.policy_digest[:12]),
            text(run.run_id, run.created),
        )
        for place, run in enumerate(runs)
    ]
    return table("The runs", head, rows, most=len(rows), wide=True)


def verdict_of(run: ComparedRun) -> Badge:
    """The verdict on a run in a word."""
    if run.exit_code is None:
        return NOT_JUDGED
    return VERDICTS.get(run.exit_code, Badge(f"Exit code {run.exit_code}", "error"))


def _plots(found: SideBySide, run: ComparedRun, limits: Limits) -> Iterator[IntervalPlot]:
    """The differences in percentage points, with the worse side of zero hatched."""
    rows = [
        _plotted(each, value.difference, value.reading)
        for each in found.numbers
        if each.standing in _PLOTTED and each.unit is not Unit.SCORE
        for value in each.values
        if value.letter == run.letter and value.difference and value.reading
    ]
    if rows:
        shown = rows[: limits.plotted]
        name = f"{run.letter} − A"
        yield interval_plot(
            shown,
            key=f"plot-{run.letter.lower()}",
            title=f"{name}: differences of shares, in percentage points",
            takeaway=f"{plural(len(shown), 'difference')}. First row: {shown[0].label}, {shown[0].value}.",
            unit=Unit.DIFFERENCE,
            note=left_out(len(shown), len(rows), "differences", where="The others are in the tables below."),
        )


def _plotted(each: ComparedNumber, difference: Estimate, shown: Reading) -> Plotted:
    part = part_in_words(each.part)
    return Plotted(
        label=capital(each.title) + (f" ({part})" if part else ""),
        value=printed(difference, Unit.DIFFERENCE).value,
        kind=READINGS[shown].kind,
        estimate=difference,
        minimum=0.0 if each.better is Better.HIGHER else None,
        maximum=0.0 if each.better is Better.LOWER else None,
    )


def _groups(found: SideBySide, limits: Limits) -> Iterator[Group]:
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


def difference_unit(unit: Unit | None) -> Unit:
    """In what a difference of two such numbers is printed."""
    return Unit.SCORE if unit in (Unit.SCORE, None) else Unit.DIFFERENCE


def _size(estimate: Estimate) -> str:
    return f"n = {items(estimate)}"


def _short(reason: str) -> str:
    return textwrap.shorten(reason, _REASON, placeholder="…")


def _unpaired(found: SideBySide, limits: Limits) -> Table | None:
    """Why numbers that a run has stand without a difference, and how many."""
    why = Counter(
        (value.letter, value.unpaired, each.probe) for each in found.numbers for value in each.values if value.unpaired
    )
    rows = [
        row(text(f"{letter} − A"), text(capital(reason)), code(probe), number(count(many)))
        for (letter, reason, probe), many in sorted(why.items(), key=lambda pair: (pair[0][0], -pair[1], pair[0]))
    ]
    shown = rows[: limits.rows]
    head = columns("Difference", "Why it is not given", "Test", "Numbers", numbers=("Numbers",))
    note = left_out(len(shown), len(rows), "rows", where=ELSEWHERE)
    return table("Why numbers were not paired", head, shown, most=len(shown), note=note) if rows else None


def _differing(found: SideBySide, limits: Limits) -> Table | None:
    rows = [row(text(each.what), *(code(value or "–") for value in each.values)) for each in found.differing]
    shown = rows[: limits.rows]
    head = columns("What differs", *(run.letter for run in found.runs))
    note = left_out(len(shown), len(rows), "differences", where=ELSEWHERE)
    caption = "What is not the same in all runs"
    return table(caption, head, shown, most=len(shown), note=note, wide=len(found.runs) > 2) if rows else None
