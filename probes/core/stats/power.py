"""How much data a decision needs, and how small an effect the data at hand can show.

Before there are data: the normal approximations of Chow, Shao and Wang 2008, Sample Size Calculations in Clinical
Research. With data: from the bounds themselves, so that clusters and any kind of number are accounted for.
"""

from __future__ import annotations

import math

from scipy.special import ndtri

from probes.core.records import Estimate

ENDLESS = 10**9

POWER = 0.8
"""Chance of a decision where the truth is as assumed (Cohen 1988, Statistical Power Analysis, section 2.4)."""


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
    return scaled_n(estimate.n, distance / abs(gap))


def scaled_n(n: int, ratio: float) -> int | None:
    """Items that shrink an error `ratio` times as large as it may be on `n` items; None for more than 10^9."""
    if ratio > math.sqrt(ENDLESS / n):
        return None
    return max(1, math.ceil(n * ratio**2))


def detectable_effect(estimate: Estimate, *, alpha: float, power: float = POWER) -> float:
    """The smallest distance beyond a threshold that data like these show with this power, in units of the value.

    The standard error is taken from the wider side of the bounds: on the other one, a number at the end of its range
    has no spread at all, such as a rate of 0.

    Args:
        estimate: with bounds at `alpha` or stricter.
        alpha: one-sided error rate of the decision; rates stricter than those on record are read off the strictest.
        power: chance of showing it.
    """
    strictest = min(tail.alpha for tail in estimate.tails)
    tail = estimate.tail(max(alpha, strictest))
    reach = max(tail.high - estimate.value, estimate.value - tail.low)
    return reach / -float(ndtri(tail.alpha)) * _distance(alpha, power)


def n_for_rate(rate: float, *, margin: float, alpha: float, power: float = POWER) -> int:
    """Independent items that show a true `rate` to be `margin` or more on its side of a threshold.

    Without any event, or with nothing else (a rate of 0 or 1), the number whose exact bound is at most `margin` away,
    whatever the power: the rule of three (Hanley and Lippman-Hand 1983, JAMA 249:1743).
    """
    if rate in (0.0, 1.0):
        return 1 if margin >= 1 else math.ceil(math.log(alpha) / math.log1p(-margin))
    return math.ceil(rate * (1 - rate) * (_distance(alpha, power) / margin) ** 2)


def n_for_paired(
    discordant: float, *, margin: float, difference: float = 0.0, alpha: float, power: float = POWER
) -> int:
    """Pairs that show a true paired `difference` of rates to be `margin` away from a threshold.

    Args:
        discordant: share of the pairs that come out differently, either way; at least the size of the difference.
        margin: distance of the difference from the threshold.
        difference: the true one.
        alpha: one-sided error rate.
        power: chance of showing it.
    """
    variance = max(discordant, abs(difference)) - difference**2
    return math.ceil(variance * (_distance(alpha, power) / margin) ** 2)


def n_for_difference(rates: tuple[float, float], *, margin: float, alpha: float, power: float = POWER) -> int:
    """Independent items in each of two groups that show the difference of their true `rates` to be `margin` away from a
    threshold."""
    variance = sum(rate * (1 - rate) for rate in rates)
    return math.ceil(variance * (_distance(alpha, power) / margin) ** 2)


def n_for_ratio(rates: tuple[float, float], *, threshold: float, alpha: float, power: float = POWER) -> int:
    """Independent items in each of two groups that show on which side of a threshold the first of their true `rates`
    divided by the second lies, on the logarithmic scale (Katz et al. 1978, Biometrics 34:469)."""
    variance = sum((1 - rate) / rate for rate in rates)
    return math.ceil(variance * (_distance(alpha, power) / math.log(rates[0] / rates[1] / threshold)) ** 2)


def _distance(alpha: float, power: float) -> float:
    """Standard errors between the threshold and a truth that is shown with this power."""
    return -float(ndtri(alpha)) + float(ndtri(power))
