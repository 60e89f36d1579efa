"""Sample sizes: published guides, statsmodels, and the error rates of decisions made on data of that size."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from statsmodels.stats.power import NormalIndPower

from probes.core.records import Estimate
from probes.core.stats import (
    detectable_effect,
    mean,
    n_for_difference,
    n_for_paired,
    n_for_rate,
    n_for_ratio,
    needed_n,
    paired_difference,
    rate,
    scaled_n,
)


@pytest.mark.parametrize(("margin", "n"), [(0.01, 5565), (0.02, 1392), (0.03, 619), (0.05, 223)])
def test_accuracy_of_nine_in_ten(margin, n):
    assert n_for_rate(0.9, margin=margin, alpha=0.05) == n


@pytest.mark.parametrize(
    ("discordant", "sizes"), [(0.05, (3092, 773, 344)), (0.1, (6183, 1546, 687)), (0.2, (12366, 3092, 1374))]
)
def test_paired_differences(discordant, sizes):
    assert tuple(n_for_paired(discordant, margin=m, alpha=0.05) for m in (0.01, 0.02, 0.03)) == sizes


@pytest.mark.parametrize(
    ("truth", "sizes"), [(1.0, (2235, 580, 249)), (0.95, (3879, 1014, 441)), (0.9, (8518, 2245, 991))]
)
def test_impact_ratio_above_four_fifths(truth, sizes):
    found = tuple(n_for_ratio((truth * base, base), threshold=0.8, alpha=0.05) for base in (0.1, 0.3, 0.5))
    assert found == sizes


@pytest.mark.parametrize(("n", "bound"), [(50, 0.058), (100, 0.030), (300, 0.010), (1000, 0.003), (3000, 0.001)])
def test_rule_of_three(n, bound):
    """Hanley and Lippman-Hand 1983: no event in n items leaves room for about 3 / n."""
    assert n_for_rate(0.0, margin=bound, alpha=0.05) == pytest.approx(n, rel=0.04)
    assert n_for_rate(1.0, margin=bound, alpha=0.05) == n_for_rate(0.0, margin=bound, alpha=0.05)
    exact = n_for_rate(0.0, margin=bound, alpha=0.05)
    assert (1 - bound) ** exact <= 0.05 < (1 - bound) ** (exact - 1)


@given(
    p=st.floats(0.02, 0.98),
    margin=st.floats(0.005, 0.2),
    alpha=st.sampled_from([0.1, 0.05, 0.025, 0.01, 0.001]),
    power=st.sampled_from([0.7, 0.8, 0.9, 0.95]),
)
def test_rates_agree_with_statsmodels(p, margin, alpha, power):
    # a one-sample z-test is what `ratio=0` means
    solved = NormalIndPower().solve_power(
        margin / math.sqrt(p * (1 - p)), alpha=alpha, power=power, ratio=0, alternative="larger"
    )
    assert n_for_rate(p, margin=margin, alpha=alpha, power=power) == pytest.approx(solved, abs=1.01)


@given(first=st.floats(0.05, 0.95), second=st.floats(0.05, 0.95), margin=st.floats(0.01, 0.3))
def test_differences_agree_with_statsmodels(first, second, margin):
    spread = math.sqrt((first * (1 - first) + second * (1 - second)) / 2)
    solved = NormalIndPower().solve_power(margin / spread, alpha=0.05, power=0.8, ratio=1, alternative="larger")
    assert n_for_difference((first, second), margin=margin, alpha=0.05) == pytest.approx(solved, abs=1.01)


@given(discordant=st.floats(0.02, 0.5), margin=st.floats(0.005, 0.2), share=st.floats(-1, 1))
def test_pairs_agree_with_statsmodels(discordant, margin, share):
    difference = share * discordant
    spread = math.sqrt(discordant - difference**2)
    solved = NormalIndPower().solve_power(margin / spread, alpha=0.05, power=0.8, ratio=0, alternative="larger")
    assert n_for_paired(discordant, margin=margin, difference=difference, alpha=0.05) == pytest.approx(solved, abs=1.01)


def test_pairs_change_at_least_by_their_difference():
    assert n_for_paired(0.05, margin=0.1, difference=0.2, alpha=0.05) == n_for_paired(
        0.2, margin=0.1, difference=0.2, alpha=0.05
    )


def test_pairs_of_the_planned_number_show_non_inferiority_with_the_planned_power():
    generator = np.random.default_rng(7)
    n = n_for_paired(0.1, margin=0.03, alpha=0.05)
    shown = 0
    for _ in range(400):
        change = generator.choice([1, -1, 0], size=n, p=[0.05, 0.05, 0.9])
        before = np.where(change == 0, True, change == -1)
        after = np.where(change == 0, True, change == 1)
        shown += paired_difference(before, after).tail(0.05).low > -0.03
    assert shown / 400 == pytest.approx(0.8, abs=0.06)


def test_groups_of_the_planned_size_show_their_ratio_with_the_planned_power():
    generator = np.random.default_rng(8)
    n = n_for_ratio((0.3, 0.3), threshold=0.8, alpha=0.05)
    one, other = generator.binomial(n, 0.3, size=(2, 20_000))
    error = np.sqrt(1 / one - 1 / n + 1 / other - 1 / n)
    bound = np.log(one / other) + ndtri(0.05) * error
    assert (bound > math.log(0.8)).mean() == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_an_effect_that_is_called_detectable_is_detected_as_often_as_is_said(alpha):
    generator = np.random.default_rng(9)
    threshold, n = 0.3, 600
    effect = detectable_effect(rate(np.arange(n) < threshold * n), alpha=alpha)
    drawn = generator.random((600, n)) < threshold + effect
    shown = [rate(items).tail(alpha).low > threshold for items in drawn]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.06)


@given(m=st.floats(0.02, 0.1))
def test_detectable_effect_is_the_margin_for_which_n_was_planned(m):
    n = n_for_rate(0.5, margin=m, alpha=0.05)
    assert detectable_effect(rate(np.arange(n) % 2 == 0), alpha=0.05) == pytest.approx(m, rel=0.1)


def test_dependent_items_show_less():
    values = np.repeat(np.arange(100) % 2 == 0, 4)
    alone = detectable_effect(rate(values), alpha=0.05)
    clustered = detectable_effect(rate(values, clusters=np.repeat(np.arange(100), 4).tolist()), alpha=0.05)
    assert clustered == pytest.approx(2 * alone, rel=0.1)


def test_a_rate_of_zero_does_not_show_the_smallest_effect():
    none_seen = detectable_effect(rate(np.zeros(50, dtype=bool)), alpha=0.05)
    assert none_seen > 0.058  # the rule of three alone, without any power


def test_effects_shrink_with_the_root_of_n_and_grow_with_power_and_strictness():
    generator = np.random.default_rng(3)
    small, large = (mean(generator.normal(size=n), clusters=None) for n in (400, 1600))
    assert detectable_effect(small, alpha=0.05) == pytest.approx(2 * detectable_effect(large, alpha=0.05), rel=0.1)
    sizes = [detectable_effect(small, alpha=0.05, power=power) for power in (0.5, 0.8, 0.9)]
    assert sizes == sorted(sizes)
    assert detectable_effect(small, alpha=0.0001) > detectable_effect(small, alpha=0.001)  # beyond the record


@given(n=st.integers(1, 10**6), ratio=st.floats(0, 100))
def test_scaled_n_is_what_needed_n_uses(n, ratio):
    estimate = Estimate(value=0.0, low=-ratio, high=ratio, n=n, clusters=n, method="m")
    assert scaled_n(n, ratio) == needed_n(estimate, threshold=1.0)
