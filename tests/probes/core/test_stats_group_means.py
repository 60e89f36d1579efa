"""Losses against a reference group: closed forms and simulation. What bias.groups does with them is tested there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from probes.core import stats
from probes.core.records import SkipReason
from probes.core.stats.derived import UnmeasurableError
from probes.core.stats.group_means import GroupMeans, cluster_numbers, largest_loss, relative_loss


def means(limits=(0.0, 1.0), **groups):
    """Means of named arrays, every item its own cluster."""
    names = np.repeat(list(groups), [len(values) for values in groups.values()])
    return GroupMeans.of(
        np.concatenate(list(groups.values())).astype(float),
        {name: names == name for name in groups},
        clusters=np.arange(len(names)),
        limits=limits,
    )


def test_the_largest_loss_of_one_other_group_is_the_difference():
    home, other = np.arange(70) < 56, np.arange(80) < 48
    found = largest_loss(means(home=home, other=other), "home")
    expected = stats.rate_difference(np.concatenate([home, other]), np.arange(150) < 70)
    assert found.value == pytest.approx(0.2)
    for ours, theirs in zip(found.tails, expected.tails, strict=True):
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_the_largest_loss_is_that_of_the_worst_and_its_lower_bound_pays_for_the_choice():
    home, good, bad = np.arange(100) < 90, np.arange(100) < 88, np.arange(100) < 70
    both, alone = (largest_loss(g, "home") for g in (means(home=home, good=good, bad=bad), means(home=home, bad=bad)))
    assert both.value == pytest.approx(alone.value) == pytest.approx(0.2)
    assert both.low < alone.low
    assert both.tail(0.05).low == pytest.approx(alone.tail(0.025).low)
    assert both.tail(0.05).high == pytest.approx(alone.tail(0.05).high)


def test_where_all_are_better_the_largest_loss_is_negative():
    assert largest_loss(means(home=np.arange(50) < 25, a=np.arange(50) < 40), "home").value == pytest.approx(-0.3)


def test_for_errors_a_higher_mean_is_the_loss():
    rng = np.random.default_rng(0)
    home, a, b = rng.gamma(2, 1, 60), rng.gamma(2, 1.5, 60), rng.gamma(2, 3, 60)
    found = largest_loss(means(limits=(0, math.inf), home=home, a=a, b=b), "home", sign=-1)
    assert found.value == pytest.approx(b.mean() - home.mean())
    assert found.low > 0


@pytest.mark.parametrize(("n", "rate"), [(40, 0.85), (150, 0.95)])
def test_equal_groups_are_called_unequal_in_at_most_alpha_of_all_samples(n, rate):
    rng, runs, false = np.random.default_rng(n), 400, 0
    for _ in range(runs):
        groups = {name: rng.random(n) < rate for name in ("home", "a", "b", "c")}
        false += largest_loss(means(**groups), "home").tail(0.05).low > 0
    assert false / runs <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)


def test_the_upper_bound_of_the_largest_loss_covers():
    rng, runs, missed = np.random.default_rng(5), 400, 0
    for _ in range(runs):
        groups = {"home": rng.random(80) < 0.9, "a": rng.random(80) < 0.7, "b": rng.random(80) < 0.68}
        missed += largest_loss(means(**groups), "home").tail(0.05).high < 0.22
    assert missed / runs <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)


def test_a_relative_loss_of_means_as_fieller():
    rng = np.random.default_rng(6)
    home, other = rng.normal(5, 1, 50), rng.normal(4, 1, 50)
    found = relative_loss(means(limits=(-math.inf, math.inf), home=home, other=other), "other", "home")
    t = scipy_stats.t.ppf(0.975, 49)
    x, y, vx, vy = other.mean(), home.mean(), other.var(ddof=1) / 50, home.var(ddof=1) / 50
    a, b, c = y**2 - t**2 * vy, x * y, x**2 - t**2 * vx
    root = math.sqrt(b**2 - a * c)
    assert found.value == pytest.approx(1 - x / y)
    assert (found.low, found.high) == pytest.approx((1 - (b + root) / a, 1 - (b - root) / a))
    gained = relative_loss(means(limits=(-math.inf, math.inf), home=home, other=other), "other", "home", sign=-1)
    assert (gained.low, gained.high) == pytest.approx((-found.high, -found.low))


def test_a_relative_loss_of_rates_covers():
    rng, runs, covered = np.random.default_rng(7), 500, 0
    for _ in range(runs):
        found = relative_loss(means(home=rng.random(60) < 0.9, other=rng.random(60) < 0.7), "other", "home")
        covered += found.low <= 1 - 0.7 / 0.9 <= found.high
    assert covered / runs >= 0.94


def test_there_is_no_share_of_what_may_be_zero():
    with pytest.raises(UnmeasurableError) as refused:
        relative_loss(means(home=np.zeros(40), other=np.ones(40)), "other", "home")
    assert refused.value.reason is SkipReason.UNDEFINED


def test_shared_clusters_are_known_by_number():
    assert list(cluster_numbers(["b", "a", "b"])) == [1, 0, 1]
