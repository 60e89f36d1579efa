"""The natural parts of the user's data: by length, by the values of its columns, and by what the texts are like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from probes.core.answers import Bools, Floats
from probes.core.examples import Example, Text
from probes.core.stats.clusters import FEW
from probes.core.words import spans, word
from probes.text.grammar import word_class
from probes.text.lexicon import rows
from probes.text.perturbations.perturbation import WORD

VALUES = 20
"""At most so many values of a column are compared, the most frequent ones."""
QUARTERS = 4
CLUSTERS = 8
"""At most so many clusters of embeddings, of 2 * FEW texts on average or more."""
FUNCTION = ("determiner", "preposition", "conjunction", "personal", "auxiliary")
"""Classes of words that say nothing about a kind of text."""
DESCRIBED_BY = 3
"""Words that name a cluster."""


@dataclass(frozen=True)
class Part:
    """Some of n items.

    Attributes:
        name: of the slice: what divides the items, and which part of it this is.
        holds: (n,).
    """

    name: str
    holds: Bools

    @property
    def slice(self) -> dict[str, str]:
        """The slice of its records."""
        return {"part": self.name}


def lengths(examples: Sequence[Example]) -> Iterator[Part]:
    """Quarters by the number of words; fewer where many texts are equally long."""
    words = np.array([_words(example.text) for example in examples])
    cuts = np.quantile(words, np.arange(1, QUARTERS) / QUARTERS, method="inverted_cdf")
    edges = np.unique(np.append(cuts, words.max()))
    low = int(words.min())
    for high in edges.tolist():
        yield Part(f"length in words: {_range(low, high)}", (words >= low) & (words <= high))
        low = high + 1


def values(column: str, found: Sequence[str | None]) -> tuple[list[Part], int]:
    """The parts with the VALUES most frequent of (n,) values, by name, and how many further values there are."""
    counts = Counter(value for value in found if value)
    kept = sorted(counts, key=lambda value: (-counts[value], value))[:VALUES]
    array = np.array([value or "" for value in found])
    return [Part(f"{column}: {value}", array == value) for value in sorted(kept)], len(counts) - len(kept)


def clusters(examples: Sequence[Example], vectors: Floats, *, seed: int) -> list[Part]:
    """Texts that are alike in the model's own eyes: k-means (Lloyd 1982) of (n, width) vectors at unit length.

    Named by the words that their texts hold more often than the others; those without such words are left out.
    """
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    points = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    k = min(CLUSTERS, len(points) // (2 * FEW))
    if k < 2 or not np.isfinite(points).all():
        return []
    k = min(k, len(np.unique(points.round(6), axis=0)))
    if k < 2:
        return []
    from sklearn.cluster import KMeans

    codes = KMeans(n_clusters=k, n_init=4, random_state=seed).fit_predict(points)
    words = [_content(example) for example in examples]
    described: dict[str, Bools] = {}
    for code in range(k):
        named = " and ".join(_distinctive(words, codes == code))
        # Two clusters that the same words describe are one part to a reader.
        described[named] = described.get(named, np.zeros(len(codes), dtype=bool)) | (codes == code)
    return [Part(f"texts like those with {named}", holds) for named, holds in sorted(described.items()) if named]


def _words(text: Text) -> int:
    """How many words there are; runs of marks do not count."""
    return sum(any(map(str.isalnum, word(text, span))) for span in spans(text))


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _content(example: Example) -> frozenset[str]:
    found = {each.lower() for text in example.texts for each in WORD.findall(text)}
    return frozenset(each for each in found if len(each) > 2 and each not in _function_words())


@cache
def _function_words() -> frozenset[str]:
    return frozenset(listed for (listed,) in rows("function_words")).union(*map(word_class, FUNCTION))


def _distinctive(words: Sequence[frozenset[str]], members: Bools) -> list[str]:
    """The words with the largest lift: share of these texts that hold them, minus that of the others."""
    inside: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    for found, member in zip(words, members, strict=True):
        (inside if member else outside).update(found)
    size, others = int(members.sum()), max(1, int((~members).sum()))
    lifts = {each: count / size - outside[each] / others for each, count in inside.items()}
    ranked = sorted(lifts, key=lambda each: (-lifts[each], each))[:DESCRIBED_BY]
    return [f"'{each}'" for each in ranked if lifts[each] > 0]
