"""Neutral words to compare with: of no category, standing in the same part of the text, and about as long."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from probes.core.answers import Floats
from probes.core.attributions import Attribution
from probes.core.examples import Text
from probes.core.words import Span, word
from probes.explanation.reliance.categories import Mark, marks

SHORT, MEDIUM = 3, 6
"""Words of up to 3 characters, of up to 6, and longer ones are compared among themselves."""


class Kind(NamedTuple):
    """What two words share that are compared.

    Attributes:
        part: of a pair.
        stretch: 0 first quarter of the words of the part, 1 its middle, 2 its last quarter.
        length: 0 short, 1 medium, 2 long.
    """

    part: int
    stretch: int
    length: int


@dataclass(frozen=True, kw_only=True)
class Marked:
    """The w words of an explained text, sorted into those of a category and neutral ones.

    Attributes:
        target: the answer explained.
        marks: position of a word -> its category.
        neutral: positions of the words of no category that have a letter.
        kinds: (w,).
        shares: (w,) score of each word, as a share of the sum of all |scores|; NaN where that sum is 0.
    """

    target: str
    marks: Mapping[int, Mark]
    neutral: tuple[int, ...]
    kinds: tuple[Kind, ...]
    shares: Floats

    @classmethod
    def of(cls, attribution: Attribution, *, listed: tuple[str, ...] = ()) -> Marked:
        """Sort the words."""
        text, words = attribution.text, attribution.words
        marked = marks(text, words, listed=listed)
        letters = (any(sign.isalpha() for sign in word(text, span)) for span in words)
        total = np.abs(attribution.scores).sum()
        return cls(
            target=attribution.target,
            marks=marked,
            neutral=tuple(at for at, good in enumerate(letters) if good and at not in marked),
            kinds=kinds(text, words),
            shares=attribution.scores / total if total > 0 else np.full(len(words), np.nan),
        )


def kinds(text: Text, words: Sequence[Span]) -> tuple[Kind, ...]:
    """(w,): of each word."""
    sizes: dict[int, int] = defaultdict(int)
    places = []
    for span in words:
        places.append(sizes[span.part])
        sizes[span.part] += 1
    found = []
    for span, place in zip(words, places, strict=True):
        middle, size = (place + 0.5) / sizes[span.part], len(word(text, span))
        found.append(Kind(span.part, (middle >= 0.25) + (middle > 0.75), (size > SHORT) + (size > MEDIUM)))
    return tuple(found)


def partners(marked: Marked, wanted: Iterable[int], *, rng: random.Random) -> dict[int, int]:
    """A neutral word of the same text for each wanted one, each used once: of its kind where there is one, otherwise
    in its stretch of the text, otherwise any; none for the last of the wanted when the neutral ones run out."""
    order = sorted(marked.neutral)
    rng.shuffle(order)
    free: dict[Kind, list[int]] = defaultdict(list)
    for other in order:
        free[marked.kinds[other]].append(other)
    found: dict[int, int] = {}
    for at in wanted:
        if free:
            kind = marked.kinds[at]
            best = min(free, key=lambda other: [a != b for a, b in zip(kind, other, strict=True)])
            found[at] = free[best].pop()
            if not free[best]:
                del free[best]
    return found


@dataclass(frozen=True, kw_only=True)
class Controls:
    """What neutral words of each kind get of the attribution: (|share|, share) of a word, on average.

    Attributes:
        own: (n,) of each text, by kind.
        pooled: of all texts with one answer, by answer and kind; as a multiple of the average share in their text, so
            that texts of different lengths can be compared.
    """

    own: Sequence[Mapping[Kind, Floats]]
    pooled: Mapping[tuple[str, Kind], Floats]

    @classmethod
    def of(cls, texts: Sequence[Marked]) -> Controls:
        """Average over the neutral words."""
        own, together = [], defaultdict(list)
        for marked in texts:
            here = defaultdict(list)
            for at in marked.neutral if np.isfinite(marked.shares).all() else ():
                share = np.array([abs(marked.shares[at]), marked.shares[at]])
                here[marked.kinds[at]].append(share)
                together[marked.target, marked.kinds[at]].append(share * len(marked.shares))
            own.append({kind: np.mean(shares, axis=0) for kind, shares in here.items()})
        return cls(own=own, pooled={key: np.mean(shares, axis=0) for key, shares in together.items()})

    def match(self, row: int, marked: Marked, at: int) -> Floats | None:
        """(2,): the control of the word at this position of the text in this row; None when there is none."""
        if not np.isfinite(marked.shares[at]):
            return None
        found = self.own[row].get(marked.kinds[at])
        if found is not None:
            return found
        pooled = self.pooled.get((marked.target, marked.kinds[at]))
        return None if pooled is None else pooled / len(marked.shares)
