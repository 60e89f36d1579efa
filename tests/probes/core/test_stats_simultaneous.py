"""The worst of several: what naive bounds get wrong, and what max-t bounds hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.core.stats import mean, rate, worst_of
from tests.probes.core.test_stats_proportions import consistent


def naive_worst(matrix, clusters):
    """The interval of the worst condition as if it had been chosen before."""
    column = matrix[:, np.nanmean(matrix, axis=0).argmax()]
    present = ~np.isnan(column)
    return mean(column[present], clusters=clusters and np.array(clusters)[present].tolist())


def simulate(draw, truth, *, reps, alpha=0.05, clusters=None):
    """Shares of (our lower bound, our upper bound, naive lower bound) that are on the wrong side of the truth."""
    rng, wrong = np.random.default_rng(11), np.zeros(3)
    for _ in range(reps):
        matrix = draw(rng)
        tail = worst_of(matrix, clusters=clusters, rng=rng, resamples=300).tail(alpha)
        naive = naive_worst(matrix, clusters).tail(alpha)
        wrong += [tail.low > truth, tail.high < truth, naive.low > truth]
    return wrong / reps


def test_twenty_equal_means():
    reps, alpha = 200, 0.05
    low, high, naive = simulate(lambda rng: (rng.random((200, 20)) < 0.2).astype(float), 0.2, reps=reps)
    allowed = alpha + 2.5 * np.sqrt(alpha * (1 - alpha) / reps)
    assert low <= allowed
    assert high <= allowed
    assert naive > 0.4


def test_one_worst_among_many():
    """Least favourable for the upper bound: a single condition is the worst by far."""
    p, reps, alpha = np.array([0.4, *[0.05] * 9]), 300, 0.05
    low, high, _ = simulate(lambda rng: (rng.random((200, 10)) < p).astype(float), 0.4, reps=reps)
    allowed = alpha + 2.5 * np.sqrt(alpha * (1 - alpha) / reps)
    assert low <= allowed
    assert high <= allowed


def test_numbers_in_clusters_with_gaps():
    keys = np.repeat(np.arange(40), 4)

    def draw(rng):
        matrix = rng.normal(size=(40, 8))[keys] + rng.normal(size=(160, 8))
        matrix[rng.random((160, 8)) < 0.2] = np.nan
        return matrix

    reps, alpha = 200, 0.05
    low, high, naive = simulate(draw, 0.0, reps=reps, clusters=keys.tolist())
    assert low <= alpha + 2.5 * np.sqrt(alpha * (1 - alpha) / reps)
    assert high <= alpha
    assert naive > 0.2


def test_one_condition_is_about_its_own_interval():
    x = np.random.default_rng(0).random(300) < 0.3
    worst, alone = worst_of(x[:, None].astype(float), rng=np.random.default_rng(1)), rate(x)
    assert worst.value == alone.value
    assert worst.tail(0.05).high == pytest.approx(alone.tail(0.05).high)
    assert worst.tail(0.05).low == pytest.approx(alone.tail(0.05).low, abs=0.01)


def test_value_is_the_largest_mean_of_what_was_measured():
    matrix = np.array([[0, 1, np.nan], [0, 0, 1], [1, 0, np.nan], [0, 0, 1]])
    estimate = worst_of(matrix, rng=np.random.default_rng(0))
    assert estimate.value == 1
    assert estimate.low < 0.4


def test_no_spread_at_all_is_no_certainty():
    for value in (0.0, 1.0):
        estimate = worst_of(np.full((30, 4), value), rng=np.random.default_rng(0))
        assert estimate.high - estimate.low > 0.05


@pytest.mark.parametrize("shape", [(0, 3), (5, 0)])
def test_nothing_to_compare(shape):
    with pytest.raises(ValueError):
        worst_of(np.zeros(shape), rng=np.random.default_rng(0))


def test_condition_without_items_is_refused():
    with pytest.raises(ValueError):
        worst_of(np.array([[0.0, np.nan], [1.0, np.nan]]), rng=np.random.default_rng(0))


@settings(max_examples=30)
@given(st.integers(2, 25), st.integers(1, 5), st.integers(0, 10_000), st.booleans())
def test_always_consistent(n, k, seed, binary):
    rng = np.random.default_rng(seed)
    matrix = rng.random((n, k))
    matrix = np.round(matrix) if binary else matrix
    assert consistent(worst_of(matrix, rng=rng, resamples=50))
