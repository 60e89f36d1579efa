"""How much of the audited texts a run folder keeps: all, their digests, or nothing.

Whether an answer was right is kept in every case, and so is what it was where answers are labels; where they are parts
of the text, they go as the text does. Kept are also single words that a test is about (swapped names, words that drive
a label), without which its numbers could not be read, and the names of groups and labels.
"""

from __future__ import annotations

import hashlib
import traceback
from dataclasses import replace
from enum import StrEnum

from probes.core.errors import AuditError
from probes.core.examples import content_hash
from probes.core.records import Evidence, Outcomes, Record, Shown


class StoreText(StrEnum):
    """What becomes of the texts of cases."""

    FULL = "full"
    DIGEST = "digest"
    """Who has the text can show that it is the one; nobody can read it."""
    NONE = "none"


def stored(record: Record, how: StoreText, *, quotes: bool) -> Record:
    """The record as it is written: texts of cases, and notes that may quote them, as `how` says.

    Args:
        quotes: answers are parts of the texts, as names and spans are, and not labels.
    """
    if how is StoreText.FULL or not isinstance(record, Evidence):
        return record
    gold = _text(record.gold, how) if quotes and record.gold else record.gold
    shown = tuple(_side(side, how, quotes=quotes) for side in record.shown)
    return record.model_copy(update={"shown": shown, "gold": gold, "note": ""})


def stored_outcomes(outcomes: Outcomes, how: StoreText) -> Outcomes:
    """The outcomes as they are written: what belongs together may be named by a person or a text, so by its hash."""
    if how is StoreText.FULL:
        return outcomes
    return replace(outcomes, cluster=[content_hash(name) for name in outcomes.cluster])


def stored_error(error: Exception, how: StoreText) -> tuple[str, str]:
    """An error in one line, and its traceback; without its message, which may quote a text, unless all is kept."""
    if how is StoreText.FULL:
        text = error.message if isinstance(error, AuditError) else f"{type(error).__name__}: {error}"
        return text, "".join(traceback.format_exception(error))
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{type(error).__name__} (message not kept: it may quote a text)", frames


def _side(side: Shown, how: StoreText, *, quotes: bool) -> Shown:
    # Weights are places in a text, and say much about it: they go with it.
    texts = tuple(_text(text, how) for text in side.texts)
    answer = _text(side.answer, how) if quotes else side.answer
    return side.model_copy(update={"texts": texts, "answer": answer, "words": ()})


def _text(text: str, how: StoreText) -> str:
    if how is StoreText.NONE:
        return "(text not kept)"
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    return f"(text not kept; SHA-256 {digest}, {len(text):,} characters)"
