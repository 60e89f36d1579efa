"""Frechet distance between two samples of vectors, each taken for a normal distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from probes.core.answers import Floats
from probes.core.records import SkipReason
from probes.core.stats.derived import UnmeasurableError
from probes.shift.distance.comparison import Comparison, Statistic


def frechet(vectors: Floats, pair: Comparison) -> Statistic:
    """Squared Frechet distance of two samples of vectors, (n, width) together: 0 for equal means and covariances.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), Dowson and Landau (1982), J. Multivariate Analysis 12:450. Covariances
    are shrunken towards a multiple of the identity (Ledoit and Wolf 2004, J. Multivariate Analysis 88:365): in a sample
    not many times larger than the width they are all but singular. It is biased upwards in samples of a few hundred
    (Chong and Forsyth 2020, CVPR), so it means something beside the distance of two samples of one kind only. The
    influences are those of Rippl, Munk and Sturm (2016), J. Multivariate Analysis 151:90.

    Raises:
        UnmeasurableError: where the vectors of a sample are all alike.
    """
    home, others = Gaussian.of(vectors[~pair.other]), Gaussian.of(vectors[pair.other])
    moved = transport(home.covariance, others.covariance)
    value = squared_distance(home, others, moved)
    influence = np.empty(len(vectors))
    influence[~pair.other] = home.influence(vectors[~pair.other], towards=others, moved=moved[0])
    influence[pair.other] = others.influence(vectors[pair.other], towards=home, moved=moved[1])
    return Statistic(pair=pair, value=value, influence=influence)


@dataclass(frozen=True, kw_only=True)
class Gaussian:
    """A normal distribution fitted to vectors.

    Attributes:
        mean: (width,).
        covariance: (width, width).
        shrinkage: share of the covariance that is a multiple of the identity.
    """

    mean: Floats
    covariance: Floats
    shrinkage: float = 0.0

    @classmethod
    def of(cls, vectors: Floats) -> Gaussian:
        """From (n, width) vectors.

        Raises:
            UnmeasurableError: where they are all alike.
        """
        from sklearn.covariance import ledoit_wolf

        if not np.ptp(vectors, axis=0).any():
            raise UnmeasurableError(SkipReason.UNDEFINED, "The model gives all texts of a kind the same vector.")
        covariance, shrinkage = ledoit_wolf(vectors)
        return cls(mean=vectors.mean(axis=0), covariance=covariance, shrinkage=float(shrinkage))

    def influence(self, vectors: Floats, *, towards: Gaussian, moved: Floats) -> Floats:
        """(n,): how far each vector that was fitted moves the squared distance; `moved` carries this one there."""
        width = len(self.mean)
        slope = np.eye(width) - moved
        slope = (1 - self.shrinkage) * slope + self.shrinkage * np.trace(slope) / width * np.eye(width)
        apart = vectors - self.mean
        each = 2 * apart @ (self.mean - towards.mean) + ((apart @ slope) * apart).sum(axis=1)
        return np.asarray((each - each.mean()) / len(vectors))


def squared_distance(first: Gaussian, second: Gaussian, moved: tuple[Floats, Floats] | None = None) -> float:
    """The squared Frechet distance of two normal distributions; `moved` is their `transport`, if it is known."""
    there, _ = moved or transport(first.covariance, second.covariance)
    between = float(np.square(first.mean - second.mean).sum())
    spread = np.trace(first.covariance) + np.trace(second.covariance) - 2 * np.trace(first.covariance @ there)
    return max(0.0, between + float(spread))


def transport(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """The (width, width) matrices that carry a centred normal distribution optimally into another, there and back.

    C1^(-1/2) (C1^(1/2) C2 C1^(1/2))^(1/2) C1^(-1/2), and its inverse. The trace of the first times C1 is that of the
    square root of C1 C2.

    Args:
        first, second: covariances, positive definite.
    """
    root, inverse = _powers(first)
    middle, back = _powers(root @ second @ root)
    return inverse @ middle @ inverse, root @ back @ root


def _powers(matrix: Floats) -> tuple[Floats, Floats]:
    """Its square root and the inverse of that."""
    values, vectors = eigh(matrix)
    roots = np.sqrt(np.maximum(values, np.finfo(np.float64).eps * values[-1]))
    return (vectors * roots) @ vectors.T, (vectors / roots) @ vectors.T
