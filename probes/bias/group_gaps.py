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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from probes.core.answers import Bools, Floats, Ints
from probes.core.records import Estimate, SkipReason
from probes.core.stats.clusters import Clusters, effective_n, t_quantile
from probes.core.stats.derived import UnmeasurableError
from probes.core.stats.differences import correlation_of_means, pairwise_differences
from probes.core.stats.intervals import Bounds, estimate, no_spread
from probes.core.stats.proportions import clopper_pearson

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
        samples = [_Sample.of(values[rows], _numbered(clusters[rows]), limits) for rows in groups.values()]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """The values of one group."""

    value: float
    bounds: Bounds

    @classmethod
    def of(cls, values: Floats, clusters: Clusters, limits: tuple[float, float] | None) -> _Sample:
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
    def rate(cls, values: Floats, clusters: Clusters) -> _Sample:
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
