"""Texts that are alike in a model's own eyes, described by the words that set them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import compress

import numpy as np

from probes.core.answers import Bools, Floats
from probes.text.grammar import word_class
from probes.text.lexicon import rows

CLUSTERS = 8
"""At most so many kinds."""
DESCRIBED_BY = 3
"""Words that name a kind, at most."""
FUNCTION = ("determiner", "preposition", "conjunction", "personal", "auxiliary")
"""Classes of words that say nothing about a kind of text."""


def kinds(
    words: Sequence[frozenset[str]], vectors: Floats, *, known: Bools, size: int, seed: int
) -> list[tuple[str, Bools]]:
    """Clusters of n texts: a description, to be read after "like those with", and (n,) members; by description.

    k-means (Lloyd 1982, IEEE Trans. Information Theory 28:129) of vectors at unit length, fitted on the known texts.
    Each cluster is described by the words with the largest lift: the share of its known texts that hold a word, minus
    that of the other known texts. Those that the same words describe are one to a reader; those without such words are
    left out.

    Args:
        words: (n,) lower-case words of each text.
        vectors: (n, width); nothing is found where one is not finite.
        known: (n,) texts that may be looked at to find and describe the clusters.
        size: known texts to a cluster, on average, at least.
        seed: of the starting points, below 2**32.
    """
    found: dict[str, Bools] = {}
    for members in _clusters(vectors, known, size=size, seed=seed):
        described = " and ".join(f"'{word}'" for word in _distinctive(words, members, known))
        if described:
            found[described] = found.get(described, np.zeros(len(words), dtype=bool)) | members
    return sorted(found.items())


def _clusters(vectors: Floats, known: Bools, *, size: int, seed: int) -> list[Bools]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    points = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    k = min(CLUSTERS, int(known.sum()) // size)
    if k < 2 or not np.isfinite(points).all():
        return []
    k = min(k, len(np.unique(points[known].round(6), axis=0)))
    if k < 2:
        return []
    from sklearn.cluster import KMeans

    codes = KMeans(n_clusters=k, n_init=4, random_state=seed).fit(points[known]).predict(points)
    return [np.asarray(codes == code) for code in range(k)]


def _distinctive(words: Sequence[frozenset[str]], members: Bools, known: Bools) -> list[str]:
    inside, outside = (_counts(words, rows) for rows in (members & known, ~members & known))
    size, others = (max(1, int(rows.sum())) for rows in (members & known, ~members & known))
    telling = (word for word in inside if len(word) > 2 and word not in _function_words())
    lifts = {word: inside[word] / size - outside[word] / others for word in telling}
    ranked = sorted(lifts, key=lambda word: (-lifts[word], word))[:DESCRIBED_BY]
    return [word for word in ranked if lifts[word] > 0]


def _counts(words: Sequence[frozenset[str]], rows: Bools) -> Counter[str]:
    """Word -> texts among the rows that hold it."""
    return Counter(word for held in compress(words, rows) for word in held)


@cache
def _function_words() -> frozenset[str]:
    return frozenset(word for (word,) in rows("function_words")).union(*map(word_class, FUNCTION))
