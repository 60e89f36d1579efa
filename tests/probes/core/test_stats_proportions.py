"""Rates: textbook values, statsmodels, and how often the bounds are wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest
from statsmodels.stats.proportion import proportion_confint

from probes.core.records import ALPHAS
from probes.core.stats import rare_rate, rate


def seen(successes, n):
    return np.arange(n) < successes


def consistent(estimate):
    """Value inside; tails at every alpha on record, widening as alpha falls."""
    assert tuple(tail.alpha for tail in estimate.tails) == ALPHAS
    lows, highs = [tail.low for tail in estimate.tails], [tail.high for tail in estimate.tails]
    assert lows == sorted(lows, reverse=True)
    assert highs == sorted(highs)
    assert lows[0] <= estimate.value <= highs[0]
    assert estimate.low <= estimate.value <= estimate.high
    return True


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3 (score without continuity correction)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_published(successes, n, low, high):
    estimate = rate(seen(successes, n))
    assert (estimate.low, estimate.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
    assert estimate.method == "Wilson"


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [  # the same table, method 5 (Clopper-Pearson)
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0000, 0.1684),
        (1, 29, 0.0009, 0.1776),
    ],
)
def test_clopper_pearson_published(successes, n, low, high):
    estimate = rare_rate(seen(successes, n))
    assert (estimate.low, estimate.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (1, 1), (0, 50), (3, 50), (29, 412), (411, 412), (412, 412)])
def test_statsmodels_agrees(successes, n):
    wilson = proportion_confint(successes, n, alpha=0.05, method="wilson")
    exact = proportion_confint(successes, n, alpha=0.05, method="beta")
    shown, rare = rate(seen(successes, n)), rare_rate(seen(successes, n))
    assert (shown.low, shown.high) == pytest.approx(wilson, abs=1e-9)
    assert (rare.low, rare.high) == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize(("successes", "n"), [(0, 30), (3, 50), (29, 412), (50, 50)])
def test_tails_are_those_of_scipy(successes, n):
    for estimate in (rate(seen(successes, n)), rare_rate(seen(successes, n))):
        for tail in estimate.tails:
            level = 1 - tail.alpha
            low = binomtest(successes, n, alternative="greater").proportion_ci(level).low
            high = binomtest(successes, n, alternative="less").proportion_ci(level).high
            assert (tail.low, tail.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))


def test_rule_of_three():
    assert rate(seen(0, 300)).tail(0.05).high == pytest.approx(3 / 300, rel=0.01)


@pytest.mark.parametrize("n", [1, 5, 30, 100])
@pytest.mark.parametrize("alpha", [0.1, 0.05, 0.001])
def test_one_sided_error_is_never_above_alpha(n, alpha):
    """Exact: every outcome weighted by its probability, on a grid with the rates near 0 and 1."""
    tails = [rate(seen(k, n)).tail(alpha) for k in range(n + 1)]
    low, high = np.array([tail.low for tail in tails]), np.array([tail.high for tail in tails])
    for p in (0.001, 0.01, 0.03, 0.1, 0.37, 0.5, 0.9, 0.99, 0.999):
        weights = binom.pmf(np.arange(n + 1), n, p)
        assert weights[low > p].sum() <= alpha + 1e-12
        assert weights[high < p].sum() <= alpha + 1e-12


def beta_binomial(rng, *, p, correlation, clusters, size):
    """(clusters * size,) items; those of a cluster share their own rate."""
    total = 1 / correlation - 1
    own = rng.beta(p * total, (1 - p) * total, size=clusters)
    return (rng.random((clusters, size)) < own[:, None]).ravel()


@pytest.mark.parametrize(
    ("p", "correlation", "clusters", "size"),
    [(0.02, 0.8, 60, 5), (0.05, 0.3, 200, 3), (0.2, 0.3, 15, 5), (0.5, 0.8, 40, 4), (0.95, 0.3, 100, 4)],
)
def test_one_sided_error_with_clusters(p, correlation, clusters, size):
    """Ignoring clusters is wrong two to six times as often as alpha; we stay at alpha, up to the Monte Carlo error."""
    rng, reps, alpha = np.random.default_rng(7), 600, 0.05
    keys = np.repeat(np.arange(clusters), size).tolist()
    wrong, naive = np.zeros(2), 0
    for _ in range(reps):
        x = beta_binomial(rng, p=p, correlation=correlation, clusters=clusters, size=size)
        tail, plain = rate(x, clusters=keys).tail(alpha), rate(x).tail(alpha)
        wrong += [tail.low > p, tail.high < p]
        naive += (plain.low > p) + (plain.high < p)
    assert (wrong / reps <= alpha + 2.5 * np.sqrt(alpha * (1 - alpha) / reps)).all()
    assert naive > wrong.sum()


def test_repeated_clusters_that_never_differ_count_once():
    keys = np.repeat(np.arange(50), 4).tolist()
    for x in (np.zeros(200, dtype=bool), np.ones(200, dtype=bool)):
        clustered, once = rate(x, clusters=keys), rate(x[:50])
        assert (clustered.low, clustered.high) == pytest.approx((once.low, once.high))
        assert (clustered.n, clustered.clusters) == (200, 50)


def test_one_rare_event_is_not_better_than_none():
    keys = np.repeat(np.arange(100), 5).tolist()
    bounds = [rate(seen(k, 500), clusters=keys).tail(0.05).high for k in (0, 1, 2, 3)]
    assert bounds == sorted(bounds)


def test_independent_clusters_change_nothing():
    x = seen(7, 40)
    assert rate(x, clusters=[f"c{i}" for i in range(40)]) == rate(x)


def test_one_cluster_counts_as_one_item():
    estimate = rate(seen(0, 50), clusters=["same"] * 50)
    assert estimate.high == pytest.approx(rate(seen(0, 1)).high)
    assert estimate.clusters == 1


def test_few_clusters_are_said():
    keys = np.repeat(np.arange(12), 2).tolist()
    assert "only 12 independent clusters" in rate(seen(5, 24), clusters=keys).method


def test_nothing_is_not_a_rate():
    for function in (rate, rare_rate):
        with pytest.raises(ValueError, match="no items"):
            function(np.array([], dtype=bool))
        with pytest.raises(ValueError, match="cluster keys"):
            function(seen(1, 3), clusters=["a"])


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=1, max_size=60))
def test_always_consistent_inside_and_never_without_width(items):
    x, keys = np.array([item[0] for item in items]), [item[1] for item in items]
    for function in (rate, rare_rate):
        for estimate in (function(x), function(x, clusters=keys)):
            assert consistent(estimate)
            assert 0 <= estimate.low < estimate.high <= 1


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=2, max_size=40), st.randoms())
def test_order_of_items_does_not_matter(items, random):
    shuffled = list(items)
    random.shuffle(shuffled)
    first, second = (rate(np.array([i[0] for i in part]), clusters=[i[1] for i in part]) for part in (items, shuffled))
    assert first.low == pytest.approx(second.low, abs=1e-12)
    assert first.high == pytest.approx(second.high, abs=1e-12)
