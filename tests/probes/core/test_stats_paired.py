"""Paired differences: published intervals, an independent likelihood, exact error rates; McNemar's test."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import multinomial, norm
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from probes.core.stats import mcnemar, paired_difference
from probes.core.stats.paired import tango
from tests.probes.core.test_stats_proportions import consistent


def table(both, lost, gained, neither):
    """Before and after for a table of counts."""
    before = np.repeat([True, True, False, False], [both, lost, gained, neither])
    after = np.repeat([True, False, True, False], [both, lost, gained, neither])
    return before, after


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [  # Fagerland, Lydersen and Laake 2014, Statistics in Medicine 33:2850, tables for both examples, Tango's interval
        ((1, 7, 1, 12), -0.517, -0.026),
        ((59, 16, 6, 80), -0.124, -0.0054),
    ],
)
def test_published_with_the_sign_of_after_minus_before(counts, low, high):
    before, after = table(*counts)
    estimate = paired_difference(before, after)
    assert (estimate.low, estimate.high) == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))
    swapped = paired_difference(after, before)
    assert (swapped.low, swapped.high) == (pytest.approx(-high, abs=5e-4), pytest.approx(-low, abs=5e-4))


def likelihood_score(up, down, n, delta):
    """Tango's statistic with the nuisance parameter found by maximising the trinomial likelihood numerically."""

    def loss(lost):
        parts = ((up, lost + delta), (down, lost), (n - up - down, 1 - 2 * lost - delta))
        return -sum(count * np.log(max(share, 1e-300)) for count, share in parts if count)

    span = (max(0.0, -delta), (1 - delta) / 2)
    lost = minimize_scalar(loss, bounds=span, method="bounded", options={"xatol": 1e-12}).x
    return (up - down - n * delta) / np.sqrt(n * (2 * lost + delta - delta**2))


@pytest.mark.parametrize(("up", "down", "n"), [(12, 3, 60), (2, 9, 40), (30, 25, 200), (5, 1, 21)])
def test_an_independent_likelihood_agrees(up, down, n):
    z, value = norm.isf(0.025), (up - down) / n
    low = brentq(lambda d: likelihood_score(up, down, n, d) - z, -0.9, value)
    high = brentq(lambda d: likelihood_score(up, down, n, d) + z, value, 0.9)
    assert tango(up, down, n=n, alpha=0.025) == pytest.approx((low, high), abs=1e-5)


@pytest.mark.parametrize(("n", "alpha"), [(15, 0.05), (40, 0.05), (40, 0.01)])
def test_one_sided_error(n, alpha):
    """Exact over all outcomes. Tango alone is wrong nearly twice as often as alpha; corrected it stays within 1.4 alpha
    everywhere and within alpha at 19 of 20 places."""
    counts = np.array([(up, down) for up in range(n + 1) for down in range(n + 1 - up)])
    outcomes = np.column_stack([counts, n - counts.sum(axis=1)])
    errors = {0.0: [], 0.5: []}
    for correction, found in errors.items():
        low = np.array([tango(u, d, n=n, alpha=alpha, correction=correction)[0] for u, d in counts.tolist()])
        for up in (0.001, 0.01, 0.05, 0.1, 0.3):
            for down in (0.0, 0.001, 0.01, 0.05, 0.1, 0.3):
                weights = multinomial.pmf(outcomes, n, [up, down, 1 - up - down])
                found.append(weights[low > up - down + 1e-12].sum())
    assert max(errors[0.5]) <= 1.4 * alpha
    assert np.mean(np.array(errors[0.5]) > alpha) <= 0.05
    assert max(errors[0.0]) > max(errors[0.5])


def test_one_sided_error_with_clusters():
    rng, reps, alpha = np.random.default_rng(4), 500, 0.05
    keys = np.repeat(np.arange(60), 5).tolist()
    wrong, naive = np.zeros(2), 0
    for _ in range(reps):
        up, down = (np.repeat(rng.random(60) < p, 5) & (rng.random(300) < 0.7) for p in (0.15, 0.1))
        before, after = down & ~up, up & ~down
        truth = 0.7 * (0.15 - 0.1)
        tail = paired_difference(before, after, clusters=keys).tail(alpha)
        plain = paired_difference(before, after).tail(alpha)
        wrong += [tail.low > truth, tail.high < truth]
        naive += (plain.low > truth) + (plain.high < truth)
    assert (wrong / reps <= alpha + 2.5 * np.sqrt(alpha * (1 - alpha) / reps)).all()
    assert naive > 2 * wrong.sum()


def test_nothing_changed_is_not_certainty():
    same = np.ones(100, dtype=bool)
    estimate = paired_difference(same, same)
    assert estimate.value == 0
    assert (estimate.low, estimate.high) == (pytest.approx(-0.037, abs=1e-3), pytest.approx(0.037, abs=1e-3))
    one = paired_difference(same[:1], same[:1])
    assert (one.low, one.high) == (pytest.approx(-0.79, abs=0.01), pytest.approx(0.79, abs=0.01))


def test_unequal_or_empty_arrays_are_refused():
    for before, after in (([True], [True, False]), ([], [])):
        with pytest.raises(ValueError):
            paired_difference(np.array(before, dtype=bool), np.array(after, dtype=bool))


def test_mcnemar_is_that_of_statsmodels():
    for counts in ((10, 9, 2, 30), (0, 1, 0, 0), (59, 6, 16, 80)):
        before, after = table(*counts)
        both, lost, gained, neither = counts
        expected = statsmodels_mcnemar([[both, lost], [gained, neither]], exact=True).pvalue
        assert mcnemar(before, after) == pytest.approx(expected)
    assert mcnemar(*table(59, 6, 16, 80)) == pytest.approx(0.052479, abs=1e-6)  # Fagerland et al. 2014
    assert mcnemar(*table(5, 0, 0, 5)) == 1.0


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 8)), min_size=1, max_size=50))
def test_always_consistent_inside_and_never_without_width(items):
    before, after = (np.array([item[k] for item in items]) for k in (0, 1))
    for keys in (None, [item[2] for item in items]):
        estimate = paired_difference(before, after, clusters=keys)
        assert consistent(estimate)
        assert -1 <= estimate.low < estimate.high <= 1
        assert estimate.value == pytest.approx(after.mean() - before.mean(), abs=1e-12)
