"""Measurement quality: what each number is about, what it rests on, and how wrong the instrument itself can be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from probes.core.manifest import PlannedStep
from probes.core.records import Accounting, Estimate, Measurement, Skip
from reports.declared import NOT_DECLARED
from reports.limits import Limits
from reports.load import Loaded
from reports.numbers import capital, count, items, part_in_words, plural, spread
from reports.tables import columns, estimated, number, rests_on, row, table, text
from reports.views import Fact, Row, Section, Table

FEW = 30
"""Clusters below which intervals rest on little."""
_OVERLAP = "shift.overlap"
_SCORER = ("scorer_", "judge_", "sensitivity", "specificity")
"""How the names of numbers begin that say how often the instrument itself is wrong."""
_METHODS = 4
"""Ways of making intervals that a cell names."""
_NAMED = 6
"""Tests that a row names."""
_ABOUT = {"population": "items like these", "fixed_set": "exactly these items"}

Found = Sequence[tuple[PlannedStep, Measurement]]


def quality(loaded: Loaded, *, limits: Limits) -> Section:
    """The chapter on measurement quality."""
    found = [(step, record) for step, record in loaded.records() if isinstance(record, Measurement)]
    tables = (_scope(found, limits), _scorers(found, limits), _overlap(found, limits), _few(found, limits))
    return Section(
        lead=_lead(found),
        facts=tuple(_facts(loaded, found)),
        tables=tuple(made for made in tables if made.rows),
    )


def few(found: Iterable[Measurement]) -> int:
    """How many numbers rest on too few independent items."""
    return sum(measurement.estimate.clusters < FEW for measurement in found)


def _lead(found: Found) -> str:
    if not found:
        return "Nothing was measured, so there is no quality to tell of."
    fixed = sum(m.estimate.estimand == "fixed_set" for _, m in found)
    told = [
        f"{plural(len(found), 'number')} in all: {count(len(found) - fixed)} are about items like those tested and "
        f"{count(fixed)} about exactly these items."
    ]
    rest = few(m for _, m in found)
    told.append(
        f"{count(rest)} of them {'rests' if rest == 1 else 'rest'} on fewer than {FEW} independent items."
        if rest
        else f"Each rests on at least {FEW} independent items."
    )
    return " ".join(told)


def _facts(loaded: Loaded, found: Found) -> Iterator[Fact]:
    yield Fact(
        "Effective number of items",
        "Changed versions of one text, and items of one source, are one cluster: they count once. The number of "
        "clusters, not of items, says how much an interval rests on.",
    )
    yield Fact("Errors of scorers", _scorers_told(found))
    yield Fact("Texts in more than one data set", _overlap_told(loaded, found))
    yield Fact("Training data", "Not seen by the tool: whether the model was trained on these items is not known.")
    yield Fact("Like the data in use?", _representative(loaded))
    yield Fact("Repeatability", _repeatability(loaded))


def _scorers_told(found: Found) -> str:
    if any(_is_of_scorer(m) for _, m in found):
        return "In the table below: how often a scorer is wrong, which every number that rests on it inherits."
    return "No test of this run published how often a scorer or a judge is wrong; answers are compared as they are."


def _overlap_told(loaded: Loaded, found: Found) -> str:
    if any(step.probe == _OVERLAP for step, _ in found):
        return "Compared; the shares are in the table below. A text that stands in both is no test of new texts."
    why = next(
        (record.detail for step, record in loaded.records() if step.probe == _OVERLAP and isinstance(record, Skip)), ""
    )
    planned = [skip.skip.detail for skip in loaded.manifest.skips if skip.probe == _OVERLAP]
    return f"Not compared in this run. {why or next(iter(planned), '')}".rstrip()


def _representative(loaded: Loaded) -> str:
    said = loaded.manifest.card.data_representativeness.strip()
    return f"Declared, not checked: {said}" if said else f"{capital(NOT_DECLARED)}: nobody has said so for this run."


def _repeatability(loaded: Loaded) -> str:
    tied = sum(record.tied for _, record in loaded.records() if isinstance(record, Accounting))
    ties = f" {plural(tied, 'answer')} lay on a near tie and counted as unchanged." if tied else ""
    return (
        "The run was made once. The command audit verify recomputes the verdict from what is stored; whether the same "
        f"command gives the same numbers on another machine was not tried here.{ties}"
    )


def _is_of_scorer(measurement: Measurement) -> bool:
    return measurement.name.startswith(_SCORER)


def _scope(found: Found, limits: Limits) -> Table:
    by_step: dict[str, tuple[PlannedStep, list[Estimate]]] = {}
    for step, measurement in found:
        by_step.setdefault(step.step_id, (step, []))[1].append(measurement.estimate)
    alike: dict[tuple[str, ...], list[str]] = {}
    for step, estimates in by_step.values():
        alike.setdefault(_figures(estimates), []).append(step.title)
    names = ("Tests", "Numbers each", "About", "Items", "Independent items", "How intervals were made")
    head = columns(*names, numbers=("Numbers each", "Items", "Independent items"))
    rows = [_scope_row(titles, *figures) for figures, titles in alike.items()]
    note = "Tests with the same figures share a row."
    return table("What the numbers rest on", head, rows, most=limits.rows, what="rows", note=note, wide=True)


def _figures(estimates: Sequence[Estimate]) -> tuple[str, ...]:
    about = dict.fromkeys(_ABOUT[estimate.estimand] for estimate in estimates)
    methods = list(dict.fromkeys(estimate.method for estimate in estimates))
    more = f" and {plural(len(methods) - _METHODS, 'other way', 'other ways')}" if len(methods) > _METHODS else ""
    return (
        count(len(estimates)),
        " and ".join(about),
        spread([estimate.n for estimate in estimates]),
        spread([estimate.clusters for estimate in estimates]),
        "; ".join(methods[:_METHODS]) + more,
    )


def _scope_row(titles: Sequence[str], numbers: str, about: str, sizes: str, clusters: str, methods: str) -> Row:
    more = f"and {plural(len(titles) - _NAMED, 'other test')}" if len(titles) > _NAMED else ""
    told = text(", ".join(titles[:_NAMED]), more)
    return row(told, number(numbers), text(about), number(sizes), number(clusters), text(methods))


def _scorers(found: Found, limits: Limits) -> Table:
    rows = [_number_row(step, m) for step, m in found if _is_of_scorer(m)]
    head = columns("Test", "Number", "Estimate and interval", "Items", numbers=("Estimate and interval", "Items"))
    return table("How often scorers are wrong", head, rows, most=limits.rows, what="numbers")


def _overlap(found: Found, limits: Limits) -> Table:
    rows = [_number_row(step, m) for step, m in found if step.probe == _OVERLAP]
    head = columns("Test", "Number", "Estimate and interval", "Items", numbers=("Estimate and interval", "Items"))
    return table("Texts in more than one data set", head, rows, most=limits.rows, what="numbers")


def _number_row(step: PlannedStep, measurement: Measurement) -> Row:
    return row(
        text(step.title, part_in_words(measurement.slice)),
        text(capital(measurement.title)),
        estimated(measurement.estimate, measurement.unit),
        rests_on(measurement.estimate),
    )


def _few(found: Found, limits: Limits) -> Table:
    small = sorted(
        ((step, m) for step, m in found if m.estimate.clusters < FEW), key=lambda pair: pair[1].estimate.clusters
    )
    head = columns("Test", "Number", "Items", "How the interval was made", numbers=("Items",))
    rows = [
        row(
            text(step.title, part_in_words(m.slice)),
            text(capital(m.title)),
            number(items(m.estimate)),
            text(m.estimate.method),
        )
        for step, m in small
    ]
    return table(
        f"Numbers that rest on fewer than {FEW} independent items",
        head,
        rows,
        most=limits.rows,
        what="numbers",
        note="Their intervals are approximate; the fewest come first." if rows else "",
    )
