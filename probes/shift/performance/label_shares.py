"""What part of a difference in means comes from other shares of the labels, and what part does not.

In-domain items are reweighted until their labels have the shares they have in the other domain (post-stratification).
With a(k) and b(k) the means of the in-domain and of the other items of label k, and p(k) and q(k) its shares there:

    in-domain mean - other mean  =  sum of (p(k) - q(k)) a(k)  +  sum of q(k) (a(k) - b(k))
                                    from the shares of labels     the rest

This is the decomposition of Kitagawa (1955), JASA 50:1168, known as that of Oaxaca and Blinder. Were only the shares of
the labels different (label shift: Lipton et al. 2018, ICML), the rest would be 0.

The intervals are MOVER of the bounds of each a(k) and b(k), exact ones for rates, so that a label with few in-domain
items and no error among them does not count as known. The error of the shares, and that of their products with the
means, are added in squares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np

from probes.core.answers import Bools, Floats
from probes.core.records import Estimate
from probes.core.stats.clusters import Clusters, t_quantile
from probes.core.stats.group_means import MeanBounds
from probes.core.stats.intervals import estimate


@dataclass(frozen=True)
class Strata:
    """The n items of one domain by label.

    Attributes:
        values: (n,) whose mean is compared.
        gold: (n, K), one True a row.
        clusters: (n,) keys.
        limits: smallest and largest possible value of an item.
    """

    values: Floats
    gold: Bools
    clusters: Sequence[str]
    limits: tuple[float, float]

    @property
    def shares(self) -> Floats:
        """(K,) of the labels."""
        return np.asarray(self.gold.mean(axis=0))

    @cached_property
    def share_variances(self) -> Floats:
        """(K,) of the shares."""
        return np.array([self._clusters.variance_of_mean(column) for column in self.gold.T.astype(np.float64)])

    @cached_property
    def means(self) -> dict[int, MeanBounds]:
        """Label, as a column of `gold`, -> mean of its items; only labels that have some."""
        return {int(k): self._mean(self.gold[:, k]) for k in np.flatnonzero(self.gold.any(axis=0))}

    def _mean(self, rows: Bools) -> MeanBounds:
        keys = list(compress(self.clusters, rows))
        return MeanBounds.of(self.values[rows], Clusters.of(keys, n=len(keys)), self.limits)

    def variance_from_shares(self, by_label: Floats) -> float:
        """Variance of the sum of share times `by_label` (K,), as far as it comes from the shares."""
        return self._clusters.variance_of_mean(by_label[np.argmax(self.gold, axis=1)])

    @cached_property
    def _clusters(self) -> Clusters:
        return Clusters.of(self.clusters, n=len(self.values))

    @property
    def independent(self) -> int:
        """Number of independent items."""
        return self._clusters.count


def from_shares(home: Strata, other: Strata) -> Estimate:
    """The part of the difference in means that comes from other shares of the labels.

    Raises:
        KeyError: where the other domain has a label that no in-domain item has.
    """
    factors, errors = home.shares - other.shares, np.sqrt(home.share_variances + other.share_variances)
    terms = [_Term(float(factors[k]), float(errors[k]), home.means[k]) for k in sorted({*home.means, *other.means})]
    variance = sum(each.variance_from_shares(_values(home)) for each in (home, other))
    return _sum(terms, home, other, variance=variance)


def rest(home: Strata, other: Strata) -> Estimate:
    """The part of the difference in means that is there within the labels, at the other domain's shares of them.

    Raises:
        KeyError: where the other domain has a label that no in-domain item has.
    """
    factors, errors = other.shares, np.sqrt(other.share_variances)
    terms = [_Term(float(factors[k]), float(errors[k]), home.means[k]) for k in other.means]
    terms += [_Term(-float(factors[k]), float(errors[k]), mean) for k, mean in other.means.items()]
    return _sum(terms, home, other, variance=other.variance_from_shares(_values(home) - _values(other)))


@dataclass(frozen=True, slots=True)
class _Term:
    """A factor, made of shares, with its standard error, and the mean that it multiplies."""

    factor: float
    error: float
    mean: MeanBounds

    def distances(self, alpha: float) -> tuple[float, float, float]:
        """From the product down and up to the bounds that those of the mean give, and from both being in error."""
        low, high = (bound - self.mean.value for bound in self.mean.bounds(alpha))
        down, up = sorted((self.factor * low, self.factor * high))
        return -down, up, self.error * max(-low, high)


def _values(strata: Strata) -> Floats:
    """(K,) means of the labels; 0 where there is no item, which no share then multiplies."""
    found = np.zeros(strata.gold.shape[1])
    for label, mean in strata.means.items():
        found[label] = mean.value
    return found


def _sum(terms: Sequence[_Term], home: Strata, other: Strata, *, variance: float) -> Estimate:
    """Sum of factor times mean: the distances to the bounds add in squares (Zou and Donner 2008)."""
    value = sum(term.factor * term.mean.value for term in terms)
    count = home.independent + other.independent

    def bounds(alpha: float) -> tuple[float, float]:
        down, up, both = zip(*(term.distances(alpha) for term in terms), strict=True)
        shares = t_quantile(alpha, df=count - 2) * math.sqrt(variance)
        return value - math.hypot(*down, *both, shares), value + math.hypot(*up, *both, shares)

    return estimate(
        value,
        bounds=bounds,
        n=len(home.values) + len(other.values),
        clusters=count,
        method="post-stratification by label, MOVER of the labels' bounds",
    )
