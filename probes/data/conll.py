"""CoNLL files: one word a line with its tag in the last column, a blank line between two sentences."""

from __future__ import annotations

from pathlib import Path

from probes.core.errors import DataError
from probes.data.decoding import read_text
from probes.data.table import Table

WORDS, TAGS = "tokens", "tags"
_DOCUMENT = "-DOCSTART-"


def read_conll(path: Path) -> Table:
    """The first column as words and the last as tags, separated by tabs or blanks; what stands between is left out.

    Lines that begin a document are passed over, and so are comments ("# id = 7") above a sentence.

    Raises:
        DataError: with the line that has no two columns.
    """
    rows: list[tuple[list[str], list[str]]] = []
    words: list[str] = []
    tags: list[str] = []
    columns: set[int] = set()
    for number, line in enumerate([*read_text(path).split("\n"), ""], 1):
        cells = [cell.strip() for cell in line.split("\t")] if "\t" in line.strip() else line.split()
        if words and not any(cells):
            rows.append((words, tags))
            words, tags = [], []
        if not any(cells) or cells[0] == _DOCUMENT or (not words and _is_comment(cells)):
            continue
        if len(cells) < 2 or not cells[0] or not cells[-1]:
            raise DataError(
                f"{path}, line {number}: not a word and its tag",
                hint="each line holds a word and its tag, with a blank line after each sentence",
            )
        columns.add(len(cells))
        words.append(cells[0])
        tags.append(cells[-1])
    if not rows:
        raise DataError(f"{path} is empty", hint="each line holds a word and its tag")
    values = {WORDS: [row[0] for row in rows], TAGS: [row[1] for row in rows]}
    note = f"Of the columns of {path.name} the first was read as words and the last as tags."
    return Table(
        names=(WORDS, TAGS),
        rows=len(rows),
        values=lambda name: list(values[name]),
        notes=(note,) if max(columns) > 2 else (),
    )


def _is_comment(cells: list[str]) -> bool:
    """ "# sent_id = 3", "# id 6ba1 domain=en"; "#" on its own is a word of many tweets."""
    return cells[0] == "#" and len(cells) > 2 and any("=" in cell for cell in cells[1:])
