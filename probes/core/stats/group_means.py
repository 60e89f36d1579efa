"""Means of one number in several groups of items, with bounds for every difference and ratio between two of them.

Each pair of groups has bounds by MOVER (`probes.core.stats.differences`) from the bounds of the two groups, exact ones
for rates, at any error rate: so several comparisons can share one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from probes.core.records import ALPHAS, Estimate, SkipReason
from probes.core.stats.clusters import Clusters, effective_n, t_quantile
from probes.core.stats.derived import UnmeasurableError
from probes.core.stats.differences import correlation_of_means, pairwise_differences
from probes.core.stats.intervals import Bounds, estimate, no_spread
from probes.core.stats.proportions import clopper_pearson

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ArrayBounds = Callable[[float], tuple[Floats, Floats]]
"""One-sided error rate -> (k,) lower and (k,) upper bounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMeans:
    """The means of one number in k groups.

    Attributes:
        names: of the groups.
        values: (k,).
        bounds: of each group on its own.
        correlation: (k, k) of the means: not 0 only where clusters have items in both groups.
        n, clusters: items and clusters of all groups together.
    """

    names: tuple[str, ...]
    values: Floats
    bounds: ArrayBounds
    correlation: Floats
    n: int
    clusters: int

    @classmethod
    def of(
        cls,
        values: Floats,
        groups: Mapping[str, Bools],
        *,
        clusters: Ints,
        limits: tuple[float, float] | None = None,
    ) -> GroupMeans:
        """Means of (n,) values; values of 0 and 1 are a rate.

        Args:
            groups: name -> (n,) members; disjoint, none empty.
            clusters: (n,) numbers; items with equal ones are not independent.
            limits: smallest and largest possible value, for groups without any spread.

        Raises:
            UnmeasurableError: for fewer than two groups.
        """
        if len(groups) < 2:
            found = f"only {next(iter(groups))}" if groups else "none"
            raise UnmeasurableError(SkipReason.TOO_FEW, f"Two groups with enough such items are needed; {found} has.")
        samples = [MeanBounds.of(values[rows], _numbered(clusters[rows]), limits) for rows in groups.values()]
        members = np.any(list(groups.values()), axis=0)

        @cache  # the same few error rates are asked for by every pair of groups
        def bounds(alpha: float) -> tuple[Floats, Floats]:
            low, high = zip(*(sample.bounds(alpha) for sample in samples), strict=True)
            return np.array(low), np.array(high)

        return cls(
            names=tuple(groups),
            values=np.array([sample.value for sample in samples]),
            bounds=bounds,
            correlation=correlation_of_means(values, list(groups.values()), _numbered(clusters)),
            n=int(members.sum()),
            clusters=len(np.unique(clusters[members])),
        )

    def mapped(self, function: Callable[[float], float]) -> GroupMeans:
        """The same of an increasing function of the means: what it gives of their bounds are its own."""

        def each(values: Floats) -> Floats:
            return np.array([function(float(value)) for value in values])

        def bounds(alpha: float) -> tuple[Floats, Floats]:
            low, high = self.bounds(alpha)
            return each(low), each(high)

        return replace(self, values=each(self.values), bounds=bounds)

    @property
    def comparisons(self) -> int:
        """Ordered pairs of groups."""
        return len(self.names) * (len(self.names) - 1)

    def differences(self, alpha: float) -> tuple[Floats, Floats]:
        """(k, k) single lower and upper bounds of the mean of the row's group minus that of the column's."""
        return pairwise_differences(self.values, *self.bounds(alpha), correlation=self.correlation)

    def ratios(self, alpha: float) -> tuple[Floats, Floats]:
        """(k, k) single lower and upper bounds of the mean of the row's group over that of the column's.

        Roots of the MOVER bound of m_a - ratio * m_b (Donner and Zou 2012, Statistical Methods in Medical Research
        21:347). The upper one is infinite where the column's mean may be zero.
        """
        low, high = self.bounds(alpha)
        below, above = self.values - low, high - self.values
        first, second = self.values[:, None], self.values[None, :]

        def parts(up: Floats, down: Floats) -> tuple[Floats, Floats, Floats]:
            a = np.broadcast_to(second**2 - down[None, :] ** 2, self.correlation.shape)
            b = first * second - self.correlation * np.outer(up, down)
            c = np.broadcast_to(first**2 - up[:, None] ** 2, self.correlation.shape)
            return a, b + np.sqrt(np.maximum(b**2 - a * c, 0)), c

        _, root, c = parts(below, above)
        lower = np.divide(np.maximum(c, 0), root, out=np.zeros_like(root), where=root > 0)
        a, root, _ = parts(above, below)
        upper = np.divide(root, a, out=np.full_like(root, math.inf), where=a > 1e-15)
        return lower, upper


def largest_loss(means: GroupMeans, reference: str, *, sign: int = 1) -> Estimate:
    """How far the group furthest below the reference is below it; with `sign` -1, the one furthest above, above it.

    The largest of several differences is biased upwards. Its lower bound is therefore the largest of simultaneous lower
    bounds (Bonferroni over the groups other than the reference), which is above 0 in at most alpha of all samples when
    all groups are equal. The upper bound is the largest of single ones, which needs no correction (the
    intersection-union argument of Berger 1982, Technometrics 24:295). Negative where all are better than the reference.
    """
    row = means.names.index(reference)
    others = [column for column in range(len(means.names)) if column != row]

    def from_reference(matrix: Floats) -> Floats:
        return matrix[row, others] if sign > 0 else matrix[others, row]

    def bounds(alpha: float) -> tuple[float, float]:
        low = from_reference(means.differences(alpha / len(others))[0])
        return float(low.max()), float(from_reference(means.differences(alpha)[1]).max())

    many = f", lower bound simultaneous over {len(others)}" if len(others) > 1 else ""
    return estimate(
        float((sign * (means.values[row] - means.values[others])).max()),
        bounds=bounds,
        n=means.n,
        clusters=means.clusters,
        method=f"MOVER of the groups' bounds{many}",
    )


def largest_gap(pairs: Sequence[GroupMeans], *, method: str, limits: tuple[float, float]) -> Estimate:
    """The largest of k differences, each of the first of two groups less the second; items may be in several pairs.

    As in `largest_loss` the lower bound is the largest of simultaneous ones (Bonferroni, which needs no independence)
    and the upper bound the largest single one.

    Args:
        method: how the bounds of a group were found.
        limits: smallest and largest possible difference.
    """

    def bounds(alpha: float) -> tuple[float, float]:
        low = max(float(pair.differences(alpha / len(pairs))[0][0, 1]) for pair in pairs)
        return low, max(float(pair.differences(alpha)[1][0, 1]) for pair in pairs)

    many = f", largest of {len(pairs)} with simultaneous lower bounds" if len(pairs) > 1 else ""
    return estimate(
        max(float(pair.values[0] - pair.values[1]) for pair in pairs),
        bounds=bounds,
        n=max(pair.n for pair in pairs),
        clusters=max(pair.clusters for pair in pairs),
        method=f"MOVER of {method}{many}",
        limits=limits,
    )


def relative_loss(means: GroupMeans, name: str, reference: str, *, sign: int = 1) -> Estimate:
    """How far a group is below the reference, as a share of the reference; with `sign` -1, how far above.

    From the bounds of the ratio of the two means (`GroupMeans.ratios`), which for t intervals are those of Fieller.

    Raises:
        UnmeasurableError: where the mean of the reference is not clearly above 0.
    """
    row, column = means.names.index(name), means.names.index(reference)
    if not math.isfinite(means.ratios(min(ALPHAS))[1][row, column]):
        raise UnmeasurableError(SkipReason.UNDEFINED, f"The mean of {reference} may be 0, which has no shares.")

    def loss(ratio: float) -> float:
        return sign * (1 - ratio)

    def bounds(alpha: float) -> tuple[float, float]:
        low, high = sorted(loss(float(ratio[row, column])) for ratio in means.ratios(alpha))
        return low, high

    return estimate(
        loss(float(means.values[row] / means.values[column])),
        bounds=bounds,
        n=means.n,
        clusters=means.clusters,
        method="MOVER of the ratio, from the bounds of the two means",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanBounds:
    """The mean of one group of items, and its bounds at any one-sided error rate."""

    value: float
    bounds: Bounds

    @classmethod
    def of(cls, values: Floats, clusters: Clusters, limits: tuple[float, float] | None = None) -> MeanBounds:
        """Exact bounds for values that are all 0 or 1, otherwise those of a cluster-robust t interval."""
        if np.isin(values, (0.0, 1.0)).all():
            return cls.rate(values, clusters)
        value = float(values.mean())
        if clusters.count == 1 or float(np.ptp(values)) == 0:
            within = limits or (-math.inf, math.inf)
            return cls(value=value, bounds=no_spread(value, clusters=clusters.count, limits=within))
        error = math.sqrt(clusters.variance_of_mean(values))

        def bounds(alpha: float) -> tuple[float, float]:
            half = t_quantile(alpha, df=clusters.count - 1) * error
            return value - half, value + half

        return cls(value=value, bounds=bounds)

    @classmethod
    def rate(cls, values: Floats, clusters: Clusters) -> MeanBounds:
        """Exact bounds (Clopper and Pearson) at the effective sample size."""
        value, size = float(values.mean()), effective_n(values, clusters)

        def bounds(alpha: float) -> tuple[float, float]:
            return clopper_pearson(value, n=size(alpha), alpha=alpha)

        return cls(value=value, bounds=bounds)


def cluster_numbers(clusters: Sequence[str]) -> Ints:
    """(n,) numbers, equal where the cluster keys are."""
    return np.asarray(np.unique(np.asarray(clusters, dtype=object), return_inverse=True)[1], dtype=np.int64)


def _numbered(clusters: Ints) -> Clusters:
    distinct, codes = np.unique(clusters, return_inverse=True)
    return Clusters(codes, len(distinct))
