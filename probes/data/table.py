"""Rows as they were read, before they are examples: columns by name, nothing judged yet."""

from __future__ import annotations

import re
import reprlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from probes.core.errors import DataError

_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Named columns of equal length.

    Attributes:
        names: the columns, in file order, all different.
        rows: how many values each column has.
        values: column name -> its values as Python objects; asked only for the columns that are used.
        classes: column name -> label names, for columns that store labels as positions in a list of names.
        dropped: reason -> lines that were read and are no row, such as blank ones.
        notes: sentences a reader must know about how the file was read.
    """

    names: tuple[str, ...]
    rows: int
    values: Callable[[str], Sequence[object]]
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A table, and what is known of where it comes from."""

    name: str
    table: Table
    split: str | None = None
    splits: tuple[str, ...] = ()
    revision: str | None = None
    licence: str | None = None


def column_names(names: Sequence[str], *, where: str) -> tuple[str, ...]:
    """Names that can be asked for: trimmed, writable, numbered where missing.

    Raises:
        DataError: when two columns have one name.
    """
    found = tuple(writable(name.strip()) or f"(column {at})" for at, name in enumerate(names, 1))
    twice = [name for name, count in Counter(found).items() if count > 1]
    if twice:
        raise DataError(
            f"{where} has more than one column called {twice[0]!r}", hint="rename one of them in the first row"
        )
    return found


def joined(tables: Sequence[Table], *, where: str) -> Table:
    """The rows of several files of one split, one after the other.

    Raises:
        DataError: when their columns differ.
    """
    first = tables[0]
    if len(tables) == 1:
        return first
    if any(set(table.names) != set(first.names) or table.classes != first.classes for table in tables):
        raise DataError(f"the files of {where} do not have the same columns", hint="pass one of the files instead")
    dropped: Counter[str] = Counter()
    for table in tables:
        dropped.update(table.dropped)
    return Table(
        names=first.names,
        rows=sum(table.rows for table in tables),
        values=lambda name: [value for table in tables for value in table.values(name)],
        classes=first.classes,
        dropped=dropped,
        notes=tuple(dict.fromkeys(note for table in tables for note in table.notes)),
    )


def writable(text: str) -> str:
    """The text with NUL and lone surrogates replaced by U+FFFD, so that JSON, UTF-8 and Parquet can hold it."""
    return _UNWRITABLE.sub("\ufffd", text)


def shown(values: Sequence[object], *, most: int = 12) -> str:
    """A list for an error message: quoted, cut to `most` entries of about 60 characters, safe to print."""
    rest = len(values) - most
    return ", ".join(_SHORT.repr(value) for value in values[:most]) + (f" and {rest} more" if rest > 0 else "")
