"""The bounds of the largest gap: right by simulation, equal groups and unequal ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from probes.bias.group_gaps import largest_difference, ratio_to, ratio_to_highest, smallest_ratio
from probes.core.stats.derived import UnmeasurableError
from probes.core.stats.group_means import GroupMeans

ALPHA = 0.05


def means(rates, sizes, *, rng):
    """k groups of Bernoulli items, one cluster each."""
    parts = [(rng.random(n) < rate).astype(float) for rate, n in zip(rates, sizes, strict=True)]
    return together(parts)


def together(parts, clusters=None, limits=None):
    values = np.concatenate(parts)
    code = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    keys = np.arange(len(values)) if clusters is None else np.asarray(clusters)
    groups = {f"g{index}": code == index for index in range(len(parts))}
    return GroupMeans.of(values, groups, clusters=keys, limits=limits)


def at_most(share: float, *, of: int) -> int:
    """More than this many would show that the true share is larger (one-sided 99.9 %)."""
    return int(binom.ppf(0.999, of, share))


@pytest.mark.parametrize(
    ("rate", "sizes"),
    [(0.5, (60, 60)), (0.1, (30, 40, 200)), (0.3, (80,) * 6), (0.03, (30,) * 5)],
)
def test_equal_groups_are_called_unequal_in_at_most_alpha_of_samples(rate, sizes):
    rng, trials = np.random.default_rng(1), 250
    found = [means([rate] * len(sizes), sizes, rng=rng) for _ in range(trials)]
    alarms = sum(largest_difference(each).tail(ALPHA).low > 0 for each in found)
    below_one = sum(smallest_ratio(each).tail(ALPHA).high < 1 for each in found if each.values.max() > 0)
    assert alarms <= at_most(ALPHA, of=trials)
    assert below_one <= at_most(ALPHA, of=trials)


def test_the_plain_bootstrap_of_the_gap_would_call_equal_groups_unequal():
    """Why the interval is not a bootstrap: its lower bound hardly ever reaches 0."""
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(40):
        values = rng.random((6, 80)) < 0.3
        drawn = np.stack([rng.choice(row, size=(200, 80)).mean(axis=1) for row in values])
        alarms += np.quantile(np.ptp(drawn, axis=0), ALPHA) > 0
    assert alarms > 30


@pytest.mark.parametrize(("rates", "sizes"), [((0.5, 0.4), (100, 60)), ((0.9, 0.7, 0.75), (40, 80, 300))])
def test_the_true_gap_and_ratio_are_covered_on_both_sides(rates, sizes):
    rng, trials = np.random.default_rng(3), 250
    gap, ratio, missed = max(rates) - min(rates), min(rates) / max(rates), np.zeros(4)
    for _ in range(trials):
        found = means(rates, sizes, rng=rng)
        difference, part = largest_difference(found).tail(ALPHA), smallest_ratio(found).tail(ALPHA)
        missed += [difference.low > gap, difference.high < gap, part.low > ratio, part.high < ratio]
    assert (missed <= at_most(ALPHA, of=trials)).all()


def test_a_real_gap_is_found():
    rng = np.random.default_rng(4)
    found = [means((0.6, 0.3, 0.6), (150,) * 3, rng=rng) for _ in range(40)]
    assert sum(largest_difference(each).tail(ALPHA).low > 0 for each in found) >= 38
    assert sum(smallest_ratio(each).tail(ALPHA).high < 0.8 for each in found) >= 30


def test_a_groups_ratio_to_the_highest_is_covered_although_the_highest_is_found_in_the_data():
    rng, trials, missed = np.random.default_rng(5), 250, np.zeros(2)
    for _ in range(trials):
        tail = ratio_to_highest(means((0.4,) * 5, (60,) * 5, rng=rng), "g2").tail(ALPHA)
        missed += [tail.low > 1, tail.high < 1]
    assert (missed <= at_most(ALPHA, of=trials)).all()


def test_values_are_those_of_the_groups():
    found = together([np.repeat([1.0, 0.0], [30, 10]), np.repeat([1.0, 0.0], [10, 10]), np.repeat([1.0, 0.0], [12, 8])])
    assert largest_difference(found).value == pytest.approx(0.25)
    assert smallest_ratio(found).value == pytest.approx(0.5 / 0.75)
    assert ratio_to_highest(found, "g2").value == pytest.approx(0.6 / 0.75)
    assert ratio_to_highest(found, "g0").value == 1
    assert ratio_to(found, "g0", "g1").value == pytest.approx(1.5)
    assert ratio_to(found, "g0", "g1").high > 1.5 > ratio_to(found, "g0", "g1").low > 0


def test_mover_bounds_of_a_ratio_are_roots_of_the_bound_of_a_difference():
    """Donner and Zou: m_a - r m_b has the bound 0 at r. Checked against that definition, not against the formula."""
    found = together([np.repeat([1.0, 0.0], [9, 31]), np.repeat([1.0, 0.0], [24, 26])])
    low, high = found.bounds(ALPHA)
    lower, upper = (bound[0, 1] for bound in found.ratios(ALPHA))
    first, second = found.values
    for ratio, a, b in ((lower, first - low[0], high[1] - second), (upper, high[0] - first, second - low[1])):
        assert abs(first - ratio * second) == pytest.approx(np.hypot(a, ratio * b))
    assert lower < first / second < upper


def test_two_groups_have_newcombes_interval_built_on_exact_bounds():
    """Newcombe (1998), Statistics in Medicine 17:873, method 10 with other bounds; 56/70 - 48/80 are his data."""
    from statsmodels.stats.proportion import proportion_confint

    found = together([np.repeat([1.0, 0.0], [56, 14]), np.repeat([1.0, 0.0], [48, 32])])
    lower, upper = (bound[0, 1] for bound in found.differences(0.025))
    (l1, u1), (l2, u2) = (proportion_confint(x, n, method="beta") for x, n in ((56, 70), (48, 80)))
    assert lower == pytest.approx(0.2 - np.hypot(0.8 - l1, u2 - 0.6))
    assert upper == pytest.approx(0.2 + np.hypot(u1 - 0.8, 0.6 - l2))
    assert 0.0524 - 0.012 < lower < 0.0524  # his interval with score bounds, slightly narrower
    assert 0.3339 < upper < 0.3339 + 0.012


def test_repeated_items_widen_the_bounds():
    rng = np.random.default_rng(6)
    once = [(rng.random(60) < rate).astype(float) for rate in (0.5, 0.4)]
    keys = np.repeat(np.arange(120), 5)
    single = largest_difference(together(once))
    repeated = largest_difference(together([np.repeat(part, 5) for part in once], clusters=keys))
    naive = largest_difference(together([np.repeat(part, 5) for part in once]))
    assert repeated.value == naive.value == pytest.approx(single.value)
    assert (repeated.low, repeated.high) == pytest.approx((single.low, single.high), abs=0.01)
    assert naive.high - naive.low < 0.6 * (repeated.high - repeated.low)
    assert (naive.clusters, repeated.clusters) == (600, 120)


def test_the_same_texts_in_both_groups_are_compared_in_pairs():
    rng = np.random.default_rng(7)
    text = rng.random(200)
    parts = [(text < 0.5).astype(float), (text < 0.46).astype(float)]
    paired = largest_difference(together(parts, clusters=[*range(200), *range(200)]))
    apart = largest_difference(together(parts))
    assert paired.high - paired.value < 0.6 * (apart.high - apart.value)


def test_opposite_answers_to_the_same_texts_widen_the_bounds():
    first = np.repeat([1.0, 0.0], 50)
    opposed = largest_difference(together([first, 1 - first], clusters=[*range(100), *range(100)]))
    apart = largest_difference(together([first, 1 - first]))
    assert opposed.high > apart.high


def test_means_of_numbers_have_t_bounds():
    rng, trials = np.random.default_rng(8), 200
    found = [together([rng.normal(size=40) for _ in range(4)]) for _ in range(trials)]
    alarms = sum(largest_difference(each).tail(ALPHA).low > 0 for each in found)
    assert alarms <= at_most(ALPHA, of=trials)
    assert largest_difference(together([rng.normal(size=40), 2 + rng.normal(size=40)])).low > 1


def test_numbers_without_spread_are_not_a_certainty():
    found = largest_difference(together([np.full(40, 0.3), np.full(40, 0.6)], limits=(0.0, 1.0)))
    assert found.low < 0.3 < found.high
    zeros = largest_difference(together([np.zeros(30), np.zeros(30)]))
    assert (zeros.value, zeros.low) == (0, 0)
    assert 0.05 < zeros.high < 0.2


def test_what_cannot_be_compared():
    zero = together([np.zeros(30), np.zeros(30)])
    with pytest.raises(UnmeasurableError, match="0 in all groups"):
        smallest_ratio(zero)
    with pytest.raises(UnmeasurableError, match="reference g1 is 0"):
        ratio_to(together([np.ones(30), np.zeros(30)]), "g0", "g1")
    with pytest.raises(UnmeasurableError, match="only g0 has"):
        together([np.ones(30)])
    assert smallest_ratio(together([np.ones(30), np.zeros(30)])).value == 0
