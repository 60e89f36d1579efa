"""CSV and TSV, strictly: a row that does not fit is an error with its line, never a shifted or swallowed row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from probes.core.errors import DataError
from probes.data.decoding import read_text
from probes.data.table import Table, column_names

_LONGEST_CELL = 2**31 - 1


def read_delimited(path: Path, *, tabs: bool) -> Table:
    """Read a file whose first row names the columns. An empty cell is a missing value (None).

    Raises:
        DataError: for an unreadable file, a quote that is not closed, or a row with another number of cells.
    """
    text = read_text(path)
    if not text.strip():
        raise DataError(f"{path} is empty", hint="the first row must name the columns, one item per row after it")
    if tabs:
        return _read_tabs(text, path)
    delimiter = _delimiter(text)
    note = f"The columns of {path.name} are separated by {delimiter!r}, not by a comma."
    return _parse(text, path, delimiter=delimiter, notes=() if delimiter == "," else (note,))


def _read_tabs(text: str, path: Path) -> Table:
    """Half of all TSV files quote cells as CSV does; in the others (GLUE among them) quotes are plain characters."""
    note = f"Quotation marks in {path.name} are read as plain characters."
    try:
        plain = _parse(text, path, delimiter="\t", quoting=csv.QUOTE_NONE, notes=(note,) if '"' in text else ())
    except DataError:
        return _parse(text, path, delimiter="\t")
    try:
        quoted = _parse(text, path, delimiter="\t")
    except DataError:
        return plain
    # Fewer rows with quoting: two stray quotes would have swallowed the rows between them.
    return plain if plain.rows > quoted.rows else quoted


def _delimiter(text: str) -> str:
    header = text.lstrip().split("\n", 1)[0]
    if "," in header:
        return ","
    return next((other for other in (";", "\t") if other in header), ",")


def _parse(
    text: str, path: Path, *, delimiter: str, quoting: Literal[0, 3] = csv.QUOTE_MINIMAL, notes: tuple[str, ...] = ()
) -> Table:
    with _long_cells():
        lines = list(_rows(text, path, delimiter=delimiter, quoting=quoting))
    filled = [line for line in lines if line]
    names, rows = column_names(filled[0], where=str(path)), filled[1:]
    position = {name: at for at, name in enumerate(names)}

    def values(name: str) -> list[object]:
        at = position[name]
        return [row[at] or None for row in rows]

    blank = len(lines) - len(filled)
    return Table(
        names=names, rows=len(rows), values=values, dropped={"blank line": blank} if blank else {}, notes=notes
    )


def _rows(text: str, path: Path, *, delimiter: str, quoting: Literal[0, 3]) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, strict=True)
    width = 0
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            what = "a quote is opened and never closed" if "end of data" in str(error) else str(error)
            raise DataError(
                f"{path}, line {line}: {what}", hint='put cells with quotes in quotes and double them: "say ""hi"""'
            ) from None
        width = width or len(row)
        if row and len(row) != width:
            raise DataError(
                f"{path}, line {line}: {len(row)} cells where the first row has {width}",
                hint="put cells that contain the separator or a line break in quotes",
            )
        yield row


@contextmanager
def _long_cells() -> Iterator[None]:
    # The limit of the csv module (128 KiB) is one for the whole process.
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)
