"""Questions about contexts, in the shapes of SQuAD: the nested JSON of its authors, and the columns of the Hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from probes.core.errors import DataError
from probes.core.examples import Accepted, Gold, content_hash
from probes.data.cells import Golds, is_missing
from probes.data.table import shown, writable

QUESTIONS = ("question", "query")
CONTEXTS = ("context", "passage", "paragraph", "document", "text")
ANSWERS = ("answers", "answer")
IMPOSSIBLE = ("isimpossible", "impossible")
TITLES = ("title",)
ENOUGH_TITLES = 30
"""Fewer articles than this are too few independent ones for an interval; then the contexts count as such."""
NOT_IN_CONTEXT = "an answer does not stand in its context"

Row = Mapping[str, object]


def nested_rows(document: object) -> list[Row] | None:
    """The questions of `{"data": [{"title", "paragraphs": [{"context", "qas": [...]}]}]}`; None for anything else."""
    articles = document.get("data") if isinstance(document, dict) else None
    if not isinstance(articles, list) or not articles:
        return None
    if not all(isinstance(each, dict) and isinstance(each.get("paragraphs"), list) for each in articles):
        return None
    return [row for article in articles for row in _rows(article)]


def _rows(article: Mapping[str, object]) -> Iterator[Row]:
    for paragraph in _objects(article.get("paragraphs")):
        for question in _objects(paragraph.get("qas")):
            yield {
                "id": question.get("id"),
                "title": article.get("title"),
                "context": paragraph.get("context"),
                "question": question.get("question"),
                "answers": question.get("answers"),
                "is_impossible": question.get("is_impossible"),
            }


def _objects(value: object) -> Sequence[Row]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def read_answers(
    raw: Sequence[object], contexts: Sequence[object], impossible: Sequence[object] | None, *, column: str, where: str
) -> Golds:
    """The accepted texts of each row: none where the context has no answer, None where the row says nothing.

    Raises:
        DataError: for cells that hold no answers.
    """
    golds: list[Gold] = []
    dropped: dict[int, str] = {}
    misplaced = 0
    flags = impossible if impossible is not None else [None] * len(raw)
    for row, (cell, context, flag) in enumerate(zip(raw, contexts, flags, strict=True)):
        answers = [] if flag is True else texts_and_places(cell, column=column, where=where)
        golds.append(None if answers is None else Accepted(dict.fromkeys(text for text, _ in answers)))
        if not isinstance(context, str):
            continue
        clean = writable(context)
        if any(text not in clean for text, _ in answers or ()):
            dropped[row] = NOT_IN_CONTEXT
        misplaced += any(start is not None and not clean.startswith(text, start) for text, start in answers or ())
    return Golds(values=golds, dropped=dropped, notes=_notes(golds, misplaced))


def clusters_of(contexts: Sequence[object], titles: Sequence[object] | None) -> tuple[list[str], str]:
    """(rows,) what is not independent, and a sentence about it: the article where there are enough, or the context."""
    known = [title for title in titles or () if not is_missing(title)]
    if titles is not None and len(known) == len(titles) and len({str(title) for title in known}) >= ENOUGH_TITLES:
        return [content_hash(str(title)) for title in titles], "Questions about one article (title) count as dependent."
    return [content_hash(str(context)) for context in contexts], "Questions about one context count as dependent."


def texts_and_places(cell: object, *, column: str, where: str) -> list[tuple[str, int | None]] | None:
    """Texts and places of `{"text": [...], "answer_start": [...]}`, of a list of such objects, or plain texts."""
    if is_missing(cell):
        return None
    if isinstance(cell, dict) and isinstance(cell.get("text"), list):
        starts = cell.get("answer_start")
        starts = starts if isinstance(starts, list) and len(starts) == len(cell["text"]) else [None] * len(cell["text"])
        pairs: list[tuple[object, object]] = list(zip(cell["text"], starts, strict=True))
    elif isinstance(cell, dict):
        pairs = [(cell.get("text"), cell.get("answer_start"))]
    else:
        each = cell if isinstance(cell, list) else [cell]
        pairs = [(one.get("text"), one.get("answer_start")) if isinstance(one, dict) else (one, None) for one in each]
    if not all(isinstance(text, str) for text, _ in pairs):
        raise DataError(
            f"{where}: column {column!r} holds {shown([cell])}, and no texts of answers",
            hint='answers are written as {"text": ["..."], "answer_start": [0]}; both lists are empty for no answer',
        )
    return [(writable(str(text)), _place(start)) for text, start in pairs if str(text).strip()]


def _place(start: object) -> int | None:
    return start if isinstance(start, int) and not isinstance(start, bool) and start >= 0 else None


def _notes(golds: Sequence[Gold], misplaced: int) -> tuple[str, ...]:
    notes = []
    if none := sum(gold == () for gold in golds):
        notes.append(f"Questions that their context does not answer: {none} of {len(golds)}.")
    if misplaced:
        notes.append(f"Rows whose answer_start does not point at the answer: {misplaced}; only its text is used.")
    return tuple(notes)
