"""Items that belong together: sums by cluster, their variance, and the sample size they are worth."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEW = 30
"""Below this many clusters variance estimates are themselves uncertain; `method` says so."""

MIN_INFORMATIVE = 5
"""A design effect seen in fewer clusters than this is not believed to be better than that of fully alike clusters."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Which cluster each of n items is in; `codes` is (n,) with values 0 to count - 1."""

    codes: Ints
    count: int

    @classmethod
    def of(cls, keys: Sequence[Hashable] | None, *, n: int) -> Clusters:
        """Number the keys, in an order that does not depend on the order of the items; None: all independent.

        Raises:
            ValueError: for no items at all, or another number of keys than items.
        """
        if n == 0:
            raise ValueError("nothing can be estimated from no items")
        if keys is None:
            return cls(np.arange(n), n)
        if len(keys) != n:
            raise ValueError(f"{len(keys)} cluster keys for {n} items")
        index = {key: code for code, key in enumerate(sorted(set(keys), key=repr))}
        return cls(np.array([index[key] for key in keys], dtype=np.int64), len(index))

    @property
    def independent(self) -> bool:
        """Every item is its own cluster."""
        return self.count == len(self.codes)

    @property
    def few(self) -> bool:
        """Fewer than FEW clusters."""
        return self.count < FEW

    def sums(self, values: Floats) -> Floats:
        """(count,): sum of the values in each cluster."""
        return np.bincount(self.codes, weights=values, minlength=self.count).astype(np.float64)

    def variance_of_mean(self, values: Floats) -> float:
        """Cluster-robust variance of the mean of (n,) values: the CR1 sandwich with C / (C - 1).

        Liang and Zeger (1986), Biometrika 73:13; Cameron and Miller (2015), J. Human Resources 50:317.
        """
        deviations = self.sums(values - values.mean())
        correction = self.count / (self.count - 1)
        return float(correction * np.square(deviations).sum() / len(values) ** 2)

    def describe(self, method: str) -> str:
        """`method` with the note that few clusters call for."""
        if self.few:
            return f"{method}; only {self.count} independent {'cluster' if self.count == 1 else 'clusters'}"
        return method


def t_quantile(alpha: float, *, df: int) -> float:
    """The value that Student's t with `df` degrees of freedom exceeds with probability `alpha`."""
    return -float(stdtrit(df, alpha))


def effective_n(values: Floats, clusters: Clusters) -> Callable[[float], float]:
    """The number of independent items that would tell as much about the mean of (n,) values as these clusters do.

    A function of the one-sided error rate, because few clusters tell less the surer one wants to be: n divided by
    the design effect (Kish 1965), times the squared ratio of t quantiles at n - 1 and C - 1 degrees of freedom, at most
    n: Korn and Graubard (1998), Survey Methodology 24:193. Where fewer than MIN_INFORMATIVE clusters hold anything but
    the commonest value the design effect cannot be seen, and is taken to be at least n / C.
    """
    n, count = len(values), clusters.count
    if count in (1, n):
        return lambda _: float(count)
    robust = clusters.variance_of_mean(values)
    if robust == 0:
        return lambda _: float(count)
    size = float(values.var()) / robust
    if _informative(values, clusters) < MIN_INFORMATIVE:
        return lambda _: min(size, float(count))

    def at(alpha: float) -> float:
        ratio = t_quantile(alpha, df=n - 1) / t_quantile(alpha, df=count - 1)
        return min(size * ratio**2, float(n))

    return at


def _informative(values: Floats, clusters: Clusters) -> int:
    distinct, frequency = np.unique(values, return_counts=True)
    unusual = values != distinct[np.argmax(frequency)]
    return int(np.count_nonzero(np.bincount(clusters.codes[unusual])))
