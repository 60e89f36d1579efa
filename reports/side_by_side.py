"""Several runs side by side as a page: what is shown to be worse first, and why what is not paired is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from probes.core.records import Better, Estimate, Unit
from probes.core.side_by_side import ComparedNumber, ComparedRun, Reading, SideBySide, Standing
from reports.charts import IntervalPlot, Plotted, interval_plot
from reports.limits import Limits
from reports.numbers import capital, count, difference_unit, part_in_words, plural, printed
from reports.pages import fitted, left_out, public, rendered
from reports.side_by_side_numbers import ELSEWHERE, READINGS, STANDINGS, Group, number_groups
from reports.tables import code, columns, number, row, status, table, text
from reports.views import Badge, Link, Table
from reports.wording import NOT_JUDGED, VERDICTS

__all__ = [
    "READINGS", "STANDINGS", "Compared", "by_chance", "compared", "difference_unit", "render_side_by_side", "summary",
    "verdict_of", "warnings",
]  # fmt: skip

_PLOTTED = frozenset({Standing.WORSE, Standing.STATUS_WORSE, Standing.BETTER, Standing.UNCLEAR})
_FALSE = 0.025
"""How often an interval at 95 % lies wholly on one given side of zero where there is no difference."""


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
    groups, unpaired = tuple(number_groups(found, limits)), _unpaired(found, limits)
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
    same = [run.letter for run in found.runs[1:] if run.model == first.model]
    if same:
        yield f"The same model as A: {_listed(same)}. A difference is of the two runs, and none of the model."
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
