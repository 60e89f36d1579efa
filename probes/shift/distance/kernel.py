"""Maximum mean discrepancy: how much closer vectors of one sample lie to one another than to those of the other.

Gretton et al. (2012), A kernel two-sample test, JMLR 13:723.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import pdist, squareform

from probes.core.answers import Floats
from probes.core.records import SkipReason
from probes.core.stats.derived import UnmeasurableError
from probes.shift.distance.comparison import Comparison, Statistic


def discrepancy(vectors: Floats, pair: Comparison) -> Statistic:
    """The unbiased estimate of MMD squared between two samples of vectors, (n, width) together; 0 if they are alike.

    Gaussian kernel, its bandwidth the median distance of the pooled vectors. Only pairs of different clusters count:
    those of one cluster are alike for another reason.

    Raises:
        UnmeasurableError: where more than half of all pairs of vectors are equal.
    """
    apart = np.not_equal.outer(pair.clusters.codes, pair.clusters.codes).astype(np.float64)
    similar = gaussian_kernel(vectors) * apart
    real = _Sums.of(similar, pair.truth), _Sums.of(apart, pair.truth)
    drawn = _mmd(_Sums.of(similar, pair.drawn), _Sums.of(apart, pair.drawn))
    influence = _influence(similar, apart, pair)
    return Statistic(pair=pair, value=float(_mmd(*real)[0]), influence=influence, chance=drawn, expected=0.0)


def gaussian_kernel(vectors: Floats) -> Floats:
    """(n, n): exp(-d^2 / (2 m^2)) for (n, width) vectors at distance d, m being the median of all distances.

    Raises:
        UnmeasurableError: where m is 0.
    """
    distances = pdist(vectors)
    median = float(np.median(distances))
    if median == 0:
        raise UnmeasurableError(SkipReason.UNDEFINED, "The model gives most of these texts the same representation.")
    return np.asarray(np.exp(-(squareform(distances) ** 2) / (2 * median**2)))


class _Sums(NamedTuple):
    """Sums over ordered pairs of an (n, n) matrix, for each of B divisions: of others, of in-domain items, across."""

    others: Floats
    home: Floats
    across: Floats

    @classmethod
    def of(cls, matrix: Floats, sides: Floats) -> _Sums:
        toward = matrix @ sides
        others, total = (sides * toward).sum(axis=0), matrix.sum()
        across = toward.sum(axis=0) - others
        return cls(others, total - others - 2 * across, across)


def _mmd(similar: _Sums, pairs: _Sums) -> Floats:
    others, home, across = (s / p for s, p in zip(similar, pairs, strict=True))
    return np.asarray(others + home - 2 * across)


def _influence(similar: Floats, apart: Floats, pair: Comparison) -> Floats:
    """(n,): twice each item's own mean similarity to its side less the side's, less the same for the other side."""
    influence = np.zeros(len(similar))
    for side in (pair.other, ~pair.other):
        within, among = (matrix[np.ix_(side, side)].sum(axis=1) for matrix in (similar, apart))
        across, facing = (matrix[np.ix_(side, ~side)].sum(axis=1) for matrix in (similar, apart))
        own = (within - within.sum() / among.sum() * among) / among.sum()
        cross = (across - across.sum() / facing.sum() * facing) / facing.sum()
        influence[side] = 2 * own - 2 * cross
    return influence
