"""From a rule for bounds to an `Estimate`, and what to say when the data show no spread at all."""

from __future__ import annotations

import math
from collections.abc import Callable

from probes.core.records import ALPHAS, Estimate, Tail

Bounds = Callable[[float], tuple[float, float]]
"""One-sided error rate -> (lower bound, upper bound), each at that rate."""

LEVEL = 0.95
UNLIMITED = (-math.inf, math.inf)


def estimate(
    value: float,
    *,
    bounds: Bounds,
    n: int,
    clusters: int,
    method: str,
    shown: Bounds | None = None,
    limits: tuple[float, float] = UNLIMITED,
) -> Estimate:
    """An `Estimate` with tails at every alpha on record.

    Bounds are cut to `limits`, never exclude the value, and never get tighter as alpha gets smaller.

    Args:
        bounds: for the tails.
        shown: for the two-sided interval at 95 %, where it is made by another rule than the tails.
        limits: the values the quantity can take.
    """
    tails: list[Tail] = []
    low = high = value
    for alpha in ALPHAS:
        below, above = bounds(alpha)
        low, high = min(low, max(below, limits[0])), max(high, min(above, limits[1]))
        tails.append(Tail(alpha=alpha, low=low, high=high))
    below, above = (shown or bounds)((1 - LEVEL) / 2)
    return Estimate(
        value=value,
        low=min(value, max(below, limits[0])),
        high=max(value, min(above, limits[1])),
        level=LEVEL,
        n=n,
        clusters=clusters,
        method=method,
        tails=tuple(tails),
    )


def unseen_share(alpha: float, *, clusters: int) -> float:
    """The largest share of the population that differs from all `clusters` items seen, with error rate `alpha`.

    1 - alpha^(1/n), the exact form of the rule of three (Hanley and Lippman-Hand 1983, JAMA 249:1743).
    """
    return 1 - float(alpha ** (1 / clusters))


def no_spread(value: float, *, clusters: int, limits: tuple[float, float]) -> Bounds:
    """Bounds for data that are all alike, where a standard error of zero would be a false certainty.

    A share of up to `unseen_share` of the population may differ from what was seen, and by no more than `limits` allow;
    so the mean lies within that share of the way to the limits. Infinite limits give bounds equal to the value: nothing
    can be said, and the caller must say that.
    """

    def bounds(alpha: float) -> tuple[float, float]:
        share = unseen_share(alpha, clusters=clusters)
        low, high = (limit if math.isfinite(limit) else value for limit in limits)
        return value - share * (value - low), value + share * (high - value)

    return bounds


def usual_limits(value: float) -> tuple[float, float]:
    """The limits a value suggests: a proportion when positive and at most 1, a difference of proportions down to -1."""
    if 0 < value <= 1:
        return (0.0, 1.0)
    return (-1.0, 1.0) if -1 <= value <= 0 else UNLIMITED
