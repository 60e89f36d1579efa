"""Rules about single words: which are left alone, how many may change, how far a word may go."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from probes.robustness.adversarial.attacked import Attacked, Candidate
from probes.robustness.adversarial.parts import Situation
from probes.robustness.adversarial.pure import CandidateRule, Rule
from probes.robustness.adversarial.sources.vectors import Vectors
from probes.text.lexicon import rows


@dataclass(frozen=True)
class Stopwords(Rule):
    """Words that carry grammar stay as they are.

    Args:
        words: which, in small letters.
    """

    words: Collection[str] = field(default_factory=lambda: frozenset(word for (word,) in rows("stopwords")), repr=False)

    def places(self, text: Attacked, places: Sequence[int], situation: Situation) -> list[int]:
        """Those of other words."""
        return [place for place in places if text.words[place].lower() not in self.words]


@dataclass(frozen=True)
class LongWords(Rule):
    """Shorter words stay as they are.

    Args:
        least: characters.
    """

    least: int

    def places(self, text: Attacked, places: Sequence[int], situation: Situation) -> list[int]:
        """Those of words that are long enough."""
        return [place for place in places if len(text.words[place]) >= self.least]


@dataclass(frozen=True)
class MostWords(CandidateRule):
    """No more than a number, or a share, of the words of the first text is changed; one may always be.

    Args:
        count: words.
        share: 0 to 1.
    """

    count: int | None = None
    share: float = 1.0

    def allows(self, candidate: Candidate, situation: Situation) -> bool:
        """Are they few enough with this change."""
        base = candidate.base
        changed = base.edited | {base.origins[edit.place] for edit in candidate.change}
        most = max(1, math.floor(self.share * len(base.first)))
        return len(changed) <= (most if self.count is None else min(most, self.count))


@dataclass(frozen=True)
class Levenshtein(CandidateRule):
    """The text differs from the first one by no more than so many letters put in, left out or replaced.

    Args:
        most: letters.
    """

    most: int = 30

    def allows(self, candidate: Candidate, situation: Situation) -> bool:
        """Whole texts are compared only where it is not clear: no more can differ than in all steps together."""
        base, left = candidate.base, self.most - sum([distance(*step) for step in candidate.base.steps])
        longest = 0  # of what an edit takes out, its word and a blank perhaps, and what it puts in
        for edit in candidate.change:
            longest += max(len(base.words[edit.place]) + 1, len(edit.text))
        if longest <= left:
            return True
        if sum([distance(base.words[edit.place], edit.text) + (not edit.text) for edit in candidate.change]) <= left:
            return True
        start = situation.start.text
        return distance(start, base.text) + longest <= self.most or distance(start, candidate.text) <= self.most


@dataclass(frozen=True)
class WordDistance(CandidateRule):
    """A word that is put in is close to the one that was there at first, by word vectors.

    Args:
        vectors: words without a vector are let through, as in TextAttack.
        least: cosine.
    """

    vectors: Vectors = field(repr=False)
    least: float

    def allows(self, candidate: Candidate, situation: Situation) -> bool:
        """Are all edited words close."""
        return all(self._close(*pair) for pair in replaced(candidate))

    def _close(self, first: str, other: str) -> bool:
        found = self.vectors.similarity(first, other)
        return found is None or found >= self.least


def replaced(candidate: Candidate) -> list[tuple[str, str]]:
    """(word of the first text, what a candidate has in its place) of every word that is changed; "" for none."""
    base = candidate.base
    now = {base.origins[edit.place]: edit.text for edit in candidate.change}
    pairs = [(base.first[origin], text) for origin, text in now.items()]
    earlier = [(base.origins[place], word) for place, word in enumerate(base.words)] if base.edited - now.keys() else []
    return pairs + [(base.first[at], word) for at, word in earlier if at in base.edited and at not in now]


@lru_cache(maxsize=1 << 14)
def distance(one: str, other: str) -> int:
    """Levenshtein distance: fewest insertions, deletions and replacements of single characters."""
    if one == other:
        return 0
    one, other = _trimmed(one, other)
    if not one or not other:
        return len(one) + len(other)
    return _by_columns(one, other)


def _by_columns(one: str, other: str) -> int:
    """The table of Wagner and Fischer, a column in a step: which neighbours in it are one more, and which one less.

    Myers (1999), as Hyyro (2001) writes it for whole texts.
    """
    every, lowest = (1 << len(one)) - 1, 1 << (len(one) - 1)
    where: dict[str, int] = {}
    for row, sign in enumerate(one):
        where[sign] = where.get(sign, 0) | 1 << row
    more, less, found = every, 0, len(one)
    for sign in other:
        same = where.get(sign, 0)
        level = ((same & more) + more) ^ more | same | less
        rising, falling = less | (every & ~(level | more)), more & level
        found += bool(rising & lowest) - bool(falling & lowest)
        rising, falling = (rising << 1 | 1) & every, falling << 1 & every
        kept = same | less
        more, less = falling | (every & ~(kept | rising)), rising & kept
    return found


def _trimmed(one: str, other: str) -> tuple[str, str]:
    """Without the beginning and the end that they share."""
    start = _shared(one, other)
    one, other = one[start:], other[start:]
    end = _shared(one[::-1], other[::-1])
    return one[: len(one) - end], other[: len(other) - end]


def _shared(one: str, other: str) -> int:
    """With how many characters both begin. Halves are compared: slices are, faster than single characters."""
    same, most = 0, min(len(one), len(other))
    while same < most:
        middle = (same + most + 1) // 2
        if one[same:middle] == other[same:middle]:
            same = middle
        else:
            most = middle - 1
    return same
