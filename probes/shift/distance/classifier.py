"""Can a classifier tell two samples of vectors apart, on items that it has not seen?

Lopez-Paz and Oquab (2017), Revisiting classifier two-sample tests, ICLR. The classifier is Fisher's linear discriminant
with a shrunken covariance (Friedman 1989, J. American Statistical Association 84:165), in its least-squares form: its
scores are linear in the sides of the training items, so that one matrix product fits it anew for each of many random
divisions. Scores of cross-fitted classifiers depend on one another through their shared training items, and a test
without the refitting finds differences that are not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import solve
from scipy.stats import rankdata

from probes.core.answers import Bools, Floats, Ints
from probes.core.records import SkipReason
from probes.core.stats.derived import UnmeasurableError
from probes.shift.distance.comparison import Comparison, Statistic

FOLDS = 5
COMPARED = 20
"""Random divisions whose own errors are looked at."""
SHRINKAGE = 0.5
"""Share of the covariance that is replaced by a multiple of the identity.

So much is needed where there are about as many items as directions; logistic regression with the best of four
penalties tells the embeddings of four kinds of texts apart no better.
"""


@dataclass(frozen=True, kw_only=True)
class CrossFitted:
    """n items, each scored by a classifier fitted on the other folds.

    Attributes:
        folds: (n,) 0 to FOLDS - 1; no cluster is in two.
        smoother: (n, n) training sides -> scores, 0 within a fold.
    """

    pair: Comparison
    folds: Ints
    smoother: Floats

    @classmethod
    def of(cls, vectors: Floats, pair: Comparison, *, rng: np.random.Generator) -> CrossFitted:
        """From (n, width) vectors. Folds and scales do not depend on the sides, so divisions may share them.

        Raises:
            UnmeasurableError: where all vectors are alike.
        """
        spread = vectors.std(axis=0)
        varying = spread > 0
        if not varying.any():
            raise UnmeasurableError(SkipReason.UNDEFINED, "The model gives all these texts the same representation.")
        folds = rng.permutation(pair.clusters.count)[pair.clusters.codes] % FOLDS
        points = (vectors[:, varying] - vectors[:, varying].mean(axis=0)) / spread[varying]
        return cls(pair=pair, folds=folds, smoother=_smoother(points, folds))

    @cached_property
    def scores(self) -> Floats:
        """(n,): how much each item looks like one of the others."""
        return np.asarray(self.smoother @ self.pair.other)

    def auc(self) -> Statistic:
        """The chance that an item of the others scores above an in-domain one of the same fold, ties counting half.

        Its influences are those of LeDell, Petersen and van der Laan (2015), Electronic J. Statistics 9:1583. They take
        the classifiers as given, so they are widened by the factor by which random divisions spread more than their
        own influences say.

        Raises:
            UnmeasurableError: where no fold has items of both samples.
        """
        value, chance = self.areas()
        influence = self._placements(self.scores, self.pair.other) * self._widening(chance)
        return Statistic(pair=self.pair, value=value, influence=influence, chance=chance, expected=0.5)

    def areas(self) -> tuple[float, Floats]:
        """The area under the curve, and (B,) those of random divisions.

        Raises:
            UnmeasurableError: where no fold has items of both samples.
        """
        if not _products(self.pair.truth, self.folds).any():
            raise UnmeasurableError(SkipReason.TOO_FEW, "There are too few independent texts to test a classifier on.")
        value = self._areas(self.scores[:, None], self.pair.truth)[0]
        return float(value), self._areas(self.smoother @ self.pair.drawn, self.pair.drawn)

    def _widening(self, chance: Floats) -> float:
        """Spread of the (B,) areas of random divisions over the root mean square of their own errors, at least 1."""
        if len(chance) < COMPARED:
            return 1.0
        some = self.pair.drawn[:, :COMPARED]
        placed = [self._placements(self.smoother @ sides, sides == 1) for sides in some.T]
        squares = [np.square(self.pair.clusters.sums(each)).sum() for each in placed]
        return max(1.0, float(chance.std() / np.sqrt(np.mean(squares))))

    def a_distance(self) -> Statistic:
        """2 (1 - 2 error), the error being the mean of the two samples': 0 for chance, 2 for none at all.

        Ben-David et al. (2007), Analysis of representations for domain adaptation, NIPS. An item is called one of the
        others above the middle of the two samples' mean scores in the other folds.
        """
        other = self.pair.other
        wrong = self._wrong()
        rates = np.where(other, wrong[other].mean(), wrong[~other].mean())
        size = np.where(other, other.sum(), (~other).sum())
        value = 2 - 4 * _mean_of_both(wrong, other)
        return Statistic(pair=self.pair, value=value, influence=-2 * (wrong - rates) / size)

    def _areas(self, scores: Floats, sides: Floats) -> Floats:
        """(B,): areas under the curve for (n, B) scores and sides."""
        above = np.zeros(1)
        for fold in np.unique(self.folds):
            members = sides[self.folds == fold]
            others = members.sum(axis=0)
            ranks = rankdata(scores[self.folds == fold], axis=0)
            above = above + (ranks * members).sum(axis=0) - others * (others + 1) / 2
        return np.asarray(above / _products(sides, self.folds).sum(axis=0))

    def _placements(self, scores: Floats, other: Bools) -> Floats:
        """(n,): the placements of each item among those of the other side, within its fold and less their mean."""
        influence = np.zeros(len(scores))
        pairs = _products(other[:, None].astype(np.float64), self.folds)[:, 0]
        for fold, share in zip(np.unique(self.folds), pairs / pairs.sum(), strict=True):
            if not share:
                continue
            ours, theirs = (np.flatnonzero((self.folds == fold) & side) for side in (~other, other))
            gap = np.subtract.outer(scores[theirs], scores[ours])
            won = (gap > 0) + 0.5 * (gap == 0)
            influence[theirs] = share * (won.mean(axis=1) - won.mean()) / len(theirs)
            influence[ours] = share * (won.mean(axis=0) - won.mean()) / len(ours)
        return influence

    def _wrong(self) -> Floats:
        """(n,): 1 where an item is called what it is not."""
        other, middle = self.pair.other, np.empty_like(self.scores)
        for fold in np.unique(self.folds):
            rest = self.folds != fold
            middle[~rest] = _mean_of_both(self.scores[rest], other[rest])
        return np.asarray((self.scores > middle) != other, dtype=np.float64)


def _mean_of_both(values: Floats, other: Bools) -> float:
    """The mean of the two samples' means of (n,) values."""
    return float(values[other].mean() + values[~other].mean()) / 2


def _products(sides: Floats, folds: Ints) -> Floats:
    """(folds, B): pairs of an other and an in-domain item in each fold, for (n, B) sides."""
    members = [sides[folds == fold] for fold in np.unique(folds)]
    return np.array([each.sum(axis=0) * (len(each) - each.sum(axis=0)) for each in members])


def _smoother(points: Floats, folds: Ints) -> Floats:
    width = points.shape[1]
    result = np.zeros((len(points), len(points)))
    for fold in np.unique(folds):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        mean = points[train].mean(axis=0)
        centred = points[train] - mean
        covariance = centred.T @ centred / len(train)
        shrunken = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.trace(covariance) / width * np.eye(width)
        weights = solve(shrunken, centred.T / len(train), assume_a="pos")
        result[np.ix_(test, train)] = (points[test] - mean) @ weights
    return result
