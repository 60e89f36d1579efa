"""A comparison of runs in the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from audits.console import Terminal
from probes.core.records import Estimate, Unit
from probes.core.side_by_side import ComparedNumber, ComparedRun, SideBySide, Standing, Value
from reports.numbers import difference_unit, printed
from reports.side_by_side import READINGS, STANDINGS, by_chance, summary, verdict_of, warnings
from reports.wording import BADGES

SHOWN = 30
"""Rows of the table; all are in the page and in the JSON."""
_SILENT = frozenset({Standing.UNCLEAR, Standing.NEITHER, Standing.NOWHERE})
"""Standings that are counted below the table, and not listed in it."""


def tell(found: SideBySide, terminal: Terminal) -> None:
    """Print what matters of a comparison."""
    for run in found.runs:
        terminal.line(_run(run))
    for warning in warnings(found):
        terminal.line(f"WARNING {warning}")
    listed = [each for each in found.numbers if each.standing not in _SILENT]
    for standing, members in groupby(listed[:SHOWN], key=lambda each: each.standing):
        terminal.table(STANDINGS[standing], _headings(found.runs), [_row(each, found.runs) for each in members])
        terminal.line()
    if len(listed) > SHOWN:
        terminal.line(f"... and {len(listed) - SHOWN:,} more, with --html or --json")
    for standing in Standing:
        many = sum(each.standing is standing for each in found.numbers)
        if standing in _SILENT and many:
            terminal.line(f"  {STANDINGS[standing]}: {many:,}")
    for line in filter(None, (*map(summary, found.runs[1:]), by_chance(found))):
        terminal.line(line)
    for differing in found.differing:
        terminal.line(flat(f"Differs {differing.what}: " + "; ".join(value or "–" for value in differing.values)))


def _run(run: ComparedRun) -> str:
    return flat(
        f"{run.letter}       {run.model_name} ({run.model[:12]}), {run.data_name} ({run.data[:12]}), {run.created}, "
        f"run {run.run_id}: {verdict_of(run).word}"
    )


def _headings(runs: Sequence[ComparedRun]) -> list[str]:
    later = (name for run in runs[1:] for name in (run.letter, *([f"{run.letter} - A"] if run.same_data else [])))
    return ["number", runs[0].letter, *later]


def _row(each: ComparedNumber, runs: Sequence[ComparedRun]) -> list[str]:
    return [flat(each.name), *_cells(each, runs)]


def _cells(each: ComparedNumber, runs: Sequence[ComparedRun]) -> Iterator[str]:
    for place, (value, run) in enumerate(zip(each.values, runs, strict=True)):
        yield _told(value, each.unit)
        if place and run.same_data:
            yield _changed(value, each.unit)


def _told(value: Value, unit: Unit | None) -> str:
    status = "" if value.status is None else BADGES[value.status].word
    return _number(value.estimate, unit, status) if value.estimate else status or "–"


def _changed(value: Value, unit: Unit | None) -> str:
    if value.difference is None or value.reading is None:
        return flat(value.unpaired) or "–"
    return _number(value.difference, difference_unit(unit), READINGS[value.reading].word)


def _number(estimate: Estimate, unit: Unit | None, word: str) -> str:
    """Value and word over the interval."""
    figures = printed(estimate, unit or Unit.SCORE)
    return f"{figures.value} {word}\n{figures.interval}"


def flat(text: str) -> str:
    """One line, whatever names hold: a line break in one of them cannot pass for a line of ours."""
    return " ".join(text.split())
