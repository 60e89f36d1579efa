"""Two samples of texts, the random divisions their difference is judged against, and what becomes of a statistic.

A permutation test: if all texts were of one kind, any other division of them into two samples would be as likely as the
real one. What belongs together (a cluster) is moved together.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from probes.core import stats
from probes.core.answers import Bools, Floats
from probes.core.records import Estimate
from probes.core.stats.clusters import Clusters, t_quantile
from probes.core.stats.intervals import estimate, no_spread

SAME = 1e-12
"""Statistics closer than this are equal: what is left is rounding."""
ANY = (-math.inf, math.inf)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """n items, in-domain ones and others.

    Attributes:
        other: (n,) is an item one of the others.
        clusters: of the n items; one may have items on both sides.
        drawn: (n, B) zeros and ones: `other` in B random divisions.
    """

    other: Bools
    clusters: Clusters
    drawn: Floats

    @classmethod
    def of(
        cls, home: Sequence[Hashable], others: Sequence[Hashable], *, rng: np.random.Generator, divisions: int = 0
    ) -> Comparison:
        """From the cluster keys of the in-domain items and of the others, in-domain ones first.

        A cluster with items on one side goes to either side in a division, and as many clusters as in truth go to each.
        The items of a cluster that is on both sides stay or swap sides together.
        """
        other = np.arange(len(home) + len(others)) >= len(home)
        clusters = Clusters.of([*home, *others], n=len(other))
        sides = np.array([clusters.sums(side.astype(float)) > 0 for side in (~other, other)])
        shared = np.logical_and(*sides)
        moved = np.empty((divisions, clusters.count), dtype=bool)
        moved[:, ~shared] = rng.permuted(np.tile(sides[1, ~shared], (divisions, 1)), axis=1)
        moved[:, shared] = rng.random((divisions, int(shared.sum()))) < 0.5
        drawn = moved[:, clusters.codes] ^ (shared[clusters.codes] & other)
        return cls(other=other, clusters=clusters, drawn=np.ascontiguousarray(drawn.T, dtype=np.float64))

    @classmethod
    def halves(cls, keys: Sequence[Hashable], *, rng: np.random.Generator) -> Comparison:
        """Two random halves of items of one kind, whose cluster keys these are; no cluster is in both."""
        clusters = Clusters.of(keys, n=len(keys))
        other = rng.permutation(clusters.count)[clusters.codes] % 2 == 1
        return cls(other=other, clusters=clusters, drawn=np.zeros((len(keys), 0)))

    @cached_property
    def least(self) -> int:
        """Clusters of the side that has fewer, of sides that have any: what the intervals rest on."""
        sides = (side for side in (self.other, ~self.other) if side.any())
        return min(len(np.unique(self.clusters.codes[side])) for side in sides)

    @property
    def truth(self) -> Floats:
        """(n, 1): the real division, in the form of `drawn`."""
        return self.other.astype(np.float64)[:, None]


@dataclass(frozen=True, kw_only=True)
class Statistic:
    """A number that two samples give, to first order a sum over items.

    Attributes:
        pair: the samples.
        value: what was found.
        influence: (n,) how far each item moves the value; sums to 0 on each side of the comparison. The infinitesimal
            jackknife (Efron 1982, The Jackknife, the Bootstrap and Other Resampling Plans).
        chance: (B,) the value in random divisions; empty where none were tried.
        expected: its mean if there were no difference, where that is known.
    """

    pair: Comparison
    value: float
    influence: Floats
    chance: Floats = field(default_factory=lambda: np.zeros(0))
    expected: float | None = None

    @property
    def by_chance(self) -> float:
        """What the value would be about if there were no difference."""
        return float(self.chance.mean()) if self.expected is None else self.expected

    def estimate(self, *, limits: tuple[float, float], above: float = 0.0) -> Estimate:
        """The value less `above`, with an interval of t times the cluster-robust error of the sum of influences.

        Near no difference the influences of a distance are of the second order and say too little. So a bound lies
        beyond what chance gives only where the permutation test rejects at the same error rate.

        Args:
            limits: the least and the largest value before `above` is taken off.
        """
        pair, error = self.pair, self._error()
        constant = no_spread(self.value, clusters=pair.least, limits=limits)

        def bounds(alpha: float) -> tuple[float, float]:
            low, high = constant(alpha) if error == 0 else self._normal(error, alpha=alpha, df=pair.least - 1)
            low, high = self._reaching(low, high, alpha=alpha)
            return low - above, high - above

        name = "linearised" if pair.clusters.independent else "linearised, cluster-robust"
        divisions = f", reconciled with {len(self.chance)} random divisions" if len(self.chance) else ""
        return estimate(
            self.value - above,
            bounds=bounds,
            n=len(pair.other),
            clusters=pair.clusters.count,
            method=f"{name}{divisions}" if error else f"no spread in the data: rule of three{divisions}",
            limits=(limits[0] - above, limits[1] - above),
        )

    def beyond_chance(self, *, limits: tuple[float, float]) -> Estimate:
        """How far the value is above what the same items give, on average, when they are divided at random."""
        found = self.estimate(limits=limits, above=self.by_chance)
        return found.model_copy(update={"method": f"less the mean of the random divisions; {found.method}"})

    def p_value(self) -> Estimate:
        """Share of the random divisions, and the real one, in which the value is at least as large (one-sided).

        With the real one counted the test is exact: Phipson and Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9:39.
        """
        found = stats.rate(np.concatenate([[True], self.chance >= self.value - SAME]))
        return found.model_copy(
            update={"method": f"{found.method} of {len(self.chance)} random divisions and the real one"}
        )

    def _error(self) -> float:
        clusters = self.pair.clusters
        error = math.sqrt(clusters.count / (clusters.count - 1) * np.square(clusters.sums(self.influence)).sum())
        return error if error > SAME * max(1.0, abs(self.value)) else 0.0

    def _normal(self, error: float, *, alpha: float, df: int) -> tuple[float, float]:
        half = t_quantile(alpha, df=df) * error
        return self.value - half, self.value + half

    def _reaching(self, low: float, high: float, *, alpha: float) -> tuple[float, float]:
        """The bounds, and as far as chance where at this error rate the value may be due to it."""
        if not len(self.chance):
            return low, high
        least = float(np.quantile(self.chance, alpha, method="lower"))
        most = float(np.quantile(self.chance, 1 - alpha, method="higher"))
        low = min(low, self.by_chance) if self.value <= most + SAME else low
        return low, max(high, self.by_chance) if self.value >= least - SAME else high


def adjusted(p_values: Sequence[Estimate]) -> list[Estimate]:
    """Corrected for their number by Holm (1979), value and bounds alike: the correction keeps their order."""
    if len(p_values) < 2:
        return list(p_values)
    low, value, high = (stats.holm([getattr(p, name) for p in p_values]) for name in ("low", "value", "high"))
    tails = [
        (stats.holm([p.tails[k].low for p in p_values]), stats.holm([p.tails[k].high for p in p_values]))
        for k in range(len(p_values[0].tails))
    ]
    return [
        p.model_copy(
            update={
                "low": float(low[at]),
                "value": float(value[at]),
                "high": float(high[at]),
                "tails": tuple(
                    tail.model_copy(update={"low": float(lows[at]), "high": float(highs[at])})
                    for tail, (lows, highs) in zip(p.tails, tails, strict=True)
                ),
                "method": f"{p.method}; Holm over {len(p_values)}",
            }
        )
        for at, p in enumerate(p_values)
    ]


def ratio_gap(amount: Floats, of: Floats, pair: Comparison) -> Statistic:
    """Sum of (n,) `amount` over sum of (n,) `of` among the others, less the same in-domain."""
    value, influence = 0.0, np.zeros(len(amount))
    for sign, side in ((1.0, pair.other), (-1.0, ~pair.other)):
        ratio = float(amount[side].sum() / of[side].sum())
        value += sign * ratio
        influence[side] = sign * (amount[side] - ratio * of[side]) / of[side].sum()
    return Statistic(pair=pair, value=value, influence=influence)


def mean_ratio(amount: Floats, of: Floats, *, clusters: Sequence[Hashable], limits: tuple[float, float]) -> Estimate:
    """Sum of (n,) `amount` over sum of (n,) `of`, the items being a sample: linearised, cluster-robust."""
    value, total = float(amount.sum() / of.sum()), float(of.sum())
    groups = Clusters.of(clusters, n=len(amount))
    alone = Comparison(other=np.ones(len(amount), dtype=bool), clusters=groups, drawn=np.zeros((len(amount), 0)))
    return Statistic(pair=alone, value=value, influence=(amount - value * of) / total).estimate(limits=limits)
