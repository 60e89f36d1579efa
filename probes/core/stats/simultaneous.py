"""The worst of several conditions, with the selection of the worst accounted for."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from probes.core.records import Estimate
from probes.core.stats.clusters import Clusters, t_quantile
from probes.core.stats.intervals import UNLIMITED, estimate, unseen_share, usual_limits
from probes.core.stats.means import mean
from probes.core.stats.proportions import rate
from probes.core.stats.resampling import resampled_weights

Floats = NDArray[np.float64]


def worst_of(
    matrix: Floats,
    *,
    clusters: Sequence[Hashable] | None = None,
    rng: np.random.Generator,
    resamples: int = 2000,
    limits: tuple[float, float] | None = None,
    least: float = -math.inf,
) -> Estimate:
    """The largest of the k column means of an (n, k) array of items by conditions.

    The largest observed mean is biased upwards. The lower bound is therefore the largest of k simultaneous bounds
    (max-t over a cluster bootstrap; Westfall and Young 1993), which hold together with error alpha. The upper bound is
    the largest of k single bounds, which needs no correction: it covers wherever the bound of the truly worst condition
    does (the intersection-union argument of Berger 1982, Technometrics 24:295).

    Args:
        matrix: per-item values where larger is worse; NaN where an item was not measured in a condition.
        clusters: (n,) keys; items with equal keys are not independent.
        rng: use a derived one, for reproducible bounds.
        resamples: number of bootstrap samples.
        limits: smallest and largest value of an item; guessed when needed as in `mean`.
        least: smallest value that the largest mean can have: 0 where the conditions are differences in both directions.

    Raises:
        ValueError: for no items, no conditions, a condition without items, or one with a single cluster unless its
            values are 0 and 1.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    groups = Clusters.of(clusters, n=len(matrix))
    conditions = [_Condition.of(column, groups, limits=limits) for column in matrix.T]
    if not conditions:
        raise ValueError("the worst of no conditions is undefined")
    critical = _critical_values(matrix, conditions, groups, rng=rng, resamples=resamples)

    def bounds(alpha: float) -> tuple[float, float]:
        z = max(-float(ndtri(alpha)), float(np.quantile(critical, 1 - alpha)))
        low = max(condition.low(z, alpha=alpha / len(conditions)) for condition in conditions)
        return low, max(condition.single.tail(alpha).high for condition in conditions)

    below, above = limits or UNLIMITED
    return estimate(
        max(condition.single.value for condition in conditions),
        bounds=bounds,
        n=len(matrix),
        clusters=groups.count,
        method=groups.describe(f"worst of {len(conditions)} by max-t (cluster bootstrap, {resamples})"),
        limits=(max(least, below), above),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition:
    """One column on its own: its estimate, its standard error, and the smallest value it could have."""

    single: Estimate
    error: float
    floor: float

    @classmethod
    def of(cls, column: Floats, groups: Clusters, *, limits: tuple[float, float] | None) -> _Condition:
        present = ~np.isnan(column)
        values, codes = column[present], groups.codes[present].tolist()
        binary = bool(np.isin(values, (0.0, 1.0)).all())
        single = rate(values == 1.0, clusters=codes) if binary else mean(values, clusters=codes, limits=limits)
        spread = single.clusters > 1 and float(np.ptp(values)) > 0
        error = math.sqrt(Clusters.of(codes, n=len(values)).variance_of_mean(values)) if spread else 0.0
        floor = (limits or ((0.0, 1.0) if binary else usual_limits(single.value)))[0]
        return cls(single=single, error=error, floor=floor)

    def low(self, z: float, *, alpha: float) -> float:
        """Lower bound with `z` standard errors; without any spread, that of the rule of three at `alpha`."""
        if self.error:
            few = t_quantile(alpha, df=self.single.clusters - 1) / -float(ndtri(alpha))
            return self.single.value - z * few * self.error
        reach = self.single.value - self.floor if math.isfinite(self.floor) else 0.0
        return self.single.value - unseen_share(alpha, clusters=self.single.clusters) * reach


def _critical_values(
    matrix: Floats, conditions: Sequence[_Condition], groups: Clusters, *, rng: np.random.Generator, resamples: int
) -> Floats:
    """(resamples,): the largest studentised upward deviation of any column mean in each bootstrap sample."""
    varying = np.array([condition.error > 0 for condition in conditions])
    if not varying.any():
        return np.zeros(1)
    present = ~np.isnan(matrix[:, varying])
    values = np.where(present, matrix[:, varying], 0.0)
    means = values.sum(axis=0) / present.sum(axis=0)
    errors = np.array([condition.error for condition in conditions if condition.error > 0])
    maxima = []
    for weights in resampled_weights(groups, rng, resamples):
        counts = weights @ present
        drawn = np.divide(weights @ values, counts, out=np.tile(means, (len(weights), 1)), where=counts > 0)
        maxima.append(((drawn - means) / errors).max(axis=1))
    return np.concatenate(maxima)
