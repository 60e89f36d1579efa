"""The bootstrap over clusters, for statistics without a formula for their error."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from probes.core.records import Estimate
from probes.core.stats.clusters import Clusters, t_quantile
from probes.core.stats.intervals import UNLIMITED, Bounds, estimate
from probes.core.stats.means import constant

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""(B, n) weights, which count how often each item is drawn -> (B,) values; NaN where undefined."""

CHUNK = 4_000_000
"""Weights held in memory at a time (32 MB)."""

MAX_UNDEFINED = 0.05
JACKKNIFE_GROUPS = 1000


def bootstrap(
    statistic: Statistic,
    *,
    n: int,
    rng: np.random.Generator,
    clusters: Sequence[Hashable] | None = None,
    resamples: int = 2000,
    limits: tuple[float, float] | None = None,
) -> Estimate:
    """Any statistic of n items with a cluster bootstrap interval.

    BCa (Efron 1987, JASA 82:171) with percentiles widened for small samples (Hesterberg 2015, Am. Statistician 69:371);
    below 30 clusters, where neither is reliable, on each side the wider of that and t times the bootstrap standard
    error. The acceleration comes from a jackknife over clusters, in at most 1000 groups. When no resample differs from
    the value (a single item, a perfect score) the bounds are those of the rule of three, as in `mean`, and `method`
    says so.

    Args:
        statistic: see `Statistic`; the value is that for weights of one.
        n: number of items.
        rng: use a derived one, for reproducible bounds.
        clusters: (n,) keys; given keys, the order of the items has no influence.
        resamples: number of bootstrap samples.
        limits: smallest and largest possible value, infinite where there is none; guessed when needed as in `mean`.

    Raises:
        ValueError: for n = 0, where the statistic is undefined for the data or for more than 5 % of the resamples, or
            for one cluster and a statistic without limits.
    """
    together = Resamples.of(
        lambda weights: statistic(weights)[:, None], n=n, rng=rng, clusters=clusters, resamples=resamples
    )
    return together.estimate(limits=limits)


@dataclass(frozen=True, kw_only=True)
class Resamples:
    """What k statistics of the same n items give, on the same resamples: one pass over the items for all of them.

    Attributes:
        values: (k,) for the items themselves.
        drawn: (B, k) for B resamples of the clusters; NaN where undefined.
        groups: the clusters resampled.
        statistics: (B, n) weights -> (B, k) values.
    """

    values: Floats
    drawn: Floats
    groups: Clusters
    statistics: Statistic

    @classmethod
    def of(
        cls,
        statistics: Statistic,
        *,
        n: int,
        rng: np.random.Generator,
        clusters: Sequence[Hashable] | None = None,
        resamples: int = 2000,
    ) -> Resamples:
        """Resample; `statistics` takes (B, n) weights and gives (B, k) values, otherwise as in `bootstrap`.

        Raises:
            ValueError: for n = 0, or where no statistic is defined for the data.
        """
        groups = Clusters.of(clusters, n=n)
        values = statistics(np.ones((1, n)))[0]
        if not np.isfinite(values).any():
            raise ValueError("the statistic is undefined for these data")
        drawn = np.concatenate([statistics(weights) for weights in resampled_weights(groups, rng, resamples)])
        return cls(values=values, drawn=drawn, groups=groups, statistics=statistics)

    @cached_property
    def left_out(self) -> Floats:
        """(J, k): with one cluster, or one of J groups of clusters, left out."""
        return _jackknife(self.statistics, self.groups)

    def estimate(
        self,
        which: int = 0,
        *,
        limits: tuple[float, float] | None = None,
        groups: Clusters | None = None,
        smooth: bool = True,
    ) -> Estimate:
        """The statistic in column `which`, with the interval that `bootstrap` describes.

        Args:
            groups: where the statistic rests on fewer items than were resampled: its own, for the small-sample rules.
            smooth: False for what is not, such as the largest of several: BCa is too short then, so that the wider of
                the two intervals is given however many clusters there are.

        Raises:
            ValueError: as `bootstrap`.
        """
        groups = groups or self.groups
        value = float(self.values[which])
        if not np.isfinite(value):
            raise ValueError("the statistic is undefined for these data")
        draws = _defined(self.drawn[:, which])
        if float(np.ptp(draws)) <= 1e-12 * max(1.0, abs(value)):
            return constant(value, groups=groups, limits=limits)
        jackknife = self.left_out[:, which]
        jackknife = jackknife[np.isfinite(jackknife)]
        name, bounds = "BCa", _bca_bounds(value, draws, jackknife=jackknife, count=groups.count)
        if groups.few or not smooth:
            name, bounds = "wider of BCa and t", _wider(bounds, _t_bounds(value, draws, count=groups.count))
        kind = "bootstrap" if self.groups.independent else "cluster bootstrap"
        return estimate(
            value,
            bounds=bounds,
            n=len(groups.codes),
            clusters=groups.count,
            method=groups.describe(f"{kind} ({name}, {len(self.drawn)})"),
            limits=limits or UNLIMITED,
        )


def resampled_weights(groups: Clusters, rng: np.random.Generator, resamples: int) -> Iterator[Floats]:
    """(b, n) chunks of item weights, `resamples` rows in all: each row draws as many clusters as there are."""
    count = groups.count
    step = max(1, CHUNK // len(groups.codes))
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = rng.integers(0, count, size=(rows, count))
        drawn += np.arange(rows)[:, None] * count
        counts = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        yield counts[:, groups.codes].astype(np.float64)


def _defined(draws: Floats) -> Floats:
    kept = draws[np.isfinite(draws)]
    if len(kept) < (1 - MAX_UNDEFINED) * len(draws):
        share = 1 - len(kept) / len(draws)
        raise ValueError(f"the statistic is undefined for {share:.0%} of the resamples: too few items of some kind")
    return np.asarray(kept, dtype=np.float64)


def _jackknife(statistic: Statistic, groups: Clusters) -> Floats:
    """Values with one cluster left out, or one of 1000 groups of clusters: the skewness they show is the same."""
    n, parts = len(groups.codes), min(groups.count, JACKKNIFE_GROUPS)
    part = groups.codes % parts
    step = max(1, CHUNK // n)
    chunks = (np.arange(start, min(start + step, parts)) for start in range(0, parts, step))
    return np.concatenate([statistic((part[None, :] != left_out[:, None]).astype(np.float64)) for left_out in chunks])


def _wider(first: Bounds, second: Bounds) -> Bounds:
    def bounds(alpha: float) -> tuple[float, float]:
        (low, high), (other_low, other_high) = first(alpha), second(alpha)
        return min(low, other_low), max(high, other_high)

    return bounds


def _t_bounds(value: float, draws: Floats, *, count: int) -> Bounds:
    error = float(draws.std(ddof=1)) * np.sqrt(count / (count - 1))

    def bounds(alpha: float) -> tuple[float, float]:
        half = t_quantile(alpha, df=count - 1) * error
        return value - half, value + half

    return bounds


def _bca_bounds(value: float, draws: Floats, *, jackknife: Floats, count: int) -> Bounds:
    below = (np.count_nonzero(draws < value) + 0.5 * np.count_nonzero(draws == value)) / len(draws)
    bias = float(ndtri(np.clip(below, 1 / len(draws), 1 - 1 / len(draws))))
    influence = jackknife.mean() - jackknife if len(jackknife) else np.zeros(1)
    spread = float(np.square(influence).sum())
    acceleration = float((influence**3).sum() / (6 * spread**1.5)) if spread > 0 else 0.0
    ordered = np.sort(draws)  # once, and not for each of the many percentiles

    def percentile(z: float) -> float:
        shifted = bias + z
        damped = 1 - acceleration * shifted
        if damped <= 0:  # the correction has left the range where it means anything
            return float(ordered[0] if z < 0 else ordered[-1])
        return quantile(ordered, float(ndtr(bias + shifted / damped)))

    def bounds(alpha: float) -> tuple[float, float]:
        z = t_quantile(alpha, df=count - 1) * float(np.sqrt(count / (count - 1)))
        return percentile(-z), percentile(z)

    return bounds


def quantile(ordered: Floats, share: float) -> float:
    """The quantile of (n,) sorted values by linear interpolation, to the last bit that of `numpy.quantile`."""
    place = share * (len(ordered) - 1)
    below = int(place)
    part = place - below
    low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
    return low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)
