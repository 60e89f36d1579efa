"""Which words of a text belong to a category of words that a model should not lean on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from probes.core.examples import Text
from probes.core.words import Span, word
from probes.explanation.reliance.identities import named
from probes.text.identity import AXES
from probes.text.offensive import OFFENSIVE

LISTED = "listed words"
URLS = "URLs"
PROFANITY = "profanity and insults"
IDENTITY = "identity terms"
NAMES = "first names"
NUMBERS = "numbers"
PUNCTUATION = "punctuation"
SPECIAL = "special tokens"
CATEGORIES = (LISTED, URLS, PROFANITY, IDENTITY, NAMES, NUMBERS, PUNCTUATION)
"""Of words, the more specific first: a word of several counts in the first of them. Special tokens are no words."""

_URL = re.compile(
    r"(?:https?://|www\.)\S+|[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|info|io|ly|uk|de|fr|eu)", re.IGNORECASE
)
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*(?:st|nd|rd|th|s|k|m|bn)?", re.IGNORECASE)
_MARKS = ("P", "Sm", "Sc", "Sk")
"""Unicode classes of punctuation and of signs such as + and $; emoji are none."""
_POSSESSIVE = re.compile(r"['’]s?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """That a word belongs to a category.

    Attributes:
        axes: of an identity term, those it speaks of.
        word: by what a reader knows it: in lower case, or as the user listed it.
    """

    category: str
    word: str
    axes: tuple[str, ...] = ()


class _Found(NamedTuple):
    start: int
    end: int
    category: str
    detail: str = ""
    """The axis of an identity term, or the listed word."""


def marks(text: Text, words: Sequence[Span], *, listed: tuple[str, ...] = ()) -> dict[int, Mark]:
    """Position in `words` -> its category, for the words that belong to one; `listed` are in lower case."""
    parts = (text,) if isinstance(text, str) else text
    found = [sorted(_found(part, listed)) for part in parts]
    marked = {}
    for position, span in enumerate(words):
        here = [each for each in found[span.part] if each.start < span.end and span.start < each.end]
        mark = _mark(word(text, span), here)
        if mark is not None:
            marked[position] = mark
    return marked


def _mark(written: str, here: Sequence[_Found]) -> Mark | None:
    categories = {each.category for each in here} | {_by_shape(written)}
    category = next((category for category in CATEGORIES if category in categories), None)
    if category is None:
        return None
    details = {each.detail for each in here if each.category == category}
    if category == LISTED:
        return Mark(category=category, word=min(details))
    axes = tuple(axis for axis in AXES if category == IDENTITY and axis in details)
    return Mark(category=category, word=_POSSESSIVE.sub("", written.lower()) or written, axes=axes)


def _by_shape(written: str) -> str | None:
    """The category that a word shows by its signs alone."""
    if _URL.fullmatch(written):
        return URLS
    if _NUMBER.fullmatch(written):
        return NUMBERS
    marks_only = all(unicodedata.category(sign).startswith(_MARKS) for sign in written)
    return PUNCTUATION if marks_only else None


def _found(text: str, listed: tuple[str, ...]) -> Iterator[_Found]:
    """What is found by word lists."""
    for match in _pattern(listed).finditer(text) if listed else ():
        yield _Found(*match.span(), LISTED, " ".join(match.group().lower().split()))
    for match in OFFENSIVE.finditer(text):
        yield _Found(*match.span(), PROFANITY)
    for start, end, axis in named(text):
        yield _Found(start, end, IDENTITY if axis else NAMES, axis)


@lru_cache(maxsize=8)
def _pattern(listed: tuple[str, ...]) -> re.Pattern[str]:
    """Whole words and phrases, whatever their case, the longest first."""
    forms = sorted(listed, key=lambda form: (-len(form), form))
    spaced = (r"\s+".join(map(re.escape, form.split())) for form in forms)
    return re.compile(rf"(?<!\w)(?:{'|'.join(spaced)})(?!\w)", re.IGNORECASE)
