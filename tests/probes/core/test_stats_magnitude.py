from __future__ import annotations

import numpy as np
import pytest

from probes.core import stats
from probes.core.records import ALPHAS, Estimate


def test_the_interval_of_a_clear_difference_keeps_its_distance_from_zero():
    signed = stats.mean(np.linspace(-0.5, -0.3, 60))
    folded = stats.magnitude(signed)
    assert (folded.value, folded.low, folded.high) == pytest.approx((0.4, -signed.high, -signed.low))
    assert folded.tail(0.05).low == pytest.approx(-signed.tail(0.025).high)
    assert folded.tail(0.05).high == pytest.approx(-signed.tail(0.05).low)


def test_a_difference_that_may_be_zero_has_no_lower_bound():
    folded = stats.magnitude(stats.mean(np.array([-0.1, 0.1] * 20)))
    assert folded.value == pytest.approx(0)
    assert folded.low == 0
    assert all(tail.low == 0 for tail in folded.tails)


def test_the_strictest_rate_has_no_half_and_so_no_lower_bound():
    folded = stats.magnitude(stats.mean(np.linspace(0.3, 0.5, 60)))
    assert folded.tail(min(ALPHAS)).low == 0
    assert folded.tail(0.0025).low > 0


def test_needs_bounds():
    with pytest.raises(ValueError, match="bounds"):
        stats.magnitude(Estimate(value=0.1, low=0, high=1, n=3, clusters=3, method="none"))


@pytest.mark.parametrize("truth", [0.0, 0.02, -0.05, 0.3])
def test_bounds_keep_their_error_rate(truth):
    """Simulated: the lower and the upper bound each miss |theta| in at most alpha of the samples."""
    rng, alpha, trials = np.random.default_rng(0), 0.05, 1500
    below = above = 0
    for _ in range(trials):
        tail = stats.magnitude(stats.mean(rng.normal(truth, 0.2, size=40))).tail(alpha)
        below += tail.low > abs(truth)
        above += tail.high < abs(truth)
    slack = 3 * np.sqrt(alpha * (1 - alpha) / trials)
    assert below / trials <= alpha + slack
    assert above / trials <= alpha + slack
