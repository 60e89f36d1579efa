"""Rows to examples, with a reason counted for every row that is not used."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from probes.core.errors import DataError
from probes.core.examples import Example, Text
from probes.data.cells import Golds
from probes.data.columns import Roles
from probes.data.table import Table, shown, writable
from probes.data.tagged import Unusable, sentences

LONGEST_TEXT = 1_000_000
"""Characters; a longer text is a mistake in the data rather than something a classifier is asked."""
MANY_GROUPS = 50

NO_TEXT = "no text"
EMPTY = "empty text"
NOT_TEXT = "text is not a string"
TOO_LONG = f"longer than {LONGEST_TEXT:,} characters"
DUPLICATE = "exact duplicate"
MISSING_GROUP = "(missing)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """Examples in file order, and what happened to the rows that are not among them."""

    examples: tuple[Example, ...]
    dropped: Mapping[str, int]
    notes: tuple[str, ...]


def text_columns(table: Table, roles: Roles, *, words: bool = False, where: str) -> list[Sequence[object]]:
    """The one or two columns of texts; with `words` lists of words are texts too.

    Raises:
        DataError: when one of them holds no texts at all.
    """
    columns = [sentences(table.values(name)) if words else table.values(name) for name in roles.text]
    for name, column in zip(roles.text, columns, strict=True):
        _check_texts(name, column, table, where)
    return columns


def build(
    table: Table,
    roles: Roles,
    texts: Sequence[Sequence[object]],
    golds: Golds,
    *,
    clusters: Sequence[object] | None = None,
    where: str,
) -> Built:
    """Turn every usable row into an example.

    Args:
        clusters: what is not independent where the user names no column of it; by default equal texts.

    Raises:
        DataError: when no row is usable.
    """
    groups = {name: [_group(value, name, where) for value in table.values(name)] for name in roles.groups}
    clusters = table.values(roles.cluster) if roles.cluster else clusters or [None] * table.rows
    dropped: Counter[str] = Counter(table.dropped)
    found: dict[str, Example] = {}
    replaced = 0
    for row, parts in enumerate(zip(*texts, strict=True)):
        reason = _problem(parts) or golds.dropped.get(row)
        if reason is None:
            text, changed = _text(parts)
            example = Example.of(
                text,
                gold=golds.values[row],
                groups={name: values[row] for name, values in groups.items()},
                cluster=_cluster(clusters[row]),
            )
            reason = DUPLICATE if example.id in found else None
            replaced += changed and reason is None
            found.setdefault(example.id, example)
        if reason is not None:
            dropped[reason] += 1
    examples = tuple(found.values())
    if not examples:
        raise _nothing_left(table, dropped, where)
    return Built(examples=examples, dropped=dropped, notes=_notes(examples, replaced, roles))


def _check_texts(name: str, column: Sequence[object], table: Table, where: str) -> None:
    kinds = {type(value).__name__ for value in column if not _is_missing(value) and not isinstance(value, Unusable)}
    if kinds and "str" not in kinds:
        raise DataError(
            f"{where}: column {name!r} holds no text but {' and '.join(sorted(kinds))} values",
            hint=f"name the text column with --text-column; the columns are {shown(table.names)}",
        )


def _problem(parts: Sequence[object]) -> str | None:
    for part in parts:
        if _is_missing(part):
            return NO_TEXT
        if isinstance(part, Unusable):
            return part.reason
        if not isinstance(part, str):
            return NOT_TEXT
        if not part.strip():
            return EMPTY
        if len(part) > LONGEST_TEXT:
            return TOO_LONG
    return None


def _text(parts: Sequence[object]) -> tuple[Text, bool]:
    clean = [writable(str(part)) for part in parts]
    changed = any(new != old for new, old in zip(clean, parts, strict=True))
    return (clean[0] if len(clean) == 1 else (clean[0], clean[1])), changed


def _group(value: object, column: str, where: str) -> str:
    if _is_missing(value) or value == "":
        return MISSING_GROUP
    if isinstance(value, list | dict):
        raise DataError(
            f"{where}: column {column!r} holds {shown([value])}", hint="groups need one value for each item"
        )
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return writable(str(value)).strip() or MISSING_GROUP


def _cluster(value: object) -> str | None:
    return None if _is_missing(value) or value == "" else writable(str(value))


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _nothing_left(table: Table, dropped: Mapping[str, int], where: str) -> DataError:
    reasons = ", ".join(f"{count} x {reason}" for reason, count in dropped.items()) or "it has none"
    return DataError(f"no usable row in {where}: {reasons}", hint=f"the columns are {shown(table.names)}")


def _notes(examples: Sequence[Example], replaced: int, roles: Roles) -> tuple[str, ...]:
    notes = []
    if replaced:
        notes.append(f"Texts in which NUL or lone surrogates were replaced by U+FFFD: {replaced}.")
    if clashing := _clashes(examples):
        notes.append(f"Texts that occur with different labels, all kept: {clashing}.")
    unlabelled = sum(example.gold is None for example in examples)
    if roles.labels and unlabelled:
        notes.append(f"Items without a label: {unlabelled} of {len(examples)}.")
    if sum(example.text.isdecimal() for example in examples if isinstance(example.text, str)) == len(examples):
        notes.append("Every text is a number: check that the text column is the right one.")
    for name in roles.groups:
        different = len({example.groups[name] for example in examples})
        if different > MANY_GROUPS:
            notes.append(f"Column {name!r} has {different} different values: most groups will be too small to judge.")
    return tuple(notes)


def _clashes(examples: Sequence[Example]) -> int:
    labels: dict[Text, set[object]] = defaultdict(set)
    for example in examples:
        if example.gold is not None:
            labels[example.text].add(example.gold)
    return sum(len(found) > 1 for found in labels.values())
