"""How far groups are apart: the largest difference and the smallest ratio of their means, with honest bounds.

The largest of several differences is never below zero by chance, and biased upwards: with equal groups its bootstrap
interval hardly ever holds 0. So the interval is built from the groups instead. Each pair of groups has bounds by MOVER
(`probes.core.stats.differences`) from the bounds of the two groups, exact ones for rates. Then, of all ordered pairs,

- the lower bound of the largest difference is the largest of simultaneous lower bounds (Bonferroni over the ordered
  pairs: within a few percent of Tukey's range for any number of groups, and exact for small ones). It is above 0 in at
  most alpha of all samples when the groups are equal;
- the upper bound is the largest of single upper bounds. It needs no correction, because it covers wherever that of the
  truly widest pair does (the intersection-union argument of Berger 1982, Technometrics 24:295).

Ratios mirror this: the smallest ratio is below the smallest of simultaneous upper bounds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from probes.core.answers import Floats
from probes.core.records import Estimate, SkipReason
from probes.core.stats.derived import UnmeasurableError
from probes.core.stats.group_means import GroupMeans
from probes.core.stats.intervals import Bounds, estimate


def largest_difference(*numbers: GroupMeans) -> Estimate:
    """The largest difference between two groups in any of these numbers; see the module's text."""
    comparisons = sum(means.comparisons for means in numbers)

    def bounds(alpha: float) -> tuple[float, float]:
        low = max(_between(means.differences(alpha / comparisons)[0]).max() for means in numbers)
        high = max(_between(means.differences(alpha)[1]).max() for means in numbers)
        return float(low), float(high)

    value = max(float(np.ptp(means.values)) for means in numbers)
    return _estimate(value, bounds, numbers, comparisons, limits=(0.0, math.inf))


def smallest_ratio(*numbers: GroupMeans) -> Estimate:
    """The smallest ratio of the means of two groups in any of these numbers, 0 to 1; see the module's text.

    Raises:
        UnmeasurableError: where all groups have a mean of 0.
    """
    comparisons = sum(means.comparisons for means in numbers)

    def bounds(alpha: float) -> tuple[float, float]:
        low = min(_between(means.ratios(alpha)[0]).min() for means in numbers)
        high = min(_between(means.ratios(alpha / comparisons)[1]).min() for means in numbers)
        return float(low), float(high)

    value = min(float(means.values.min()) / _highest(means) for means in numbers)
    return _estimate(value, bounds, numbers, comparisons, limits=(0.0, 1.0))


def ratio_to_highest(means: GroupMeans, name: str) -> Estimate:
    """One group's mean over the highest of all, 0 to 1: the smallest of its ratios, so bounded like `smallest_ratio`.

    Raises:
        UnmeasurableError: where all groups have a mean of 0.
    """
    row, others = means.names.index(name), len(means.names) - 1

    def bounds(alpha: float) -> tuple[float, float]:
        low = np.delete(means.ratios(alpha)[0][row], row).min()
        high = np.delete(means.ratios(alpha / others)[1][row], row).min()
        return float(low), float(high)

    return _estimate(float(means.values[row]) / _highest(means), bounds, [means], others, limits=(0.0, 1.0))


def ratio_to(means: GroupMeans, name: str, reference: str) -> Estimate:
    """One group's mean over that of a group named beforehand.

    Raises:
        UnmeasurableError: where the mean of the reference is 0.
    """
    row, column = means.names.index(name), means.names.index(reference)
    if means.values[column] <= 0:
        raise UnmeasurableError(SkipReason.UNDEFINED, f"The rate of the reference {reference} is 0.")

    def bounds(alpha: float) -> tuple[float, float]:
        low, high = means.ratios(alpha)
        return float(low[row, column]), float(high[row, column])

    value = float(means.values[row] / means.values[column])
    return _estimate(value, bounds, [means], 1, limits=(0.0, math.inf))


def _between(matrix: Floats) -> Floats:
    """The entries off the diagonal."""
    return np.asarray(matrix[~np.eye(len(matrix), dtype=bool)])


def _highest(means: GroupMeans) -> float:
    highest = float(means.values.max())
    if highest <= 0:
        raise UnmeasurableError(SkipReason.UNDEFINED, "The rate is 0 in all groups, so it has no ratio.")
    return highest


def _estimate(
    value: float, bounds: Bounds, numbers: Sequence[GroupMeans], comparisons: int, *, limits: tuple[float, float]
) -> Estimate:
    many = f", simultaneous over {comparisons} comparisons towards no difference" if comparisons > 1 else ""
    return estimate(
        value,
        bounds=bounds,
        n=max(means.n for means in numbers),
        clusters=max(means.clusters for means in numbers),
        method=f"MOVER of the groups' bounds{many}",
        limits=limits,
    )
