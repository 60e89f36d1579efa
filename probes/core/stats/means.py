"""Means of numbers."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from probes.core.records import Estimate
from probes.core.stats.clusters import Clusters, t_quantile
from probes.core.stats.intervals import UNLIMITED, estimate, no_spread, usual_limits

Floats = NDArray[np.float64]


def mean(
    values: Floats, *, clusters: Sequence[Hashable] | None = None, limits: tuple[float, float] | None = None
) -> Estimate:
    """Mean of (n,) values with a t interval, cluster-robust (CR1, C - 1 degrees of freedom).

    Values that are all alike have no standard error, and an interval of width zero would be a false certainty. Then the
    bounds are those of the rule of three towards `limits` (`intervals.no_spread`), and `method` says so.

    Args:
        values: (n,) finite numbers.
        clusters: (n,) keys; items with equal keys are not independent.
        limits: the smallest and largest value an item can have, infinite where there is none. None: guessed when
            needed, as 0 and 1 for a positive mean up to 1, as -1 and 1 for one from -1 to 0, otherwise none.

    Raises:
        ValueError: for n = 0, for a single cluster, or values that are not finite.
    """
    values = np.asarray(values, dtype=np.float64)
    groups = Clusters.of(clusters, n=len(values))
    if not np.isfinite(values).all():
        raise ValueError("a mean needs finite values")
    if groups.count == 1:
        raise ValueError("one independent item says nothing about the spread of a mean")
    value = float(values.mean())
    if float(np.ptp(values)) == 0:
        return constant(float(values[0]), groups=groups, limits=limits)
    error = math.sqrt(groups.variance_of_mean(values))

    def bounds(alpha: float) -> tuple[float, float]:
        half = t_quantile(alpha, df=groups.count - 1) * error
        return value - half, value + half

    name = "Student t" if groups.independent else "cluster-robust t"
    return estimate(
        value,
        bounds=bounds,
        n=len(values),
        clusters=groups.count,
        method=groups.describe(name),
        limits=limits or UNLIMITED,
    )


def constant(value: float, *, groups: Clusters, limits: tuple[float, float] | None) -> Estimate:
    """An estimate from data that are all alike; see `intervals.no_spread`.

    Raises:
        ValueError: for a single cluster and a quantity without limits, of which nothing can be said.
    """
    within = limits or usual_limits(value)
    bounded = math.isfinite(within[0]) and math.isfinite(within[1])
    if groups.count == 1 and not bounded:
        raise ValueError("one independent item says nothing about the spread of a quantity without limits")
    how = "rule of three" if bounded else "no interval can be given where the quantity has no limit"
    return estimate(
        value,
        bounds=no_spread(value, clusters=groups.count, limits=within),
        n=len(groups.codes),
        clusters=groups.count,
        method=groups.describe(f"no spread in the data: {how}"),
        limits=within,
    )
