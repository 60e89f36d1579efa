"""Receiver operating characteristics of weighted items, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from probes.core.stats.separation import RocCurve


@pytest.mark.parametrize("decimals", [3, 1])
def test_roc_equals_scikit_learn(decimals):
    draw = np.random.default_rng(0)
    scores, positive = draw.normal(size=200).round(decimals), draw.random(200) < 0.4
    weights = draw.integers(0, 4, size=(5, 200)).astype(float)
    curve = RocCurve(scores, positive)
    for row, area in zip(weights, curve.area(weights), strict=True):
        assert area == pytest.approx(roc_auc_score(positive, scores, sample_weight=row))
    for target in (0.0, 0.01, 0.1, 1.0):
        for row, rate in zip(weights, curve.true_positive_rate(target)(weights), strict=True):
            false, true, _ = roc_curve(positive, scores, sample_weight=row, drop_intermediate=False)
            assert rate == pytest.approx(true[false <= target + 1e-12].max())


def test_roc_of_one_side_is_undefined():
    curve = RocCurve(np.array([1.0, 2.0]), np.array([True, False]))
    assert np.isnan(curve.area(np.array([[1.0, 0.0]]))).all()
    assert np.isnan(curve.true_positive_rate(0.5)(np.array([[1.0, 0.0]]))).all()
