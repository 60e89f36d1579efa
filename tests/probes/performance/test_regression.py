"""Regression metrics against scikit-learn and scipy, and against repeating the rows that weights stand for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats
from sklearn import metrics as sk

from probes.performance import regression


def scores(seed: int, n: int = 80):
    rng = np.random.default_rng(seed)
    gold = rng.normal(3, 1, n).round(1)  # rounded, so that there are ties
    return (gold + rng.normal(0, 0.7, n)).round(1), gold, rng.integers(0, 4, size=(3, n)).astype(float)


@pytest.mark.parametrize("seed", [0, 1])
def test_scores_as_scikit_learn_and_scipy(seed):
    predicted, gold, weights = scores(seed)
    assert regression.pearson(predicted, gold)[0] == pytest.approx(scipy_stats.pearsonr(predicted, gold).statistic)
    for row, times in enumerate(weights):
        rows = np.repeat(np.arange(len(gold)), times.astype(int))
        p, g = predicted[rows], gold[rows]
        assert regression.mae(predicted, gold, weights)[row] == pytest.approx(sk.mean_absolute_error(g, p))
        assert regression.rmse(predicted, gold, weights)[row] == pytest.approx(sk.root_mean_squared_error(g, p))
        assert regression.rmse_of_mean(gold, weights)[row] == pytest.approx(g.std())
        assert regression.pearson(predicted, gold, weights)[row] == pytest.approx(scipy_stats.pearsonr(p, g).statistic)
        assert regression.spearman(predicted, gold, weights)[row] == pytest.approx(
            scipy_stats.spearmanr(p, g).statistic
        )


def test_correlation_with_a_constant_is_undefined():
    gold = np.array([0.1, 0.2, 0.3, 0.7])
    for constant in (np.full(4, 0.3), np.zeros(4)):
        assert np.isnan(regression.pearson(constant, gold)[0])
        assert np.isnan(regression.spearman(constant, gold)[0])
