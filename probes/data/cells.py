"""Cells of a label column: what each says, as the text by which it is looked up among the model's labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from probes.core.errors import DataError
from probes.core.examples import Gold
from probes.data.label_names import LabelNames
from probes.data.table import shown, writable

MAPPED_AWAY = "left out by --label-map"


@dataclass(frozen=True, slots=True, kw_only=True)
class Golds:
    """One gold answer per row; `dropped` holds the rows that cannot be used, with the reason."""

    values: Sequence[Gold]
    dropped: Mapping[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def cell_members(value: object) -> list[object] | None:
    """The values of a cell that may hold several; None where it holds nothing."""
    if isinstance(value, list):
        return value
    return None if is_missing(value) else [value]


def cell_reader(names: LabelNames, column: str) -> Callable[[object], str | None]:
    """One cell to the text by which it is looked up, or None where it says nothing."""

    def read(value: object) -> str | None:
        if is_missing(value):
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and names.stored:
            return _stored(value, names, column)
        if not isinstance(value, str | int | float):
            raise DataError(
                f"{names.where}: column {column!r} holds {shown([value])}, which is no label",
                hint="name the column of labels with --label-column; lists of labels fit multi-label models only",
            )
        text = writable(str(value)).strip()
        if not text or text in names.model:
            return text or None
        return _as_whole_number(text)

    return read


def _stored(value: int, names: LabelNames, column: str) -> str | None:
    if value == -1:
        return None
    if 0 <= value < len(names.stored):
        return names.stored[value]
    raise DataError(
        f"{names.where}: column {column!r} holds {value}, but the data names only {len(names.stored)} labels",
        hint="correct the data's label names, or store the labels as text",
    )


def _as_whole_number(text: str) -> str:
    # A column of integers with gaps is written as "1.0" by most tools.
    whole = text.removesuffix(".0")
    return whole if whole.lstrip("-").isdecimal() else text


def is_missing(value: object) -> bool:
    """Does the cell say nothing."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))
