"""Where the words of a text are: what an attribution is given for, and what is taken out to test it."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import NamedTuple

from probes.core.examples import Text

_ONE_BY_ONE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Scripts written without blanks (Thai, Lao, Burmese, Khmer, Japanese, Chinese): each character counts as a word.

Where their words end is known to dictionaries only, and no two of those agree.
"""


@cache
def marks() -> str:
    """Accents and vowel signs that are characters of their own: they belong to the letter before them."""
    return "".join(sign for sign in map(chr, range(0x300, 0x20000)) if unicodedata.category(sign)[0] == "M")


@cache
def _pattern() -> re.Pattern[str]:
    signs = f"[{marks()}\u0e33\u0eb3]"  # with two Thai and Lao vowels
    letter = rf"[^\W{_ONE_BY_ONE}]"
    letters = f"{letter}++(?:{signs}++{letter}*+)*+"
    joined = r"['\u2019.,\u200c\u200d-]"  # the last but one two are what joins letters in Persian and Hindi
    return re.compile(
        r"(?:https?://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)\]]"
        rf"|[{_ONE_BY_ONE}]{signs}*+"
        rf"|{letters}(?:{joined}{letters})*"
        r"|[^\w\s]+"
    )


_BLANKS_AND_WORD = re.compile(r"\s*\S+")
"""`str.split` takes the same characters for blanks."""


class Span(NamedTuple):
    """A word: `texts[part][start:end]` of an item."""

    part: int
    start: int
    end: int


def spans(text: Text) -> tuple[Span, ...]:
    """The words of a text, of both parts of a pair, in reading order.

    A URL is one word, a run of punctuation too; "don't", "well-kept" and "3.5" are not split. In scripts without blanks
    each character is one, with its vowel signs. Blanks belong to none.
    """
    parts = (text,) if isinstance(text, str) else text
    return tuple(
        Span(part, *found.span()) for part, string in enumerate(parts) for found in _pattern().finditer(string)
    )


def between_blanks(text: Text) -> tuple[Span, ...]:
    """The words of a text, or of both parts of a pair, that blanks separate, punctuation included.

    Each has the blanks before it, as in the vocabularies of most tokenizers.
    """
    parts = (text,) if isinstance(text, str) else text
    return tuple(
        Span(part, *found.span()) for part, string in enumerate(parts) for found in _BLANKS_AND_WORD.finditer(string)
    )


def word(text: Text, span: Span) -> str:
    """The word as it stands in the text."""
    parts = (text,) if isinstance(text, str) else text
    return parts[span.part][span.start : span.end]


def without(text: Text, taken: frozenset[Span] | set[Span]) -> Text:
    """The text with these words taken out, and with each the blanks before it.

    A part of which nothing would be left is "…", because no model can be asked about nothing.
    """
    parts = (text,) if isinstance(text, str) else text
    left = tuple(
        _cut(string, sorted(span for span in taken if span.part == part)) or EMPTY for part, string in enumerate(parts)
    )
    return left[0] if len(left) == 1 else (left[0], left[1])


EMPTY = "\u2026"
"""Stands for a text of which no word is left."""


def _cut(text: str, taken: list[Span]) -> str:
    kept, at = [], 0
    for span in taken:
        kept.append(text[at : span.start].rstrip())
        at = span.end
    return ("".join(kept) + text[at:]).strip()
