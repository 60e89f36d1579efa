"""The words that push most one way over many items, and how much of the list another sample would give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np

from probes.core import stats
from probes.core.answers import Floats, Ints, ProblemType
from probes.core.records import Estimate, SkipReason
from probes.core.stats.clusters import Clusters
from probes.core.stats.derived import FEW, UnmeasurableError
from probes.core.stats.intervals import estimate
from probes.core.stats.resampling import Resamples, quantile
from probes.explanation.explained import Explained
from probes.explanation.vocabulary import Vocabulary

HIGHER, LOWER = "higher", "lower"
"""The two ways a word can push the value of a regression."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One way that words push.

    Attributes:
        label: the answer they push towards.
        rows: the items that were explained towards it.
        sign: -1 where the push away from what was explained counts.
    """

    label: str
    rows: Ints
    sign: float = 1.0


def sides(items: Explained, *, most: int) -> list[Side]:
    """Each label with the items that got it, the `most` commonest ones; of a regression, up and down."""
    if items.answers.problem is ProblemType.REGRESSION:
        every = np.arange(len(items))
        return [Side(label=HIGHER, rows=every), Side(label=LOWER, rows=every, sign=-1.0)]
    given = Counter(items.targets)
    commonest = sorted(items.answers.labels, key=lambda label: -given[label])[:most]
    targets = np.array(items.targets, dtype=object)
    return [Side(label=label, rows=np.flatnonzero(targets == label)) for label in commonest]


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The words of one side.

    Attributes:
        vocabulary: the words that were ranked.
        clusters: (n,) which items belong together.
        listed: (k,) columns of the words on the list, the strongest first; each pushes this way on average.
        resamples: the mean push of every word, for the items and for resamples of them.
        reach: the largest push of a word in an item, for words without any spread.
    """

    vocabulary: Vocabulary
    clusters: Sequence[str]
    listed: Ints
    resamples: Resamples
    reach: float

    @classmethod
    def of(
        cls, items: Explained, side: Side, *, minimum: int, top: int, rng: np.random.Generator, resamples: int
    ) -> Ranking:
        """Rank the words in at least `minimum` independent items.

        Raises:
            UnmeasurableError: for fewer than FEW independent items, or when no word pushes this way.
        """
        part = items.take(side.rows)
        distinct = len(set(part.clusters))
        if distinct < FEW:
            raise UnmeasurableError(SkipReason.TOO_FEW, f"It rests on {distinct} independent items; {FEW} are needed.")
        words = Vocabulary.of(part.attributions, clusters=part.clusters, minimum=minimum)
        pushes = side.sign * words.pushes
        means = pushes.mean(axis=0)
        listed = [column for column in np.argsort(-means, kind="stable")[:top] if means[column] > 0]
        if not listed:
            raise UnmeasurableError(SkipReason.UNDEFINED, f"No word in {minimum} items or more pushes this way.")
        drawn = Resamples.of(
            lambda weights: weights @ pushes / weights.sum(axis=1, keepdims=True),
            n=len(part),
            rng=rng,
            clusters=part.clusters,
            resamples=resamples,
        )
        return cls(
            vocabulary=words,
            clusters=part.clusters,
            listed=np.array(listed, dtype=np.int64),
            resamples=drawn,
            reach=float(np.abs(pushes).max()),
        )

    def push(self, column: int) -> Estimate:
        """Mean push of a word over the items of the side, in logits; small-sample rules are those of its own items."""
        own = list(compress(self.clusters, self.vocabulary.held[:, column]))
        groups = Clusters.of(own, n=len(own))
        return self.resamples.estimate(column, limits=(-self.reach, self.reach), groups=groups)

    def share(self, column: int) -> Estimate:
        """Share of the items that hold the word."""
        return stats.rate(self.vocabulary.held[:, column], clusters=self.clusters)

    def overlap(self) -> Estimate:
        """How much of the list two samples of as many items would share: the mean over pairs of resamples.

        Raises:
            UnmeasurableError: when there are no more words than the list is long.
        """
        k, drawn = len(self.listed), self.resamples.drawn
        if drawn.shape[1] <= k:
            raise UnmeasurableError(
                SkipReason.TOO_FEW, f"Only {drawn.shape[1]} words are frequent enough to be ranked."
            )
        shared = np.sort(_shared(drawn, k=k))
        return estimate(
            float(shared.mean()),
            bounds=lambda alpha: (quantile(shared, alpha), quantile(shared, 1 - alpha)),
            n=len(self.clusters),
            clusters=self.resamples.groups.count,
            method=f"mean of {len(shared)} pairs of resamples; the interval is where 95 % of the pairs lie",
            limits=(0.0, 1.0),
        )


def _shared(drawn: Floats, *, k: int) -> Floats:
    """(B // 2,): share of its k largest columns that a row of (B, V) has in common with a row of the other half."""
    largest = np.argpartition(-drawn, k - 1, axis=1)[:, :k]
    listed = np.zeros(drawn.shape, dtype=bool)
    np.put_along_axis(listed, largest, True, axis=1)
    half = len(drawn) // 2
    return np.asarray((listed[:half] & listed[half : 2 * half]).sum(axis=1) / k)
