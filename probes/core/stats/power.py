"""How much data a decision needs."""

from __future__ import annotations

import math

from probes.core.records import Estimate

ENDLESS = 10**9


def needed_n(estimate: Estimate, *, threshold: float, alpha: float = 0.05) -> int | None:
    """About how many items would bring the one-sided bound past the threshold, were the value to stay as it is.

    The distance from value to bound shrinks with the square root of n. None where the value lies on the threshold, or
    so near to it that more than 10^9 items would be needed.

    Args:
        estimate: with its bounds.
        threshold: in the units of the value.
        alpha: one-sided error rate of the bound.
    """
    gap = threshold - estimate.value
    if gap == 0:
        return None
    bounds = estimate.tail(alpha) if estimate.tails else estimate
    distance = bounds.high - estimate.value if gap > 0 else estimate.value - bounds.low
    ratio = distance / abs(gap)
    if ratio > math.sqrt(ENDLESS / estimate.n):
        return None
    return max(1, math.ceil(estimate.n * ratio**2))
