"""How large a signed difference is, whichever way it points."""

from __future__ import annotations

from probes.core.records import ALPHAS, Estimate, Tail


def magnitude(estimate: Estimate) -> Estimate:
    """|theta| from an estimate of theta, such as a score gap between two groups of which neither was named in advance.

    Since the sign is read off the same data, the lower bound at error rate alpha comes from theta's bounds at alpha / 2
    on both sides (zero where these enclose zero), or at the next stricter rate on record; where none is, it is zero.
    The upper bound at alpha is the larger magnitude of theta's two bounds at alpha: |theta| exceeds it only if theta
    lies beyond the one of them on its own side.

    Raises:
        ValueError: when the estimate carries no tails.
    """
    if not estimate.tails:
        raise ValueError("the estimate carries no one-sided bounds")
    value = abs(estimate.value)
    return estimate.model_copy(
        update={
            "value": value,
            "low": _nearest(estimate.low, estimate.high),
            "high": max(abs(estimate.low), abs(estimate.high)),
            "method": f"{estimate.method}, magnitude",
            "tails": tuple(_tail(estimate, alpha) for alpha in ALPHAS),
        }
    )


def _tail(estimate: Estimate, alpha: float) -> Tail:
    here = estimate.tail(alpha)
    try:
        half = estimate.tail(alpha / 2)
        low = _nearest(half.low, half.high)
    except ValueError:  # no bound that strict on record
        low = 0.0
    return Tail(alpha=alpha, low=low, high=max(abs(here.low), abs(here.high)))


def _nearest(low: float, high: float) -> float:
    """The distance of an interval from zero."""
    return max(0.0, low, -high)
