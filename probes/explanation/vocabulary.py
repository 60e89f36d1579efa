"""The words of a corpus: which items hold them, and how far each pushed the answers."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answers import Bools, Floats
from probes.core.attributions import Attribution
from probes.core.words import word

NUMBER = "(number)"
ADDRESS = "(web address)"

_ADDRESS = re.compile(r"https?://|www\.", re.IGNORECASE)


def folded(written: str) -> str:
    """The name a word is counted under: small letters; one for all numbers, one for all web addresses.

    Punctuation has none: "". An emoji is a word.
    """
    if _ADDRESS.match(written):
        return ADDRESS
    if not any(sign.isalnum() or unicodedata.category(sign) == "So" for sign in written):
        return ""
    if any(sign.isdigit() for sign in written) and not any(sign.isalpha() for sign in written):
        return NUMBER
    return written.casefold().replace("\u2019", "'")


def names(attribution: Attribution) -> list[str]:
    """(w,): the name of each word that was read."""
    return [folded(word(attribution.text, span)) for span in attribution.words]


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """V words in n items.

    Attributes:
        words: (V,) names, sorted.
        spellings: (V,) the commonest way each is written.
        counts: (n, V) how often each item holds each word.
        pushes: (n, V) how far the word pushed towards the item's target, in logits: the sum over its occurrences.
    """

    words: tuple[str, ...]
    spellings: tuple[str, ...]
    counts: Floats
    pushes: Floats

    @classmethod
    def of(cls, attributions: Sequence[Attribution], *, clusters: Sequence[str], minimum: int) -> Vocabulary:
        """The words in at least `minimum` independent items; `clusters` (n,) says which items belong together."""
        written: dict[str, Counter[str]] = defaultdict(Counter)
        places: dict[str, set[str]] = defaultdict(set)
        named = [names(each) for each in attributions]
        for each, found, cluster in zip(attributions, named, clusters, strict=True):
            for name, span in zip(found, each.words, strict=True):
                written[name][word(each.text, span)] += 1
                places[name].add(cluster)
        words = sorted(name for name, held in places.items() if name and len(held) >= minimum)
        column = {name: index for index, name in enumerate(words)}
        counts = np.zeros((len(named), len(words)))
        pushes = np.zeros_like(counts)
        for row, (each, found) in enumerate(zip(attributions, named, strict=True)):
            for name, score in zip(found, each.scores, strict=True):
                if name in column:
                    counts[row, column[name]] += 1
                    pushes[row, column[name]] += score
        spellings = tuple(min(written[name], key=lambda form: (-written[name][form], form)) for name in words)
        return cls(words=tuple(words), spellings=spellings, counts=counts, pushes=pushes)

    @cached_property
    def held(self) -> Bools:
        """(n, V): does the item hold the word."""
        return self.counts > 0

    @cached_property
    def strength(self) -> Floats:
        """(V,): how far an occurrence pushes, whichever way: the mean over the items that hold the word."""
        each = np.divide(np.abs(self.pushes), self.counts, out=np.zeros_like(self.pushes), where=self.held)
        return np.asarray(each.sum(axis=0) / self.held.sum(axis=0))
