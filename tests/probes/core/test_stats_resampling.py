"""The bootstrap: scipy's BCa, coverage, memory, degenerate data."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap as scipy_bootstrap

from probes.core.stats import bootstrap
from probes.core.stats.resampling import Resamples, quantile
from tests.probes.core.test_stats_proportions import consistent


def mean_of(values):
    return lambda weights: weights @ values / weights.sum(axis=1)


def ratio_of(x, y):
    return lambda weights: (weights @ x) / (weights @ y)


def test_scipy_bca_agrees():
    values = np.random.default_rng(0).lognormal(size=300)
    ours = bootstrap(mean_of(values), n=300, rng=np.random.default_rng(1), resamples=20_000)
    theirs = scipy_bootstrap((values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(2))
    low, high = theirs.confidence_interval
    width = high - low
    assert ours.low == pytest.approx(low, abs=0.03 * width)
    assert ours.high == pytest.approx(high, abs=0.03 * width)
    assert (ours.high - ours.value) > 1.1 * (ours.value - ours.low)  # skewed data, skewed interval


def test_scipy_bca_agrees_over_clusters():
    rng = np.random.default_rng(3)
    sums, sizes = rng.gamma(2, size=80), rng.integers(1, 6, size=80).astype(float)
    keys = np.repeat(np.arange(80), sizes.astype(int))
    values = (sums / sizes)[keys]
    ours = bootstrap(
        mean_of(values), n=len(keys), rng=np.random.default_rng(1), clusters=keys.tolist(), resamples=20_000
    )
    theirs = scipy_bootstrap(
        (sums, sizes),
        lambda s, m: s.sum() / m.sum(),
        paired=True,
        vectorized=False,
        n_resamples=20_000,
        rng=np.random.default_rng(2),
    )
    low, high = theirs.confidence_interval
    assert (ours.low, ours.high) == (
        pytest.approx(low, abs=0.04 * (high - low)),
        pytest.approx(high, abs=0.04 * (high - low)),
    )
    assert ours.clusters == 80


@pytest.mark.parametrize("clusters", [15, 60])
def test_coverage_of_a_ratio_with_clusters(clusters):
    rng, reps, covered = np.random.default_rng(5), 300, 0
    keys = np.repeat(np.arange(clusters), 4)
    for _ in range(reps):
        level = rng.gamma(4, size=clusters)[keys]
        x, y = level * rng.gamma(4, 0.25, size=len(keys)), rng.gamma(4, size=len(keys))
        e = bootstrap(ratio_of(x, y), n=len(keys), rng=rng, clusters=keys.tolist(), resamples=800)
        covered += e.low <= 1.0 <= e.high
    assert 0.92 <= covered / reps <= 0.985


def test_large_data_is_quick_and_needs_little_memory():
    values = np.random.default_rng(0).random(10_000)
    tracemalloc.start()
    start = time.perf_counter()
    bootstrap(mean_of(values), n=10_000, rng=np.random.default_rng(1))
    seconds, (_, peak) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 10  # about one second on an idle core
    assert peak < 200e6  # all weights at once would be 160 MB, counts and draws as much again each


def test_same_generator_same_estimate_whatever_the_order_of_the_items():
    values = np.random.default_rng(0).normal(size=100)
    keys = [f"{i // 2:03d}" for i in range(100)]
    first = bootstrap(mean_of(values), n=100, rng=np.random.default_rng(1), clusters=keys, resamples=300)
    again = bootstrap(mean_of(values[::-1]), n=100, rng=np.random.default_rng(1), clusters=keys[::-1], resamples=300)
    assert (first.low, first.high) == pytest.approx((again.low, again.high), abs=1e-12)


def test_one_item_or_a_perfect_score_is_no_certainty():
    one = bootstrap(mean_of(np.ones(1)), n=1, rng=np.random.default_rng(0))
    assert one.low < 0.05
    perfect = bootstrap(mean_of(np.ones(100)), n=100, rng=np.random.default_rng(0))
    assert perfect.low == pytest.approx(1 - 3.62 / 100, abs=2e-3)
    assert "no spread" in perfect.method
    with pytest.raises(ValueError, match="without limits"):
        bootstrap(mean_of(np.ones(1)), n=1, rng=np.random.default_rng(0), limits=(0, np.inf))


def test_bounds_stay_within_the_limits():
    values = (np.arange(12) < 11).astype(float)
    estimate = bootstrap(mean_of(values), n=12, rng=np.random.default_rng(0), limits=(0, 1))
    assert estimate.high <= 1
    assert all(tail.high <= 1 for tail in estimate.tails)
    assert "only 12 independent clusters" in estimate.method


def test_undefined_resamples():
    rare, often = np.arange(50) < 1, np.arange(50) < 10

    def precision(kind):
        return lambda w: np.divide(w @ kind, w @ kind, out=np.full(len(w), np.nan), where=(w @ kind) > 0)

    with pytest.raises(ValueError, match="too few items"):
        bootstrap(precision(rare), n=50, rng=np.random.default_rng(0))
    assert consistent(bootstrap(precision(often), n=50, rng=np.random.default_rng(0)))
    with pytest.raises(ValueError, match="undefined for these data"):
        bootstrap(lambda w: np.full(len(w), np.nan), n=5, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="no items"):
        bootstrap(mean_of(np.ones(0)), n=0, rng=np.random.default_rng(0))


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(-1, 1), st.integers(0, 40)), min_size=1, max_size=60))
def test_always_consistent(items):
    values, keys = np.array([item[0] for item in items]), [item[1] for item in items]
    assert consistent(
        bootstrap(mean_of(values), n=len(values), rng=np.random.default_rng(0), clusters=keys, resamples=100)
    )


def test_statistics_resampled_together_are_those_resampled_alone():
    values, keys = np.random.default_rng(1).normal(size=(60, 2)), [str(row // 2) for row in range(60)]

    def mean_of(column):
        return lambda weights: weights @ values[:, column] / weights.sum(axis=1)

    def both(weights):
        return np.stack([mean_of(0)(weights), mean_of(1)(weights), np.full(len(weights), np.nan)], axis=1)

    together = Resamples.of(both, n=60, rng=np.random.default_rng(2), clusters=keys, resamples=300)
    for column in (0, 1):
        alone = bootstrap(mean_of(column), n=60, rng=np.random.default_rng(2), clusters=keys, resamples=300)
        assert together.estimate(column) == alone
    with pytest.raises(ValueError, match="undefined"):
        together.estimate(2)


def test_quantiles_are_those_of_numpy():
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 10, 2000):
        values = np.sort(rng.normal(size=n))
        for share in (0.0, 1.0, 0.5, *rng.uniform(size=200)):
            assert quantile(values, float(share)) == np.quantile(values, share)
