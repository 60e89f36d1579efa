"""Widths of table columns on paper, from the lengths of their texts.

WeasyPrint finds the widths of a table without given ones by breaking every cell into lines, twice and more; that took
most of the time of a PDF. The widths here are an estimate in characters, which costs a pass over the texts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from xml.etree.ElementTree import Element, SubElement

_LONGEST = 60
"""Characters of a text beyond which a column gets no wider for it."""
_LEAST = 5
_ACROSS = 130
"""Characters of a table's text that fit on a line of paper."""
_WORD = 22
"""Characters of a word beyond which it is broken."""
_PADDING = 3
"""Between columns, in characters."""


def fix_columns(root: Element) -> None:
    """Give every table of a page the widths of its columns."""
    for table in list(root.iter("table")):
        head = table.find("thead/tr")
        if head is not None and table.find("colgroup") is None:
            rows = [list(row) for row in (head, *table.findall("tbody/tr"))]
            lines = [[_lines(cell) for cell in row] for row in rows if len(row) == len(rows[0])]
            numbers = {place for place, cell in enumerate(rows[0]) if "n" in cell.get("class", "").split()}
            _fix(table, widths(lines, numbers=numbers))


def widths(rows: Sequence[Sequence[Sequence[str]]], *, numbers: Collection[int] = ()) -> list[float]:
    """Shares of the width in percent, one for each column.

    Each column gets what its longest word needs, and what is left by how much more its longest line would like.

    Args:
        rows: of cells, of lines; all rows of one length, the first one the heading.
        numbers: places of columns whose lines are not broken where that can be helped, but for the heading.
    """
    columns = list(zip(*rows, strict=True))
    least = [max((_words(line) for cell in column for line in cell), default=0) for column in columns]
    for place in numbers:
        least[place] = max([least[place], *(len(line) for cell in columns[place][1:] for line in cell)])
    wanted = [max((min(len(line), _LONGEST) for cell in column for line in cell), default=0) for column in columns]
    least = [max(_LEAST, min(each, _WORD)) + _PADDING for each in least]
    more = [max(0, want + _PADDING - need) for want, need in zip(wanted, least, strict=True)]
    room = max(0, _ACROSS - sum(least))
    share = min(1.0, room / sum(more)) if sum(more) else 0.0
    given = [need + share * extra for need, extra in zip(least, more, strict=True)]
    return [100 * each / sum(given) for each in given]


def _words(line: str) -> int:
    return max(map(len, line.split()), default=0)


def _lines(cell: Element) -> list[str]:
    """The text of a cell, and that of its quieter second line."""
    small = cell.find("small")
    below = "" if small is None else "".join(small.itertext())
    whole = "".join(cell.itertext())
    return [whole[: len(whole) - len(below)], below]


def _fix(table: Element, shares: Sequence[float]) -> None:
    table.set("style", "table-layout: fixed")
    columns = Element("colgroup")
    for share in shares:
        SubElement(columns, "col", {"style": f"width: {share:.2f}%"})
    caption = table.find("caption")
    table.insert(0 if caption is None else list(table).index(caption) + 1, columns)
