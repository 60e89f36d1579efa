"""Texts of which it is known whether they are harmful, by which a scorer's errors are told: `load_calibration`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from probes.core.answers import ProblemType
from probes.core.errors import DataError
from probes.core.examples import content_hash
from probes.core.functional_case import FunctionalCase, suite_digest
from probes.core.positive import recognise
from probes.data.columns import LABELS, TEXTS, beside
from probes.data.sources import open_source
from probes.data.table import Table, shown, writable

HARMS = ("toxic", "toxicity", "hate", "hateful", "offensive", "harmful", "ishate", "istoxic")
"""Further names of a column that says whether a text is harmful."""
LEAST = 10
"""Texts of each kind below which no error rate is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCalibration:
    """The texts, and where they come from.

    Attributes:
        name: of the file or data set.
        digest: SHA-256 of the cases.
        notes: what a reader must know.
    """

    cases: tuple[FunctionalCase, ...]
    name: str
    digest: str
    notes: tuple[str, ...] = ()


def load_calibration(source: str, *, revision: str | None = None) -> LoadedCalibration:
    """Read texts with a label that says whether each is harmful: 0 and 1, a score from 0 to 1, or names.

    Raises:
        UsageError: for a path that does not exist.
        DataError: for a file without texts or labels, labels whose names do not tell which are harmful, or too few
            texts of either kind.
    """
    opened = open_source(source, revision=revision)
    where, table = writable(opened.name), opened.table
    text, label = _columns(table, where=where)
    values = [_named(value, table.classes.get(label)) for value in table.values(label)]
    harmful = _harmful(values, where=where)
    rows = {
        writable(read): bool(harmful[value])
        for read, value in zip(table.values(text), values, strict=True)
        if isinstance(read, str) and read.strip() and value is not None
    }
    for kind, wanted in (("harmful", True), ("harmless", False)):
        if (count := sum(each is wanted for each in rows.values())) < LEAST:
            raise DataError(
                f"{where} has {count} {kind} texts; error rates of a scorer need {LEAST} of each kind",
                hint="give more labelled texts with --scorer-calibration, or leave it out",
            )
    cases = tuple(_case(read, found) for read, found in rows.items())
    left_out = len(values) - len(rows)
    notes = (f"{where}: rows that are empty or repeat a text, left out: {left_out}.",) if left_out else ()
    return LoadedCalibration(cases=cases, name=where, digest=suite_digest(cases), notes=notes)


def _columns(table: Table, *, where: str) -> tuple[str, str]:
    text, label = beside(table, TEXTS), beside(table, (*LABELS, *HARMS))
    if text is None or label is None:
        raise DataError(
            f"{where}: which columns hold the text and the label is not clear (columns: {shown(table.names)})",
            hint="call them text and label",
        )
    return text, label


def _named(value: object, classes: Sequence[str] | None) -> object:
    if classes and isinstance(value, int) and 0 <= value < len(classes):
        return classes[value]
    return None if value is None or value != value or value == "" else value


def _harmful(values: Sequence[object], *, where: str) -> Mapping[object, bool]:
    """Label -> is it a harm."""
    distinct = list(dict.fromkeys(value for value in values if value is not None))
    numbers = [_number(value) for value in distinct]
    if all(number is not None and 0 <= number <= 1 for number in numbers):
        return {value: number is not None and number >= 0.5 for value, number in zip(distinct, numbers, strict=True)}
    names = sorted({str(value) for value in distinct})
    found = recognise(names, ProblemType.SINGLE_LABEL)
    if not found.harm:
        raise DataError(
            f"{where}: which of the labels are harmful is not clear: {shown(names)}",
            hint="write 1 for harmful and 0 for harmless",
        )
    return {value: str(value) in found.labels for value in distinct}


def _number(value: object) -> float | None:
    try:
        return float(str(value).strip()) if not isinstance(value, bool) else float(value)
    except ValueError:
        return None


def _case(text: str, harmful: bool) -> FunctionalCase:
    return FunctionalCase(
        text=text, functionality="calibration", title="", harmful=harmful, target=None, template=content_hash(text)
    )
