"""Adjusted p-values and sample sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from probes.core.stats import benjamini_hochberg, holm, needed_n, rate

PUBLISHED = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0
]  # fmt: skip
"""Benjamini and Hochberg 1995, section 3.1: 15 endpoints of a thrombolysis trial."""


def test_benjamini_hochberg_published():
    assert int((benjamini_hochberg(PUBLISHED) <= 0.05).sum()) == 4


def test_holm_published():
    assert int((holm(PUBLISHED) <= 0.05).sum()) == 3  # as Bonferroni in the paper
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def mistaken_threshold(p_values, alpha):
    """A mistake found in the field: `argsort` used where ranks (`argsort` of `argsort`) are needed."""
    p = np.asarray(p_values)
    accepted = p[p <= (np.argsort(p) + 1) / len(p) * alpha]
    return accepted.max() if len(accepted) else None


def test_argsort_is_not_a_rank():
    p, alpha = [0.9, 0.8, 0.04, 0.7, 0.6, 0.01, 0.5, 0.3, 0.2, 0.95], 0.1
    rejected = np.asarray(p)[benjamini_hochberg(p) <= alpha]
    assert rejected.tolist() == [0.01]
    assert mistaken_threshold(p, alpha) != 0.01


def test_argsort_mistake_is_common_and_ours_is_not_it():
    rng, alpha, different = np.random.default_rng(0), 0.1, 0
    for _ in range(300):
        p = rng.permutation(np.concatenate([rng.random(12), rng.random(3) * 0.02]))
        rejected = p[benjamini_hochberg(p) <= alpha]
        expected = p[multipletests(p, alpha=alpha, method="fdr_bh")[0]]
        assert sorted(rejected) == sorted(expected)
        different += mistaken_threshold(p, alpha) != (rejected.max() if len(rejected) else None)
    assert different > 60


@pytest.mark.parametrize("seed", range(20))
def test_statsmodels_agrees(seed):
    rng = np.random.default_rng(seed)
    p = np.round(rng.random(rng.integers(1, 40)) ** 3, 2)  # with ties, zeros and ones
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1])


@given(st.lists(st.floats(0, 1), max_size=20))
def test_adjusting_never_helps_and_keeps_the_order(p):
    for adjust in (holm, benjamini_hochberg):
        adjusted = adjust(p)
        assert len(adjusted) == len(p)
        assert ((adjusted >= np.asarray(p) - 1e-12) & (adjusted <= 1)).all()
        assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


@pytest.mark.parametrize("bad", [[1.1], [-0.1], [float("nan")]])
def test_not_a_probability(bad):
    for adjust in (holm, benjamini_hochberg):
        with pytest.raises(ValueError):
            adjust(bad)


@pytest.mark.parametrize(("successes", "n", "threshold"), [(29, 412, 0.06), (3, 100, 0.05), (90, 100, 0.85)])
def test_needed_n_decides_when_the_value_stays(successes, n, threshold):
    estimate = rate(np.arange(n) < successes)
    needed = needed_n(estimate, threshold=threshold)
    assert needed > n

    def decided(size):
        tail = rate(np.arange(size) < round(size * successes / n)).tail(0.05)
        return not tail.low <= threshold <= tail.high

    assert decided(round(1.3 * needed))
    assert not decided(round(0.5 * needed))


def test_needed_n_has_no_answer_on_the_threshold():
    estimate = rate(np.arange(100) < 5)
    assert needed_n(estimate, threshold=0.05) is None
    assert needed_n(estimate, threshold=0.05 + 1e-9) is None
    assert needed_n(estimate, threshold=0.5) <= 100
