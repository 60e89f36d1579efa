"""Differences of the means of groups of items, from the bounds of each group alone.

MOVER (Zou and Donner 2008, Statistics in Medicine 27:1693; with correlation, Zou 2007, Psychological Methods 12:399):
the distances from the means to their own bounds add in squares. From Wilson bounds of two rates it is the interval of
Newcombe (1998), Statistics in Medicine 17:873, method 10.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from probes.core.records import Estimate
from probes.core.stats.clusters import FEW, Clusters
from probes.core.stats.intervals import estimate
from probes.core.stats.proportions import rate

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def pairwise_differences(values: Floats, low: Floats, high: Floats, *, correlation: Floats) -> tuple[Floats, Floats]:
    """(k, k) lower and upper bounds of the mean of the row's group minus that of the column's.

    Args:
        values: (k,) means.
        low, high: (k,) bounds of each mean alone; those of the differences have the same error rate.
        correlation: (k, k) of the means.
    """
    below, above = values - low, high - values
    squares = below[:, None] ** 2 + above[None, :] ** 2 - 2 * correlation * np.outer(below, above)
    lower = values[:, None] - values[None, :] - np.sqrt(np.maximum(squares, 0))
    return lower, -lower.T


def correlation_of_means(values: Floats, groups: Sequence[Bools], clusters: Clusters) -> Floats:
    """(k, k) of the means of (n,) values in k groups, from clusters with items in both; 0 where there are none.

    A positive correlation makes the interval of a difference shorter; it is believed only from FEW shared clusters on.

    Args:
        groups: (k,) of (n,) members; disjoint, none empty.
    """
    identity = np.eye(len(groups))
    if clusters.independent:
        return identity
    present = np.array([np.bincount(clusters.codes[rows], minlength=clusters.count) > 0 for rows in groups], float)
    shared = present @ present.T
    if not (shared - np.diag(np.diag(shared))).any():
        return identity
    deviations = np.array([clusters.sums(np.where(rows, values - values[rows].mean(), 0.0)) for rows in groups])
    covariance = deviations @ deviations.T
    errors = np.sqrt(np.diag(covariance))
    scale = np.outer(errors, errors)
    found = np.clip(np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 0), -1, 1)
    believed = np.where(shared >= FEW, found, np.minimum(found, 0.0))
    return np.asarray(np.where(identity > 0, 1.0, believed), dtype=np.float64)


def rate_difference(successes: Bools, inside: Bools, *, clusters: Sequence[Hashable] | None = None) -> Estimate:
    """Share of True among the (n,) items where `inside`, minus that among all others.

    Shown is Newcombe's interval (see the module's text), from the Wilson bounds of the two shares; the tails combine
    their exact bounds likewise. Repeated clusters count in each share as in `rate`, and through the correlation of the
    two where they have items on both sides.

    Raises:
        ValueError: when no item, or every item, is inside, or for another number of cluster keys than items.
    """
    values, sides = np.asarray(successes, dtype=np.float64), (inside, ~inside)
    groups = Clusters.of(clusters, n=len(values))
    first, second = (rate(successes[side], clusters=list(compress(groups.codes.tolist(), side))) for side in sides)
    means = np.array([first.value, second.value])
    correlation = correlation_of_means(values, sides, groups)

    def between(low: Sequence[float], high: Sequence[float]) -> tuple[float, float]:
        lower, upper = pairwise_differences(means, np.array(low), np.array(high), correlation=correlation)
        return float(lower[0, 1]), float(upper[0, 1])

    def exact(alpha: float) -> tuple[float, float]:
        tails = first.tail(alpha), second.tail(alpha)
        return between([tail.low for tail in tails], [tail.high for tail in tails])

    return estimate(
        first.value - second.value,
        bounds=exact,
        shown=lambda _: between((first.low, second.low), (first.high, second.high)),
        n=len(values),
        clusters=groups.count,
        method=f"Newcombe, from {' and '.join(dict.fromkeys((first.method, second.method)))} intervals",
        limits=(-1.0, 1.0),
    )
