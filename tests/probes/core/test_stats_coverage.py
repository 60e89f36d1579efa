"""How often the intervals that are shown contain the truth: 94 to 96 times in 100, or the page says how often.

Exactly where all outcomes can be listed, otherwise in samples from a seeded generator. Tails, which decide, are tested
for their one-sided errors beside each method.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, multinomial

from probes.core.records import Estimate
from probes.core.stats import paired_difference, rate
from probes.core.stats.paired import tango
from tests.probes.core.test_stats_proportions import beta_binomial

GRID = np.linspace(0.002, 0.998, 250)
NEAR = (GRID < 0.05) | (GRID > 0.95)


@cache
def coverage_of_rates(n: int) -> NDArray[np.float64]:
    """Exact, at each rate of GRID: every count of successes weighted by its probability."""
    shown = [rate(np.arange(n) < hits) for hits in range(n + 1)]
    low, high = np.array([each.low for each in shown]), np.array([each.high for each in shown])
    return np.array([binom.pmf(np.arange(n + 1), n, p)[(low <= p) & (p <= high)].sum() for p in GRID])


@pytest.mark.parametrize(("n", "least"), [(10, 0.84), (30, 0.88), (100, 0.92), (400, 0.93)])
def test_rates_on_average_and_at_the_worst_place(n, least):
    """Counts are whole numbers, so no interval covers 95 % everywhere; Wilson's does on average, also near 0 and 1."""
    covered = coverage_of_rates(n)
    assert 0.94 <= covered.mean() <= 0.96
    assert 0.94 <= covered[NEAR].mean() <= 0.96
    assert covered.min() >= least


@cache
def bounds_of_drops(n: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(m, 3) counts of gained, lost and unchanged among n pairs, and (m, 2) bounds."""
    counts = [(up, down, n - up - down) for up in range(n + 1) for down in range(n + 1 - up)]
    return np.array(counts), np.array([tango(up, down, n=n, alpha=0.025) for up, down, _ in counts])


@pytest.mark.parametrize(("n", "mean"), [(15, 0.981), (30, 0.963), (60, 0.955), (100, 0.950)])
def test_paired_differences_on_average_and_at_the_worst_place(n, mean):
    """Exact. Few pairs of which few change cover more often than they say; nowhere less often than 93 %."""
    counts, bounds = bounds_of_drops(n)
    covered = []
    for up in (0.01, 0.05, 0.1, 0.3):
        for down in (0.01, 0.05, 0.1, 0.3):
            weights = multinomial.pmf(counts, n, [up, down, 1 - up - down])
            inside = (bounds[:, 0] <= up - down + 1e-12) & (up - down <= bounds[:, 1] + 1e-12)
            covered.append(weights[inside].sum())
    assert np.mean(covered) == pytest.approx(mean, abs=0.01)
    assert min(covered) >= 0.93


def drop_in_clusters(
    rng: np.random.Generator, sizes: NDArray[np.int64], *, lost: float, gained: float, correlation: float = 0.3
) -> Estimate:
    """Accuracy lost by variants of texts, each text with its own share of variants that lose and gain."""
    concentration = np.array([lost, gained, 1 - lost - gained]) * (1 / correlation - 1)
    own = rng.standard_gamma(concentration, size=(len(sizes), 3))
    own /= own.sum(axis=1, keepdims=True)
    keys = np.repeat(np.arange(len(sizes)), sizes)
    drawn = rng.random(len(keys))
    worse = drawn < own[keys, 0]
    better = ~worse & (drawn < own[keys, 0] + own[keys, 1])
    return paired_difference(better, worse, clusters=keys.tolist())


ALIKE, UNLIKE = (4, 4, 4, 4, 4), (1, 1, 2, 3, 13)
"""Variants of five texts: as many of each, and one text with two thirds of all."""


def coverage(sizes: tuple[int, ...], clusters: int, *, lost: float, gained: float, samples: int = 500):
    """(of the interval shown, one-sided error of the lower tail, of the upper tail) at alpha 0.05."""
    rng, found = np.random.default_rng(8), np.zeros(3)
    spread = np.tile(np.array(sizes), clusters // len(sizes))
    for _ in range(samples):
        drop = drop_in_clusters(rng, spread, lost=lost, gained=gained)
        tail, truth = drop.tail(0.05), lost - gained
        found += [drop.low <= truth <= drop.high, tail.low > truth, tail.high < truth]
    return found / samples


MEASURED = {
    (ALIKE, 20): 0.954,
    (ALIKE, 60): 0.942,
    (ALIKE, 120): 0.949,
    (UNLIKE, 10): 0.925,
    (UNLIKE, 20): 0.916,
    (UNLIKE, 30): 0.931,
    (UNLIKE, 60): 0.938,
    (UNLIKE, 120): 0.940,
}
"""(variants of each text, texts) -> coverage in 1,000 samples with 30 % of variants lost and 10 % gained. Where one
text in five has most of the variants, intervals of fewer than 30 texts are too short: they rest on few of them."""


@pytest.mark.parametrize(("sizes", "clusters"), MEASURED)
def test_paired_differences_in_clusters(sizes, clusters):
    shown, lower, upper = coverage(sizes, clusters, lost=0.3, gained=0.1)
    assert shown == pytest.approx(MEASURED[sizes, clusters], abs=0.02)
    few = sizes == UNLIKE and clusters < 30
    assert max(lower, upper) <= (0.1 if few else 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / 500))


@pytest.mark.parametrize("clusters", [10, 20, 30])
def test_of_few_clusters_in_which_little_changes_too_much_is_covered_rather_than_too_little(clusters):
    shown, lower, upper = coverage(ALIKE, clusters, lost=0.1, gained=0.02)
    assert shown >= 0.94
    assert max(lower, upper) <= 0.05


@pytest.mark.parametrize(
    ("p", "clusters", "size"), [(0.05, 150, 4), (0.1, 100, 4), (0.5, 40, 4), (0.9, 100, 4), (0.95, 150, 4)]
)
def test_rates_in_clusters(p, clusters, size):
    rng, samples, covered = np.random.default_rng(3), 1_500, 0
    keys = np.repeat(np.arange(clusters), size).tolist()
    for _ in range(samples):
        shown = rate(beta_binomial(rng, p=p, correlation=0.3, clusters=clusters, size=size), clusters=keys)
        covered += shown.low <= p <= shown.high
    assert 0.935 <= covered / samples <= 0.965  # 94 to 96 %, and a standard error of the simulation


def test_rates_that_are_seldom_seen_in_few_clusters_are_covered_more_often():
    """Where fewer than five clusters hold an event, each cluster counts as one item: 98 % instead of 95 %."""
    rng, samples, covered = np.random.default_rng(4), 600, 0
    keys = np.repeat(np.arange(60), 5).tolist()
    for _ in range(samples):
        shown = rate(beta_binomial(rng, p=0.02, correlation=0.3, clusters=60, size=5), clusters=keys)
        covered += shown.low <= 0.02 <= shown.high
    assert covered / samples >= 0.95
