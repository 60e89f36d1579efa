"""Differences of two independent rates: published intervals, statsmodels, and how often the bounds are wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from probes.core.stats import rate_difference
from probes.core.stats.clusters import Clusters
from probes.core.stats.differences import correlation_of_means
from tests.probes.core.test_stats_proportions import consistent


def table(a, n, b, m):
    """a of n items inside are true, and b of m others."""
    successes = np.repeat([True, False, True, False], [a, n - a, b, m - b])
    return successes, np.arange(n + m) < n


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17:873, table II, method 10 (score without continuity correction)
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0000),
        ((10, 10, 0, 10), 0.6075, 1.0000),
    ],
)
def test_published(counts, low, high):
    found = rate_difference(*table(*counts))
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
    assert found.value == pytest.approx(counts[0] / counts[1] - counts[2] / counts[3])
    assert found.method == "Newcombe, from Wilson intervals"
    assert found.n == found.clusters == counts[1] + counts[3]


counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, counts)
def test_is_that_of_statsmodels(first, second):
    found = rate_difference(*table(*first, *second))
    low, high = confint_proportions_2indep(*first, *second, method="newcomb", compare="diff")
    assert (found.low, found.high) == pytest.approx((max(low, -1), min(high, 1)), abs=1e-9)
    assert consistent(found)
    turned = rate_difference(*table(*second, *first))
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_tails_combine_exact_bounds(alpha):
    tail = rate_difference(*table(9, 30, 40, 70)).tail(alpha)
    (l1, u1), (l2, u2) = (proportion_confint(*part, alpha=2 * alpha, method="beta") for part in ((9, 30), (40, 70)))
    p1, p2 = 9 / 30, 40 / 70
    assert tail.low == pytest.approx(p1 - p2 - np.hypot(p1 - l1, u2 - p2), abs=1e-9)
    assert tail.high == pytest.approx(p1 - p2 + np.hypot(u1 - p1, p2 - l2), abs=1e-9)


def at_most(share, *, of):
    """More than this many would show that the true share is larger (one-sided 99.9 %)."""
    return int(binom.ppf(0.999, of, share))


@pytest.mark.parametrize("truth", [(0.7, 0.4), (0.05, 0.02)])
def test_bounds_are_wrong_as_seldom_as_they_say(truth):
    rng, trials, gap = np.random.default_rng(1), 300, truth[0] - truth[1]
    shown, missed = 0, np.zeros(2)
    for _ in range(trials):
        found = rate_difference(*table(int(rng.binomial(20, truth[0])), 20, int(rng.binomial(60, truth[1])), 60))
        shown += found.low <= gap <= found.high
        missed += [found.tail(0.05).low > gap, found.tail(0.05).high < gap]
    assert trials - shown <= at_most(0.05, of=trials)
    assert (missed <= at_most(0.05, of=trials)).all()


def test_repeated_items_tell_no_more():
    successes, inside = table(9, 10, 10, 20)
    once = rate_difference(successes, inside)
    thrice = rate_difference(np.tile(successes, 3), np.tile(inside, 3), clusters=[*range(30)] * 3)
    assert (thrice.n, thrice.clusters) == (90, 30)
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high), abs=0.03)
    assert "effective sample size" in thrice.method


def on_both_sides(first, second):
    """One item of each of n clusters inside, and one outside."""
    n = len(first)
    return np.concatenate([first, second]), np.arange(2 * n) < n, [*range(n)] * 2


def test_items_of_a_cluster_on_both_sides_are_compared_in_pairs():
    text = np.random.default_rng(2).random(200)
    alike = on_both_sides(text < 0.5, text < 0.46)
    paired, apart = rate_difference(*alike[:2], clusters=alike[2]), rate_difference(*alike[:2])
    assert paired.value == apart.value
    assert paired.high - paired.low < 0.6 * (apart.high - apart.low)
    opposed = on_both_sides(text < 0.5, text >= 0.5)
    assert rate_difference(*opposed[:2], clusters=opposed[2]).high > rate_difference(*opposed[:2]).high


def test_bounds_of_pairs_are_wrong_as_seldom_as_they_say():
    rng, trials, missed = np.random.default_rng(3), 250, np.zeros(2)
    for _ in range(trials):
        text, noise = rng.random(60), rng.random((2, 60)) < 0.3
        first, second = (np.where(other, rng.random(60), text) < 0.4 for other in noise)
        successes, inside, clusters = on_both_sides(first, second)
        tail = rate_difference(successes, inside, clusters=clusters).tail(0.05)
        missed += [tail.low > 0, tail.high < 0]
    assert (missed <= at_most(0.05, of=trials)).all()


def test_correlation_of_the_means_is_pearsons_where_each_cluster_has_one_item_in_each_group():
    rng = np.random.default_rng(4)
    first = rng.normal(size=50)
    second = 0.5 * first + rng.normal(size=50)
    values, inside, keys = on_both_sides(first, second)
    found = correlation_of_means(values, [inside, ~inside], Clusters.of(keys, n=100))
    assert found == pytest.approx(np.corrcoef(first, second))
    few = np.r_[0:20, 50:70]
    unbelieved = correlation_of_means(
        values[few], [inside[few], ~inside[few]], Clusters.of([keys[row] for row in few], n=40)
    )
    assert np.array_equal(unbelieved, np.eye(2)), "twenty shared clusters are too few to shorten an interval"


def test_two_sides_are_needed():
    successes = np.array([True, False])
    for inside in (np.ones(2, dtype=bool), np.zeros(2, dtype=bool)):
        with pytest.raises(ValueError, match="no items"):
            rate_difference(successes, inside)
