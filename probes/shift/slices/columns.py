"""Which column says when an item is from, and which where it is from: as the user says, or by its name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from probes.core.answers import Floats
from probes.core.counts import plural
from probes.core.examples import NO_VALUE, Example
from probes.core.groups import group_columns, group_values
from probes.core.records import Skip, SkipReason
from probes.core.stats.clusters import FEW
from probes.shift.slices.parts import Part, values
from probes.shift.slices.timeline import UnreadableError, instants, moments, periods

TIMES = ("date", "timestamp", "datetime", "time", "createdat", "publishedat", "year", "month")
SOURCES = ("source", "domain", "origin", "channel", "site", "publisher")
"""Names by which a column is recognised, in small letters and without signs; the first of the list wins."""


@dataclass(frozen=True)
class Columns:
    """The group columns of the data by what they are used for.

    Attributes:
        time, source: empty where there is none.
        others: the remaining ones.
        notes: what the reader is told about the choice.
        skips: what the user asked for and cannot have.
    """

    time: str = ""
    source: str = ""
    others: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    skips: tuple[Skip, ...] = ()

    @classmethod
    def of(cls, examples: Sequence[Example], *, time: str, source: str) -> Columns:
        """Those named, or else those recognised by their names."""
        there = group_columns(examples)
        skips = tuple(_absent(name, there) for name in dict.fromkeys((time, source)) if name and name not in there)
        chosen = {"time": time or _recognised(there, TIMES), "source": source or _recognised(there, SOURCES)}
        used = {use: name for use, name in chosen.items() if name in there}
        how = {"time": time, "source": source}
        notes = [
            f"column {name!r} is read as the {use} of a text" + ("" if how[use] else ", because of its name")
            for use, name in used.items()
        ]
        others = tuple(column for column in there if column not in used.values())
        return cls(used.get("time", ""), used.get("source", ""), others, tuple(notes), skips)


@dataclass(frozen=True)
class Divided:
    """What the columns make of n items.

    Attributes:
        parts: by column, then by value.
        at: (n,) from 0, the first moment, to 1, the last one; NaN where it is not known.
        notes, skips: as in `Columns`, with what was found in the values.
    """

    parts: tuple[Part, ...]
    at: Floats
    notes: tuple[str, ...]
    skips: tuple[Skip, ...]


def divided(examples: Sequence[Example], columns: Columns) -> Divided:
    """Periods of the time column and values of all other columns."""
    parts: list[Part] = []
    notes, skips = list(columns.notes), list(columns.skips)
    at: Floats = np.full(len(examples), np.nan)
    plain = [column for column in (columns.source, *columns.others) if column]
    if columns.time:
        found = _values(examples, columns.time)
        try:
            known = moments(found)
        except UnreadableError as error:
            skips.append(_unreadable(columns.time, str(error)))
            plain.insert(0, columns.time)
        else:
            at = instants(known)
            parts += values(columns.time, periods(known))[0]
            notes += _unknown(columns.time, sum(moment is None for moment in known))
    for column in plain:
        found = _values(examples, column)
        of_column, further = values(column, found)
        notes += _unknown(column, found.count(""))
        if further and not any(part.holds.sum() >= FEW for part in of_column):
            skips.append(_scattered(column, len(of_column) + further))
            continue
        parts += of_column
        if further:
            notes.append(f"{further} rarer values of column {column!r} are not compared")
    return Divided(tuple(parts), at, tuple(notes), tuple(skips))


def _values(examples: Sequence[Example], column: str) -> list[str]:
    """(n,) values, empty where there is none."""
    return ["" if value in NO_VALUE else value for value in group_values(examples, column)]


def _recognised(there: Sequence[str], names: Sequence[str]) -> str:
    keys = {re.sub(r"[\W_]+", "", column.casefold()): column for column in reversed(there)}
    return next((keys[name] for name in names if name in keys), "")


def _unknown(column: str, count: int) -> Iterator[str]:
    if count:
        yield f"{plural(count, 'text has', 'texts have')} no value in column {column!r} that can be used"


def _absent(name: str, there: Sequence[str]) -> Skip:
    known = f"The columns are {', '.join(there)}." if there else "There are no group columns."
    return Skip(
        reason=SkipReason.NO_GROUPS,
        detail=f"The data have no group column {name!r}. {known}",
        enable=f"give it with --group-column {name}",
        name="accuracy_lost",
    )


def _scattered(column: str, different: int) -> Skip:
    return Skip(
        reason=SkipReason.TOO_FEW,
        detail=f"Column {column!r} has {different} different values, none of which {FEW} labelled texts share.",
        enable="give a column with fewer values, or more labelled items",
        name="accuracy_lost",
        slice={"part": column},
    )


def _unreadable(column: str, why: str) -> Skip:
    return Skip(
        reason=SkipReason.UNDEFINED,
        detail=f"Column {column!r} gives no order in time: {why}. Its values are compared like those of other columns.",
        enable="write dates like 2026-03-14, or name another column with the parameter time",
        name="trend",
    )
