"""JSON lines, and the shapes in which one JSON document holds a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from probes.core.errors import DataError
from probes.data.decoding import read_text
from probes.data.squad import nested_rows
from probes.data.table import Table, column_names, writable

Row = Mapping[str, object]


def read_json(path: Path, *, lines: bool) -> Table:
    """Read one object per line, or one document: a list of objects, or an object of columns.

    Raises:
        DataError: with the line of the first thing that is no JSON or no object.
    """
    text = read_text(path)
    if not text.strip():
        raise DataError(f"{path} is empty", hint='each line must be an object such as {"text": "...", "label": "..."}')
    if lines and not text.lstrip().startswith("["):
        return _read_lines(text, path)
    return _read_document(text, path)


def _read_lines(text: str, path: Path) -> Table:
    rows: list[Row] = []
    blank = 0
    # Split at "\n" alone: texts may hold U+2028 and other characters that splitlines() would break at.
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        if not line.strip():
            blank += 1
            continue
        row = _loads(line, path, line_number=number)
        if not isinstance(row, dict):
            raise _no_object(path, f"line {number}")
        rows.append(row)
    return _table(rows, path, dropped={"blank line": blank} if blank else {})


def _read_document(text: str, path: Path) -> Table:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        if text.lstrip().startswith("{") and error.msg == "Extra data":
            return _read_lines(text, path)
        raise _bad_json(path, error.lineno, error.msg) from None
    except (ValueError, RecursionError) as error:
        raise _bad_json(path, 1, str(error)) from None
    return _table(_document_rows(document, path), path)


def _document_rows(document: object, path: Path) -> Sequence[Row]:
    if (questions := nested_rows(document)) is not None:
        return questions
    if isinstance(document, dict):
        cells = list(document.values())
        if len(cells) == 1 and isinstance(cells[0], list) and all(isinstance(row, dict) for row in cells[0]):
            return cells[0]
        if cells and all(isinstance(column, dict) for column in cells):
            keys = list(cells[0])
            return [{name: column.get(key) for name, column in document.items()} for key in keys]
        if cells and all(isinstance(column, list) and len(column) == len(cells[0]) for column in cells):
            return [dict(zip(document, row, strict=True)) for row in zip(*cells, strict=True)]
        return [document]
    if not isinstance(document, list):
        raise _no_object(path, "the document")
    for number, row in enumerate(document, 1):
        if not isinstance(row, dict):
            raise _no_object(path, f"entry {number}")
    return document


def _table(rows: Sequence[Row], path: Path, *, dropped: Mapping[str, int] | None = None) -> Table:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    names = column_names(keys, where=str(path))
    key_of = dict(zip(names, keys, strict=True))
    return Table(
        names=names,
        rows=len(rows),
        values=lambda name: [row.get(key_of[name]) for row in rows],
        dropped=dropped or {},
    )


def _loads(line: str, path: Path, *, line_number: int) -> object:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise _bad_json(path, line_number, error.msg) from None
    except (ValueError, RecursionError) as error:
        raise _bad_json(path, line_number, str(error)) from None


def _bad_json(path: Path, line: int, reason: str) -> DataError:
    return DataError(f"{path}, line {line}: not JSON ({writable(reason)})", hint="correct or remove this line")


def _no_object(path: Path, place: str) -> DataError:
    return DataError(
        f"{path}, {place}: not an object with named values", hint='use {"text": "...", "label": "..."} for every item'
    )
