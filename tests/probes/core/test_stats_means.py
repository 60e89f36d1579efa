"""Means: scipy, statsmodels, coverage, and data without spread."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from probes.core.stats import mean
from tests.probes.core.test_stats_proportions import consistent


def test_scipy_agrees():
    values = np.random.default_rng(0).normal(3, 2, size=25)
    estimate = mean(values)
    interval = ttest_1samp(values, 0).confidence_interval(0.95)
    assert (estimate.low, estimate.high) == pytest.approx((interval.low, interval.high))
    assert estimate.tail(0.025).low == pytest.approx(estimate.low)


def test_cluster_robust_error_is_that_of_statsmodels():
    rng = np.random.default_rng(1)
    keys = rng.integers(0, 20, size=150)
    values = rng.normal(size=150) + rng.normal(size=20)[keys]
    fit = sm.OLS(values, np.ones(150)).fit(cov_type="cluster", cov_kwds={"groups": keys, "use_correction": False})
    expected = fit.bse[0] * np.sqrt(20 / 19)
    estimate = mean(values, clusters=keys.tolist())
    from scipy.stats import t

    assert (estimate.high - estimate.value) / t.ppf(0.975, 19) == pytest.approx(expected)
    assert "only 20 independent clusters" in estimate.method


def test_coverage_with_clusters():
    rng, reps, covered, naive = np.random.default_rng(2), 1500, 0, 0
    keys = np.repeat(np.arange(20), 5)
    for _ in range(reps):
        values = rng.normal(size=100) + rng.normal(size=20)[keys]
        clustered, plain = mean(values, clusters=keys.tolist()), mean(values)
        covered += clustered.low <= 0 <= clustered.high
        naive += plain.low <= 0 <= plain.high
    assert 0.935 <= covered / reps <= 0.965
    assert naive / reps < 0.8


def test_no_spread_is_not_certainty():
    estimate = mean(np.zeros(20))
    assert "no spread" in estimate.method
    assert (estimate.low, estimate.high) == (pytest.approx(-0.1684, abs=1e-4), pytest.approx(0.1684, abs=1e-4))
    assert mean(np.ones(20), limits=(0, 1)).low == pytest.approx(1 - 0.1684, abs=1e-4)
    assert mean(np.ones(20), limits=(0, 1)).high == 1


def test_no_spread_bound_holds():
    """Twenty equal zeros are seen with probability (1 - mean)^20, so a mean above the bound gives them below alpha."""
    for alpha in (0.1, 0.05, 0.001):
        bound = mean(np.zeros(20), limits=(0, 1)).tail(alpha).high
        assert (1 - bound) ** 20 == pytest.approx(alpha)


def test_without_limits_no_spread_is_said():
    estimate = mean(np.full(30, 7.0))
    assert (estimate.low, estimate.high) == (7.0, 7.0)
    assert "no interval can be given" in estimate.method


def test_one_item_says_nothing():
    for keys in (None, ["a"]):
        with pytest.raises(ValueError, match="one independent item"):
            mean(np.array([0.5]), clusters=keys)
    with pytest.raises(ValueError, match="one independent item"):
        mean(np.array([0.5, 0.7]), clusters=["a", "a"])


@pytest.mark.parametrize("bad", [[], [0.5, np.nan], [0.5, np.inf]])
def test_what_is_not_a_number_is_refused(bad):
    with pytest.raises(ValueError):
        mean(np.array(bad))


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(0, 9)), min_size=2, max_size=40))
def test_always_consistent(items):
    values, keys = np.array([item[0] for item in items]), [item[1] for item in items]
    assert consistent(mean(values))
    if len(set(keys)) > 1:
        assert consistent(mean(values, clusters=keys))
