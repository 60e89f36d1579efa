"""Sentences for taggers: lists of words to one text, and lists of tags to tags in the model's own terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from probes.core.errors import DataError
from probes.core.examples import Gold
from probes.data.cells import MAPPED_AWAY, Golds, cell_members, cell_reader
from probes.data.label_names import DROP, LabelNames
from probes.data.table import shown

BAD_WORDS = "a word is no text, empty, or holds a blank"
DIFFERENT_LENGTHS = "not one tag for each word"


@dataclass(frozen=True, slots=True)
class Unusable:
    """A cell that cannot be made a text, and why."""

    reason: str


def sentences(column: Sequence[object]) -> list[object]:
    """Texts whose words are separated by single blanks, of lists of words or of plain texts."""
    return [_sentence(value) for value in column]


def _sentence(value: object) -> object:
    if isinstance(value, str):
        return " ".join(value.split())
    if not isinstance(value, list) or not value:
        return value
    words = [word for word in value if isinstance(word, str) and word.split() == [word]]
    return " ".join(words) if len(words) == len(value) else Unusable(BAD_WORDS)


def read_tags(raw: Sequence[object], texts: Sequence[object], names: LabelNames, *, column: str) -> Golds:
    """A tag of the model for each word; None for rows without tags, or with a tag that says "not labelled".

    Raises:
        DataError: for cells that are no lists, and for tags that do not fit the model.
    """
    value_of = cell_reader(names, column)
    _require_lists(raw, names, column)
    rows = [None if (tags := cell_members(value)) is None else [value_of(tag) for tag in tags] for value in raw]
    translation = names.translate(tag for row in rows for tag in row or () if tag is not None)
    golds: list[Gold] = []
    dropped = {}
    for place, (row, text) in enumerate(zip(rows, texts, strict=True)):
        found = [None if tag is None else translation.names[tag] for tag in row or ()]
        if any(tag is not None and names.label_map.get(tag) == DROP for tag in row or ()):
            dropped[place] = MAPPED_AWAY
        elif row is not None and isinstance(text, str) and len(row) != len(text.split()):
            dropped[place] = DIFFERENT_LENGTHS
        known = [tag for tag in found if tag is not None]
        golds.append(tuple(known) if known and len(known) == len(found) else None)
    return Golds(values=golds, dropped=dropped, notes=translation.notes)


def _require_lists(raw: Sequence[object], names: LabelNames, column: str) -> None:
    other = [value for value in raw if value is not None and not isinstance(value, list)]
    if other:
        raise DataError(
            f"{names.where}: column {column!r} holds {shown(other[:1])}, and not one tag for each word",
            hint="the model labels words: name a column of lists of tags with --label-column",
        )
