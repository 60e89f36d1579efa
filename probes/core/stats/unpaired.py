"""Differences of two numbers from samples that have nothing in common."""

from __future__ import annotations

import numpy as np

from probes.core.records import Estimate
from probes.core.stats.differences import pairwise_differences
from probes.core.stats.intervals import LEVEL, estimate


def difference(first: Estimate, second: Estimate) -> Estimate:
    """`first` minus `second`, of two independent samples, from the intervals of each.

    MOVER (Zou and Donner 2008, Statistics in Medicine 27:1693): the distances from the numbers to their own bounds add
    in squares, so the bounds may be of any kind and lopsided (a resampled F1, the root of a calibration error). Items
    that are in both samples make numbers differ less, and the interval is then too wide, not too narrow.

    Raises:
        ValueError: for intervals at another level than 95 %.
    """
    if not first.level == second.level == LEVEL:
        raise ValueError(f"intervals at {LEVEL:.0%} are needed")
    values = np.array([first.value, second.value])

    def between(low: tuple[float, float], high: tuple[float, float]) -> tuple[float, float]:
        lower, upper = pairwise_differences(values, np.array(low), np.array(high), correlation=np.eye(2))
        return float(lower[0, 1]), float(upper[0, 1])

    def bounds(alpha: float) -> tuple[float, float]:
        one, other = first.tail(alpha), second.tail(alpha)
        return between((one.low, other.low), (one.high, other.high))

    return estimate(
        first.value - second.value,
        bounds=bounds,
        shown=lambda _: between((first.low, second.low), (first.high, second.high)),
        n=first.n + second.n,
        clusters=first.clusters + second.clusters,
        method=f"MOVER of {' and '.join(dict.fromkeys((first.method, second.method)))} intervals",
    )
