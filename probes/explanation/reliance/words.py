"""The single words that a model leans on most."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from probes.core.stats.derived import FEW
from probes.explanation.reliance.categories import LISTED
from probes.explanation.reliance.leaning import Leaning
from probes.explanation.reliance.numbers import Numbers, beyond_neutral
from probes.explanation.reliance.removals import Removals
from probes.explanation.reliance.selections import Selection, Sorted

MOST_WORDS = 20
Word = tuple[str, str]
"""(category, word)."""


def candidates(texts: Sorted) -> dict[Word, Selection]:
    """The listed words and identity terms that enough texts hold, at most 20: listed ones first, then those with the
    largest mean share of the attribution."""
    common = {word: where for word, where in texts.words().items() if texts.clusters(where) >= FEW}

    def rank(word: Word) -> tuple[bool, float, int, Word]:
        where = common[word]
        shares = [np.abs(texts.marked[row].shares[list(words)]).sum() for row, words in where.items()]
        defined = [share for share in shares if np.isfinite(share)]
        return word[0] != LISTED, -float(np.mean(defined)) if defined else 0.0, -len(where), word

    return {word: common[word] for word in sorted(common, key=rank)[:MOST_WORDS]}


def by_word(texts: Sorted, words: Mapping[Word, Selection], removals: Removals) -> Numbers:
    """The numbers of each word, the one whose absence moves the answers farthest first."""
    found = {word: Leaning.of(texts, where, removals) for word, where in words.items()}
    for (category, word), leaning in sorted(found.items(), key=lambda pair: _least(*pair)):
        yield from beyond_neutral(leaning, {"category": category, "word": word}, family="word")


def _least(word: Word, leaning: Leaning) -> tuple[float, float, Word]:
    """Sorts by how far beyond neutral words the probability moves, then by the share of the attribution."""
    moved = float(leaning.beyond.mean()) if len(leaning.beyond) else -np.inf
    shares = leaning.share[np.isfinite(leaning.share)]
    return -moved, -float(shares.mean()) if len(shares) else 0.0, word
