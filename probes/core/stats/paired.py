"""The same items before and after: differences of paired rates."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtri
from scipy.stats import binomtest

from probes.core.records import Estimate
from probes.core.stats.clusters import Clusters, effective_n
from probes.core.stats.intervals import estimate

Bools = NDArray[np.bool_]

BESIDE = 1e-9


def paired_difference(before: Bools, after: Bools, *, clusters: Sequence[Hashable] | None = None) -> Estimate:
    """mean(after) - mean(before) of the same (n,) items.

    Shown is the score interval of Tango (1998), Statistics in Medicine 17:891. The tails use it with a continuity
    correction of half an item, which keeps each one-sided error at its nominal rate when few items change. With
    repeated clusters both use the effective sample size of the differences (Korn and Graubard 1998).

    Raises:
        ValueError: for n = 0, or arrays of unequal length.
    """
    gained, lost = _discordant(before, after)
    differences = gained.astype(np.float64) - lost
    n = len(differences)
    groups = Clusters.of(clusters, n=n)
    up, down = float(gained.sum()), float(lost.sum())
    size = effective_n(differences, groups)

    def at(alpha: float, *, correction: float) -> tuple[float, float]:
        scale = size(alpha) / n
        return tango(up * scale, down * scale, n=n * scale, alpha=alpha, correction=correction)

    method = "Tango score"
    if not groups.independent:
        method += f" on an effective sample size of {size(0.025):.1f}"
        method = groups.describe(method)
    return estimate(
        float(differences.mean()),
        bounds=lambda alpha: at(alpha, correction=0.5),
        shown=lambda alpha: at(alpha, correction=0.0),
        n=n,
        clusters=groups.count,
        method=method,
        limits=(-1.0, 1.0),
    )


def mcnemar(before: Bools, after: Bools) -> float:
    """Exact two-sided p-value that as many of the paired items change one way as the other (McNemar 1947).

    A binomial test on the items that changed; 1.0 when none did.
    """
    gained, lost = _discordant(before, after)
    changed = int(gained.sum() + lost.sum())
    return float(binomtest(int(gained.sum()), changed, 0.5).pvalue) if changed else 1.0


@lru_cache(maxsize=1 << 12)
def tango(up: float, down: float, *, n: float, alpha: float, correction: float = 0.0) -> tuple[float, float]:
    """One-sided score bounds of (up - down) / n, where `up` and `down` of `n` pairs changed either way.

    Args:
        up, down, n: counts, which need not be whole numbers.
        correction: items by which the observed difference is moved towards the hypothesis.
    """
    z, centre = -float(ndtri(alpha)), (up - down) / n

    def excess(delta: float, sign: int) -> float:
        variance = n * (2 * _lost_share(up, down, n=n, delta=delta) + delta * (1 - delta))
        distance = sign * (up - down - n * delta) - correction
        return distance - z * math.sqrt(max(variance, 0.0))

    # Beside the centre, because where nothing or everything changed the variance at the centre is zero: a false root.
    low = -1.0 if excess(-1.0, 1) <= 0 else float(brentq(excess, -1.0, centre - BESIDE, args=(1,), xtol=1e-12))
    high = 1.0 if excess(1.0, -1) <= 0 else float(brentq(excess, centre + BESIDE, 1.0, args=(-1,), xtol=1e-12))
    return low, high


def _lost_share(up: float, down: float, *, n: float, delta: float) -> float:
    """Maximum likelihood estimate of the share that changes downwards, given the difference `delta`."""
    a = 2 * n
    b = -up - down + (2 * n - up + down) * delta
    c = -down * delta * (1 - delta)
    return (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)


def _discordant(before: Bools, after: Bools) -> tuple[Bools, Bools]:
    first, second = np.asarray(before, dtype=bool), np.asarray(after, dtype=bool)
    if first.shape != second.shape:
        raise ValueError(f"pairs need arrays of equal length, not {first.shape} and {second.shape}")
    return ~first & second, first & ~second
