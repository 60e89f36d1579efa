"""The words and names that tests worked with: each list once, with its source and the tests that used it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from probes.core.records import Record, WordList
from reports.limits import Limits, limited
from reports.load import Loaded
from reports.numbers import capital, count
from reports.tables import columns, row, table, text
from reports.views import Cell, Fact, Table

SECTION = "Words and names used"
_BETWEEN = "; "


def word_tables(loaded: Loaded, *, limits: Limits) -> tuple[tuple[Table, ...], str]:
    """One table for each list in the order of the plan, and a note on those left out."""
    users: dict[str, list[str]] = {}
    lists: dict[str, WordList] = {}
    for step, record in loaded.records():
        if isinstance(record, WordList):
            content = record.model_dump_json()
            lists[content] = record
            users.setdefault(content, []).append(step.title)
    shown, note = limited(list(lists), limits.chapters, "lists")
    return tuple(_table(lists[content], users[content], limits) for content in shown), note


def words_fact(records: Iterable[Record]) -> tuple[Fact, ...]:
    """Names the lists of a step for its chapter; nothing where it has none."""
    titles = dict.fromkeys(record.title for record in records if isinstance(record, WordList))
    return (Fact("Words", f"{_BETWEEN.join(titles)} (printed under “{SECTION}”)"),) if titles else ()


def _table(words: WordList, users: Sequence[str], limits: Limits) -> Table:
    rows = [row(text(capital(group)), _cell(listed, limits)) for group, listed in words.groups.items()]
    note = f"Source: {_sentence(words.source)} Licence: {_sentence(words.licence)} Language: {words.language}. "
    note += f"Used by: {', '.join(dict.fromkeys(users))}."
    return table(words.title, columns("Group", "Words"), rows, most=limits.rows, what="groups", note=note)


def _cell(words: Sequence[str], limits: Limits) -> Cell:
    """The words as far as a cell may hold them, and how many more there are."""
    kept, length = 0, 0
    for word in words:
        length += len(word) + len(_BETWEEN)
        if kept and length > limits.string:
            break
        kept += 1
    more = f"and {count(len(words) - kept)} more, in the files of the run folder" if kept < len(words) else ""
    return text(_BETWEEN.join(words[:kept]), more)


def _sentence(said: str) -> str:
    return said if said.endswith(".") else f"{said}."
