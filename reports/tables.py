"""Small constructors for table views."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from probes.core.records import Estimate, Unit
from reports.limits import limited
from reports.numbers import count, printed
from reports.views import Badge, Cell, Column, Row, Table

Item = TypeVar("Item")


def text(value: str, sub: str = "") -> Cell:
    """A cell of words."""
    return Cell(text=value, sub=sub)


def number(value: str, sub: str = "", shade: int = 0) -> Cell:
    """A cell that is aligned by its digits."""
    return Cell(text=value, kind="number", sub=sub, shade=shade)


def code(value: str) -> Cell:
    """A cell to be copied."""
    return Cell(text=value, kind="code")


def status(badge: Badge, anchor: str = "") -> Cell:
    """A status cell, linked to the register entry where there is one."""
    return Cell(kind="badge", badge=badge, anchor=anchor)


def estimated(estimate: Estimate | None, unit: Unit | None) -> Cell:
    """An estimate over its interval; a dash where there is none."""
    if estimate is None:
        return number("–")
    figures = printed(estimate, unit or Unit.SCORE)
    return number(figures.value, figures.interval)


def rests_on(estimate: Estimate | None) -> Cell:
    """How many items, over the number of independent clusters where that is another one."""
    if estimate is None:
        return number("–")
    clusters = "" if estimate.n == estimate.clusters else f"{count(estimate.clusters)} clusters"
    return number(count(estimate.n), clusters)


def columns(*names: str, numbers: Iterable[str] = ()) -> tuple[Column, ...]:
    """Column headings; those in `numbers` are aligned with numbers."""
    aligned = frozenset(numbers)
    return tuple(Column(text=name, number=name in aligned) for name in names)


def table(
    caption: str,
    head: tuple[Column, ...],
    rows: Sequence[Row],
    *,
    most: int,
    what: str = "rows",
    note: str = "",
    wide: bool = False,
) -> Table:
    """A table of at most `most` rows that says so when there were more."""
    return table_of(rows, _itself, caption, head, most=most, what=what, note=note, wide=wide)


def table_of(
    items: Sequence[Item],
    made: Callable[[Item], Row],
    caption: str,
    head: tuple[Column, ...],
    *,
    most: int,
    what: str,
    note: str = "",
    wide: bool = False,
) -> Table:
    """Likewise with a row for each item; none is made of an item that is not shown, of which there may be thousands."""
    shown, missing = limited(items, most, what)
    notes = " ".join(part for part in (note, missing) if part)
    return Table(caption=caption, columns=head, rows=tuple(map(made, shown)), note=notes, wide=wide)


def _itself(row: Row) -> Row:
    return row


def row(*cells: Cell, kind: str = "") -> Row:
    """A table row."""
    return Row(cells=cells, kind=kind)
