"""The label column to gold answers in the model's own terms: a name, a set of names, or a score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from probes.core.answers import ProblemType
from probes.core.errors import DataError, UsageError
from probes.core.examples import Gold
from probes.core.model import ModelCard
from probes.data.cells import MAPPED_AWAY, Golds, cell_members, cell_reader, is_missing
from probes.data.columns import Roles, beside
from probes.data.label_names import DROP, LabelNames
from probes.data.squad import IMPOSSIBLE, read_answers
from probes.data.table import Table, shown
from probes.data.tagged import read_tags, sentences

NOT_FINITE = "label is not a finite number"


def read_golds(table: Table, roles: Roles, *, card: ModelCard, label_map: Mapping[str, str], where: str) -> Golds:
    """Gold answers of all rows; None where the data has none.

    Raises:
        UsageError: for a label map where there is no column of label names to map.
        DataError: for labels that do not fit the model.
    """
    unnamed = (ProblemType.REGRESSION, ProblemType.SPAN)
    if label_map and (len(roles.labels) != 1 or card.problem in unnamed):
        raise UsageError(
            f"{where} has no column of label names for --label-map",
            hint="name it with --label-column, or leave the map out",
        )
    if not roles.labels:
        return Golds(values=[None] * table.rows)
    if card.problem is ProblemType.REGRESSION:
        return _scores(table.values(roles.labels[0]), column=roles.labels[0], where=where)
    if card.problem is ProblemType.SPAN:
        flags = beside(table, IMPOSSIBLE)
        return read_answers(
            table.values(roles.labels[0]),
            table.values(roles.text[1]),
            table.values(flags) if flags else None,
            column=roles.labels[0],
            where=where,
        )
    if len(roles.labels) > 1:
        return _indicators(table, roles.labels, card=card, where=where)
    column = roles.labels[0]
    raw = table.values(column)
    stored = table.classes.get(column, ())
    names = LabelNames(model=card.labels, stored=stored, label_map=label_map, where=where)
    if roles.label_names is not None and not names.is_generic:
        raw = _spelled(raw, table.values(roles.label_names))
    if card.problem is ProblemType.TOKEN:
        return read_tags(raw, sentences(table.values(roles.text[0])), names, column=column)
    read = _sets if card.problem is ProblemType.MULTI_LABEL else _singles
    return read(raw, names, column)


def _singles(raw: Sequence[object], names: LabelNames, column: str) -> Golds:
    value_of = cell_reader(names, column)
    values = [value_of(value) for value in raw]
    translation = names.translate(value for value in values if value is not None)
    golds = [None if value is None else translation.names[value] for value in values]
    dropped = {row: MAPPED_AWAY for row, gold in enumerate(golds) if gold == DROP and values[row] in names.label_map}
    return Golds(values=golds, dropped=dropped, notes=translation.notes)


def _sets(raw: Sequence[object], names: LabelNames, column: str) -> Golds:
    value_of = cell_reader(names, column)
    lists = [cell_members(value) for value in _from_indicators(raw, names, column)]
    sets = [None if members is None else [value_of(member) for member in members] for members in lists]
    translation = names.translate(value for members in sets if members for value in members if value is not None)
    golds: list[Gold] = []
    dropped = {}
    for row, members in enumerate(sets):
        found = {translation.names[value] if value is not None else None for value in members or ()}
        if any(value is not None and names.label_map.get(value) == DROP for value in members or ()):
            dropped[row] = MAPPED_AWAY
        known = members is not None and None not in found
        golds.append(tuple(label for label in names.model if label in found) if known else None)
    return Golds(values=golds, dropped=dropped, notes=translation.notes)


def _from_indicators(raw: Sequence[object], names: LabelNames, column: str) -> Sequence[object]:
    """Lists of one 0/1 per label, the form in which multi-label models are trained, to lists of positions."""
    lists = [value for value in raw if isinstance(value, list)]
    width = len(names.model)
    if not lists or not all(len(one) == width and all(_is_bit(bit) for bit in one) for one in lists):
        return raw
    certain = width > 2 or any(one[0] == one[-1] or isinstance(one[0], float) for one in lists)
    if not certain:
        raise DataError(
            f"{names.where}: column {column!r} may hold label numbers or one 0/1 for each of the {width} labels",
            hint="write the label names into the lists instead",
        )
    return [
        [names.model[at] for at, bit in enumerate(value) if bit] if isinstance(value, list) else value for value in raw
    ]


def _is_bit(value: object) -> bool:
    return isinstance(value, int | float) and value in (0, 1)


def _indicators(table: Table, columns: Sequence[str], *, card: ModelCard, where: str) -> Golds:
    read = [[_bit(value, column, where) for value in table.values(column)] for column in columns]
    golds: list[Gold] = [
        None if None in bits else tuple(label for label, bit in zip(card.labels, bits, strict=True) if bit)
        for bits in zip(*read, strict=True)
    ]
    return Golds(values=golds)


def _bit(value: object, column: str, where: str) -> bool | None:
    if is_missing(value):
        return None
    text = str(value).casefold().removesuffix(".0")
    if text == "-1":  # the public toxicity sets mark unscored test rows so
        return None
    if text not in ("0", "1", "true", "false"):
        raise DataError(
            f"{where}: column {column!r} is read as one of the model's labels, but holds {shown([value])}",
            hint="label columns hold 0 or 1; or name one column of label names with --label-column",
        )
    return text in ("1", "true")


def _scores(raw: Sequence[object], *, column: str, where: str) -> Golds:
    golds: list[Gold] = []
    dropped = {}
    for row, value in enumerate(raw):
        try:
            gold = None if value is None or value == "" else float(value)  # type: ignore[arg-type]  # what is no number is told
        except (TypeError, ValueError, OverflowError):
            raise DataError(
                f"{where}: column {column!r} should hold scores, but holds {shown([value])}",
                hint="the model is a regression; name a column of numbers with --label-column",
            ) from None
        if gold is not None and not math.isfinite(gold):
            dropped[row] = NOT_FINITE
        golds.append(gold)
    return Golds(values=golds, dropped=dropped)


def _spelled(raw: Sequence[object], spelled: Sequence[object]) -> Sequence[object]:
    """Replace numbers by the names a second column gives them, if every number has exactly one name and the reverse."""
    pairs = {
        (str(number), str(name))
        for number, name in zip(raw, spelled, strict=True)
        if not is_missing(number) and not is_missing(name)
    }
    numbers, names = {number for number, _ in pairs}, {name for _, name in pairs}
    if not len(pairs) == len(numbers) == len(names) or not all(number.isdecimal() for number in numbers):
        return raw
    name_of = dict(pairs)
    return [value if is_missing(value) else name_of.get(str(value), value) for value in raw]
