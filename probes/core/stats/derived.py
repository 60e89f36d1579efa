"""Intervals for what is not a plain rate: functions and means of rates, and resampled statistics."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from probes.core.counts import plural
from probes.core.records import Estimate, SkipReason, Tail
from probes.core.stats.proportions import rate
from probes.core.stats.resampling import bootstrap

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
Combine = Callable[[Sequence[float], Sequence[float]], float]
"""(values, their bounds on one side) -> the bound of the whole."""

FEW = 10
"""Fewer independent items than this are not resampled, and not reported as a group."""


class UnmeasurableError(Exception):
    """A number cannot be given; becomes a `Skip`."""

    def __init__(self, reason: SkipReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def mapped(estimate: Estimate, function: Callable[[float], float], *, method: str) -> Estimate:
    """The estimate of an increasing function of what `estimate` estimates; its interval is the mapped interval."""
    return _rebuilt(
        [estimate], value=function(estimate.value), combine=lambda _, bounds: function(bounds[0]), method=method
    )


def lowered(estimate: Estimate, *, by: float, method: str) -> Estimate:
    """The estimate with lower bounds lower by the bias `by` that may be in it, but not below 0."""

    def bound(low: float) -> float:
        return min(low, max(low - by, 0.0))

    tails = tuple(tail.model_copy(update={"low": bound(tail.low)}) for tail in estimate.tails)
    return estimate.model_copy(update={"low": bound(estimate.low), "tails": tails, "method": method})


def f1_rate(hits: Bools, involved: Bools, *, clusters: Sequence[str]) -> Estimate:
    """F1 of one label, or pooled, from (n,) decisions: answered and gold (`hits`), answered or gold (`involved`).

    F1 = 2J / (1 + J) increases with the Jaccard share J = hits / involved, which is a plain rate; so the interval is
    that of the rate, mapped, and sound for few items and at 0 and 1, where resampling is not.

    Raises:
        UnmeasurableError: when no decision is involved.
    """
    if not involved.any():
        raise UnmeasurableError(SkipReason.UNDEFINED, "No item has this label, neither as gold nor as answer.")
    share = rate(hits[involved], clusters=list(compress(clusters, involved)))
    return mapped(share, f1_of_jaccard, method=f"{share.method} of the Jaccard share, mapped to F1")


def f1_of_jaccard(share: float) -> float:
    """F1 from the share of decisions that are both answered and gold among those that are either."""
    return 2 * share / (1 + share)


def mean_of_rates(successes: Bools, parts: Sequence[Bools], *, clusters: Sequence[str]) -> Estimate:
    """Unweighted mean of the rates of `successes` (n,) in disjoint, non-empty parts (n,) of the items.

    MOVER (Zou and Donner 2008, Statistics in Medicine 27:1693): the distances from values to bounds add in squares
    where no cluster is in two parts. Otherwise they add plainly, which is never too narrow.
    """
    keys = [list(compress(clusters, part)) for part in parts]
    rates = [rate(successes[part], clusters=key) for part, key in zip(parts, keys, strict=True)]
    independent = sum(len(set(key)) for key in keys) == len(set().union(*keys))

    def combine(values: Sequence[float], bounds: Sequence[float]) -> float:
        distances = [bound - value for value, bound in zip(values, bounds, strict=True)]
        total = math.copysign(math.hypot(*distances), sum(distances)) if independent else sum(distances)
        return (sum(values) + total) / len(values)

    value = sum(each.value for each in rates) / len(rates)
    mean = _rebuilt(rates, value=value, combine=combine, method=f"MOVER of {len(rates)} {rates[0].method} intervals")
    return mean.model_copy(update={"n": sum(map(len, keys)), "clusters": len(set().union(*keys))})


def resampled(
    statistic: Statistic,
    *,
    clusters: Sequence[str],
    rng: np.random.Generator,
    resamples: int,
    limits: tuple[float, float],
    unseen: Callable[[float], float] | None = None,
) -> Estimate:
    """A cluster bootstrap estimate; for data without a single error (or right answer) widened to what may be unseen.

    Args:
        statistic: (B, n) weights -> (B,) values.
        limits: smallest and largest possible value; both infinite where they are not known.
        unseen: given when all answers are right, or all wrong: share of the other kind -> value of the statistic if
            there were so many. Resampling cannot see them; the share is bounded by the rate's own interval.

    Raises:
        UnmeasurableError: for fewer than FEW clusters, where the statistic is undefined (for the data or for many
            resamples), or where the items show no spread to resample.
    """
    distinct = len(set(clusters))
    if distinct < FEW:
        found = f"Only {plural(distinct, 'independent item')}"
        raise UnmeasurableError(SkipReason.TOO_FEW, f"{found}; resampling needs {FEW}.")
    if not np.isfinite(statistic(np.ones((1, len(clusters))))).all():
        raise UnmeasurableError(SkipReason.UNDEFINED, "The number is not defined for these items (0 divided by 0).")
    try:
        estimate = bootstrap(statistic, n=len(clusters), rng=rng, clusters=clusters, resamples=resamples, limits=limits)
    except ValueError as error:
        raise UnmeasurableError(SkipReason.TOO_FEW, f"No interval can be given: {error}.") from error
    if unseen is not None:
        estimate = _widened(estimate, unseen, clusters=clusters)
    only_above = math.isinf(limits[1]) and math.isfinite(limits[0])
    if estimate.high <= (estimate.value if only_above else estimate.low):
        raise UnmeasurableError(SkipReason.TOO_FEW, "All items give the same value: nothing says how uncertain it is.")
    return estimate


def _widened(estimate: Estimate, unseen: Callable[[float], float], *, clusters: Sequence[str]) -> Estimate:
    none_seen = rate(np.zeros(len(clusters), dtype=bool), clusters=clusters)
    low = high = estimate.value
    tails: list[Tail] = []
    for tail, error in zip(estimate.tails, none_seen.tails, strict=True):
        value = unseen(error.high)
        low, high = min(low, tail.low, value), max(high, tail.high, value)
        tails.append(Tail(alpha=tail.alpha, low=low, high=high))
    value = unseen(none_seen.high)
    return estimate.model_copy(
        update={
            "low": min(estimate.low, value),
            "high": max(estimate.high, value),
            "tails": tuple(tails),
            "method": f"{estimate.method}, widened by what {none_seen.n} items may not have shown",
        }
    )


def _rebuilt(parts: Sequence[Estimate], *, value: float, combine: Combine, method: str) -> Estimate:
    values = [part.value for part in parts]
    tails = tuple(
        Tail(
            alpha=row[0].alpha,
            low=combine(values, [tail.low for tail in row]),
            high=combine(values, [tail.high for tail in row]),
        )
        for row in zip(*(part.tails for part in parts), strict=True)
    )
    return Estimate(
        value=value,
        low=combine(values, [part.low for part in parts]),
        high=combine(values, [part.high for part in parts]),
        level=parts[0].level,
        n=sum(part.n for part in parts),
        clusters=sum(part.clusters for part in parts),
        method=method,
        tails=tails,
    )
