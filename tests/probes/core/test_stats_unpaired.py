"""Differences of independent samples against Newcombe's published intervals, Welch's, and simulation."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.proportion import confint_proportions_2indep

from probes.core import metrics, stats
from probes.core.stats.derived import resampled
from probes.core.stats.unpaired import difference


def test_rates_as_newcombe_1998():
    # Table II, case (a), method 10: 56/70 - 48/80
    first, second = stats.rate(np.arange(70) < 56), stats.rate(np.arange(80) < 48)
    found = difference(first, second)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    low, high = confint_proportions_2indep(56, 70, 48, 80, method="newcomb")
    assert (found.low, found.high) == pytest.approx((low, high))
    assert (found.n, found.clusters) == (150, 150)


def test_as_the_difference_of_rates_of_one_table():
    rng = np.random.default_rng(0)
    right, inside = rng.random(200) < 0.7, np.arange(200) < 90
    keys = [f"c{i // 2}" for i in range(200)]
    first = stats.rate(right[inside], clusters=keys[:90])
    second = stats.rate(right[~inside], clusters=keys[90:])
    expected = stats.rate_difference(right, inside, clusters=keys)
    found = difference(first, second)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert [t.low for t in found.tails] == pytest.approx([t.low for t in expected.tails])


def test_means_nearly_as_welch():
    rng = np.random.default_rng(1)
    first, second = rng.gamma(2, 1, 120), rng.gamma(2, 2, 60)
    found = difference(stats.mean(first), stats.mean(second))
    welch = scipy_stats.ttest_ind(first, second, equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((welch.low, welch.high), abs=0.02)


def test_the_order_turns_the_sign():
    first, second = stats.rate(np.arange(70) < 56), stats.rate(np.arange(80) < 48)
    there, back = difference(first, second), difference(second, first)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert back.tail(0.01).low == pytest.approx(-there.tail(0.01).high)


def test_another_level_is_refused():
    rate = stats.rate(np.arange(70) < 56)
    with pytest.raises(ValueError, match="95%"):
        difference(rate, rate.model_copy(update={"level": 0.9}))


def test_the_interval_of_rates_covers():
    rng, covered, tails, runs = np.random.default_rng(2), 0, 0, 1000
    for _ in range(runs):
        found = difference(stats.rate(rng.random(40) < 0.9), stats.rate(rng.random(60) < 0.75))
        covered += found.low <= 0.15 <= found.high
        tails += found.tail(0.05).low > 0.15
    assert 0.93 <= covered / runs <= 0.985
    assert tails / runs <= 0.065


def macro_f1(predicted, gold, seed):
    p, g = (metrics.one_hot(column, labels=3) for column in (predicted, gold))
    return resampled(
        partial(metrics.macro_f1, p, g),
        clusters=[str(i) for i in range(len(g))],
        rng=np.random.default_rng(seed),
        resamples=300,
        limits=(0.0, 1.0),
    )


def three_labels(n, rng, skill):
    gold = rng.choice(3, size=n, p=[0.6, 0.3, 0.1])
    return np.where(rng.random(n) < skill, gold, rng.integers(0, 3, n)), gold


def test_the_interval_of_resampled_f1_covers():
    rng, runs = np.random.default_rng(3), 250
    large = [three_labels(400_000, rng, skill) for skill in (0.9, 0.6)]
    f1 = [metrics.macro_f1(*(metrics.one_hot(column, labels=3) for column in pair))[0] for pair in large]
    covered = 0
    for run in range(runs):
        first, second = (macro_f1(*three_labels(150, rng, skill), run) for skill in (0.9, 0.6))
        found = difference(first, second)
        covered += found.low <= f1[0] - f1[1] <= found.high
    assert 0.91 <= covered / runs <= 0.99
