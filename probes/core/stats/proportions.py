"""Rates: shares of items of which something is true."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainccinv, betaincinv, ndtri

from probes.core.records import Estimate
from probes.core.stats.clusters import Clusters, effective_n
from probes.core.stats.intervals import estimate

Bools = NDArray[np.bool_]


def rate(successes: Bools, *, clusters: Sequence[Hashable] | None = None) -> Estimate:
    """Share of True among (n,) items.

    The interval shown is Wilson's score interval (Wilson 1927, JASA 22:209). The tails are exact one-sided bounds
    (Clopper and Pearson 1934, Biometrika 26:404), because Wilson's one-sided error near 0 and 1 is a multiple of its
    nominal value (Cai 2005, J. Stat. Planning and Inference 131:63) and the tails decide. With repeated clusters both
    use the effective sample size (Korn and Graubard 1998), and the number of clusters at a rate of 0 or 1.

    Raises:
        ValueError: for n = 0, or another number of cluster keys than items.
    """
    return _rate(successes, clusters, name="Wilson")


def rare_rate(successes: Bools, *, clusters: Sequence[Hashable] | None = None) -> Estimate:
    """Share of True among (n,) items, for events so rare that the interval shown should be exact too.

    Clopper and Pearson (1934); repeated clusters as in `rate` (Korn and Graubard 1998).

    Raises:
        ValueError: for n = 0, or another number of cluster keys than items.
    """
    return _rate(successes, clusters, name="Clopper-Pearson")


def _rate(successes: Bools, keys: Sequence[Hashable] | None, *, name: str) -> Estimate:
    values = np.asarray(successes, dtype=np.float64)
    groups = Clusters.of(keys, n=len(values))
    value, size = float(values.mean()), effective_n(values, groups)

    def exact(alpha: float) -> tuple[float, float]:
        return clopper_pearson(value, n=size(alpha), alpha=alpha)

    def score(alpha: float) -> tuple[float, float]:
        return wilson(value, n=size(alpha), alpha=alpha)

    clustered = f"{name} on an effective sample size of {size(0.025):.1f}"
    return estimate(
        value,
        bounds=exact,
        shown=score if name == "Wilson" else exact,
        n=len(values),
        clusters=groups.count,
        method=name if groups.independent else groups.describe(clustered),
        limits=(0.0, 1.0),
    )


def wilson(value: float, *, n: float, alpha: float) -> tuple[float, float]:
    """One-sided score bounds of a proportion `value` among `n` items, which need not be a whole number."""
    z = -float(ndtri(alpha))
    centre = (value + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(value * (1 - value) / n + z**2 / (4 * n**2))
    return centre - half, centre + half


def clopper_pearson(value: float, *, n: float, alpha: float) -> tuple[float, float]:
    """One-sided exact bounds of a proportion `value` among `n` items, which need not be a whole number."""
    count = value * n
    low = 0.0 if value <= 0 else float(betaincinv(count, n - count + 1, alpha))
    high = 1.0 if value >= 1 else float(betainccinv(count + 1, n - count, alpha))
    return low, high
