"""The little grammar that replacing a word needs: words and sentences, word classes, and the case of letters."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from probes.text.lexicon import LANGUAGE, alternatives

_WORD = re.compile(r"https?://\S+|www\.\S+|@\w+|\w+")
_SENTENCE_END = re.compile(r"[.!?:…\n\"“]")
HEADLINE, FEWEST = 0.7, 4
"""A text of at least 4 words of which more than 70 % begin with a capital is written as a headline."""
KEPT, LONG = 4096, 2000
"""How many texts, and up to how many characters, are kept in words: every axis looks at the same texts again."""


class Words:
    """A text in words; a link or an @name is one word.

    Attributes:
        text: the text itself.
        raw, low: the words as written, and in lower case.
        starts, ends: their places in the text.
        headline: is the text written in capitals or as a headline, so that a capital letter tells nothing.
    """

    __slots__ = ("ends", "headline", "low", "raw", "starts", "text")

    def __init__(self, text: str) -> None:
        found = list(_WORD.finditer(text))
        self.text = text
        self.raw = [match.group() for match in found]
        self.low = [word.lower() for word in self.raw]
        self.starts = [match.start() for match in found]
        self.ends = [match.end() for match in found]
        capitals = sum(word[0].isupper() for word in self.raw)
        self.headline = len(found) >= FEWEST and capitals > HEADLINE * len(found)

    def __len__(self) -> int:
        return len(self.raw)

    def gap(self, at: int) -> str:
        """What stands between word `at` and the one before it; all before the first, all after the last."""
        return self.text[self.ends[at - 1] if at else 0 : self.starts[at] if at < len(self) else len(self.text)]

    def joined(self, at: int) -> bool:
        """Is word `at` there and parted from the one before it by blanks only (or the sign of a hashtag)."""
        return 0 < at < len(self) and self.gap(at).removesuffix("#").isspace()

    def before(self, at: int) -> str:
        """The word before `at` in lower case, "" where punctuation parts them."""
        return self.low[at - 1] if self.joined(at) else ""

    def after(self, at: int) -> str:
        """The word after `at` in lower case, "" where punctuation parts them."""
        return self.low[at + 1] if self.joined(at + 1) else ""

    def opens(self, at: int) -> bool:
        """Does word `at` begin a sentence."""
        return at == 0 or _SENTENCE_END.search(self.gap(at)) is not None

    def capital(self, at: int) -> bool:
        """Is word `at` there with a capital that its place does not explain."""
        return 0 <= at < len(self) and self.raw[at][0].isupper() and not self.opens(at) and not self.headline


def in_words(text: str) -> Words:
    """The text in words, taken apart once for all axes."""
    return _in_words(text) if len(text) <= LONG else Words(text)


@lru_cache(maxsize=KEPT)
def _in_words(text: str) -> Words:
    return Words(text)


@cache
def word_class(name: str, *, language: str = LANGUAGE) -> frozenset[str]:
    """The words of a class in `word_classes.tsv`, in lower case."""
    return frozenset(alternatives("word_classes", language=language)[name])


def cased(new: str, *, old: str, form: str, opens: bool, quiet: bool) -> str:
    """`new` in the letter case that `old` has, where `form` is how the list writes `old`.

    Args:
        opens: does it begin a sentence.
        quiet: is `old` in lower case although the list writes a capital: then so is `new`.
    """
    if old.isupper() and len(old) > 1:
        return new.upper()
    if quiet:
        return new.lower()
    if old[:1].isupper() and (opens or not form[:1].isupper()):
        return new[:1].upper() + new[1:]
    return new
