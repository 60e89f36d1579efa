"""Changes of single letters: slips of the finger, lookalikes, and characters that nobody sees.

Where a change is drawn, numbers are drawn in the order in which TextAttack 0.3.11 draws them: with equal sources of
numbers both propose the same words.
"""

from __future__ import annotations

import string
import unicodedata
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import ClassVar

from probes.robustness.adversarial.parts import Situation
from probes.robustness.adversarial.pure import WordSwap
from probes.text.lexicon import alternatives, rows
from probes.text.perturbations.invisible import MARKS, WRAPPINGS, ZERO_WIDTH

_LRO, _RLO, _LRI, _PDI, _PDF = "\u202d", "\u202e", "\u2066", "\u2069", "\u202c"
_SCRIPTS = ("cyrillic", "greek")

MOST_PLACES = 64
"""Letters of one word at which a change is tried, where each is. Hardly a word is longer; of what is, such as a line
without blanks, every further letter would cost texts of that whole length, and together the square of it."""


LIMIT = f"At most {MOST_PLACES} letters of one word are tried, evenly spread over it."
"""The same for readers, of recipes that try each letter."""


def places(first: int, end: int) -> Sequence[int]:
    """All from the first up to the end; of more than `MOST_PLACES` so many, evenly spread, the outermost among them."""
    if end - first <= MOST_PLACES:
        return range(first, end)
    return [first + number * (end - first - 1) // (MOST_PLACES - 1) for number in range(MOST_PLACES)]


@dataclass(frozen=True, kw_only=True)
class LetterSwap(WordSwap):
    """Changes a word at one letter: at one that is drawn, or at each in turn.

    Args:
        drawn: one place is drawn; otherwise all `places` are proposed.
        inner: the first and the last letter stay as they are.
    """

    behind: ClassVar[int] = 0
    """Letters behind the one at which a word is changed that the change needs too."""
    drawn: bool = True
    inner: bool = False

    @abstractmethod
    def at(self, word: str, place: int, situation: Situation) -> Iterable[str]:
        """What the word becomes by a change at a place."""

    def swaps(self, word: str, situation: Situation) -> Iterable[str]:
        """Words of one letter are left alone."""
        first, end = int(self.inner), len(word) - self.behind - self.inner
        if len(word) < 2 or first >= end:
            return ()
        if self.drawn:
            return self.at(word, situation.draws.integer(first, end), situation)
        return chain.from_iterable(self.at(word, place, situation) for place in places(first, end))


@dataclass(frozen=True, kw_only=True)
class Swapped(LetterSwap):
    """Two neighbouring letters in the other order."""

    behind: ClassVar[int] = 1

    def at(self, word: str, place: int, situation: Situation) -> Iterable[str]:
        return (word[:place] + word[place + 1] + word[place] + word[place + 2 :],)


@dataclass(frozen=True, kw_only=True)
class Deleted(LetterSwap):
    """A letter less."""

    def at(self, word: str, place: int, situation: Situation) -> Iterable[str]:
        return (word[:place] + word[place + 1 :],)


@dataclass(frozen=True, kw_only=True)
class Inserted(LetterSwap):
    """Another character before a letter.

    Args:
        letters: which it is drawn from; a blank breaks the word in two.
    """

    letters: str = string.ascii_letters

    def at(self, word: str, place: int, situation: Situation) -> Iterable[str]:
        return (word[:place] + situation.draws.choice(self.letters) + word[place:],)


@dataclass(frozen=True, kw_only=True)
class Substituted(LetterSwap):
    """Another letter in the place of one.

    Args:
        letters: which it is drawn from.
    """

    letters: str = string.ascii_letters

    def at(self, word: str, place: int, situation: Situation) -> Iterable[str]:
        return (word[:place] + situation.draws.choice(self.letters) + word[place + 1 :],)


@dataclass(frozen=True, kw_only=True)
class Mistyped(LetterSwap):
    """A neighbouring key in the place of a letter; case is kept.

    Args:
        keys: small letter -> the letters of the keys beside it.
    """

    drawn: bool = False
    keys: Mapping[str, Sequence[str]] = field(default_factory=lambda: alternatives("keyboard"))

    def at(self, word: str, place: int, situation: Situation) -> Iterable[str]:
        letter = word[place]
        for key in self.keys.get(letter.lower(), ()):
            yield word[:place] + (key.upper() if letter.isupper() else key) + word[place + 1 :]


@dataclass(frozen=True, kw_only=True)
class Lookalike(LetterSwap):
    """A character that is drawn alike in the place of a letter: Cyrillic, Greek and, where asked for, digits and signs.

    Args:
        leet: also digits and signs that are read as the letter (o and 0), which a reader notices.
    """

    drawn: bool = False
    leet: bool = False

    def at(self, word: str, place: int, situation: Situation) -> Iterable[str]:
        letter = word[place]
        for other in (*_twins().get(letter, ()), *(_leet().get(letter.lower(), ()) if self.leet else ())):
            yield word[:place] + other + word[place + 1 :]


@dataclass(frozen=True, kw_only=True)
class Unseen(LetterSwap):
    """A character without a shape between two letters.

    Args:
        characters: which are tried.
    """

    drawn: bool = False
    characters: str = ZERO_WIDTH

    def at(self, word: str, place: int, situation: Situation) -> Iterable[str]:
        return [word[:place] + character + word[place:] for character in self.characters] if place else ()


@dataclass(frozen=True, kw_only=True)
class Reordered(LetterSwap):
    """Two neighbouring letters stored in the other order, within characters of direction that show them as they were.

    The encoding of Boucher et al. (2022), appendix: what is read on a screen is the word itself. Letters that are
    written from right to left would be shown the other way round, and are left alone.
    """

    behind: ClassVar[int] = 1
    drawn: bool = False

    def at(self, word: str, place: int, situation: Situation) -> Iterable[str]:
        if any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in word[place : place + 2]):
            return ()
        shown = (_LRO, _LRI, _RLO, _LRI, word[place + 1], _PDI, _LRI, word[place], _PDI, _PDF, _PDI, _PDF)
        return (word[:place] + "".join(shown) + word[place + 2 :],)


@dataclass(frozen=True)
class Wrapped(WordSwap):
    """A word between two characters of direction that move nothing on the screen, or with a mark of direction in it."""

    def swaps(self, word: str, situation: Situation) -> Iterable[str]:
        """Each of the pairs around the word, each of the marks after its first letter."""
        yield from (opened + word + closed for opened, closed in WRAPPINGS)
        if len(word) > 1:
            yield from (word[0] + mark + word[1:] for mark in MARKS)


@cache
def _twins() -> dict[str, tuple[str, ...]]:
    """Latin letter -> characters drawn alike."""
    found: dict[str, tuple[str, ...]] = {}
    for script in _SCRIPTS:
        for letter, twins in alternatives(f"homoglyphs_{script}").items():
            found[letter] = (*found.get(letter, ()), *twins)
    return found


@cache
def _leet() -> dict[str, tuple[str, ...]]:
    return {letter: tuple(signs) for letter, *signs in rows("leetspeak")}
