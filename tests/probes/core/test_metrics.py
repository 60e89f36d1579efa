"""Metrics against scikit-learn, worked examples, and against repeating the rows that weights stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from probes.core import metrics
from probes.core.metrics import Counts, one_hot

LABELS = 4


def single(seed: int, n: int = 200):
    rng = np.random.default_rng(seed)
    gold = rng.choice(LABELS, size=n, p=[0.6, 0.2, 0.15, 0.05])
    predicted = np.where(rng.random(n) < 0.6, gold, rng.integers(0, LABELS, n))
    return predicted, gold, rng.integers(0, 4, size=(3, n)).astype(float)


SINGLE = {
    "accuracy": (metrics.accuracy, lambda g, p, w: sk.accuracy_score(g, p, sample_weight=w)),
    "balanced": (metrics.balanced_accuracy, lambda g, p, w: sk.balanced_accuracy_score(g, p, sample_weight=w)),
    "macro_f1": (metrics.macro_f1, lambda g, p, w: sk.f1_score(g, p, average="macro", sample_weight=w)),
    "micro_f1": (metrics.micro_f1, lambda g, p, w: sk.f1_score(g, p, average="micro", sample_weight=w)),
    "macro_precision": (
        metrics.macro_precision,
        lambda g, p, w: sk.precision_score(g, p, average="macro", sample_weight=w),
    ),
    "micro_precision": (
        metrics.micro_precision,
        lambda g, p, w: sk.precision_score(g, p, average="micro", sample_weight=w),
    ),
    "micro_recall": (metrics.micro_recall, lambda g, p, w: sk.recall_score(g, p, average="micro", sample_weight=w)),
    "mcc": (metrics.mcc, lambda g, p, w: sk.matthews_corrcoef(g, p, sample_weight=w)),
}


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_single_label_as_scikit_learn(name, seed):
    ours, theirs = SINGLE[name]
    predicted, gold, weights = single(seed)
    p, g = one_hot(predicted, labels=LABELS), one_hot(gold, labels=LABELS)
    assert ours(p, g)[0] == pytest.approx(theirs(gold, predicted, None), abs=1e-12)
    expected = [theirs(gold, predicted, row) for row in weights]
    assert ours(p, g, weights) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", [0, 1])
def test_each_label_as_scikit_learn(seed):
    predicted, gold, weights = single(seed)
    counts = Counts.of(one_hot(predicted, labels=LABELS), one_hot(gold, labels=LABELS), weights)
    for row, values in enumerate(zip(counts.precision(), counts.recall(), counts.f1(), strict=True)):
        expected = sk.precision_recall_fscore_support(gold, predicted, sample_weight=weights[row])
        for ours, theirs in zip(values, expected, strict=False):
            assert ours == pytest.approx(theirs, abs=1e-12)


def sets(seed: int, n: int = 150):
    rng = np.random.default_rng(seed)
    gold = rng.random((n, LABELS)) < [0.5, 0.3, 0.2, 0.1]
    predicted = gold ^ (rng.random((n, LABELS)) < 0.15)
    return predicted, gold, rng.integers(0, 4, size=(3, n)).astype(float)


SETS = {
    "exact_match": (metrics.accuracy, lambda g, p, w: sk.accuracy_score(g, p, sample_weight=w)),
    "hamming": (metrics.hamming_loss, lambda g, p, w: sk.hamming_loss(g, p, sample_weight=w)),
    "macro_f1": (metrics.macro_f1, lambda g, p, w: sk.f1_score(g, p, average="macro", sample_weight=w)),
    "micro_f1": (metrics.micro_f1, lambda g, p, w: sk.f1_score(g, p, average="micro", sample_weight=w)),
}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("seed", [0, 1])
def test_label_sets_as_scikit_learn(name, seed):
    ours, theirs = SETS[name]
    predicted, gold, weights = sets(seed)
    assert ours(predicted, gold)[0] == pytest.approx(theirs(gold, predicted, None), abs=1e-12)
    expected = [theirs(gold, predicted, row) for row in weights]
    assert ours(predicted, gold, weights) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3)), min_size=2, max_size=30))
def test_a_weight_is_a_repeated_row(rows):
    predicted, gold, times = (np.array(column) for column in zip(*rows, strict=True))
    if times.sum() == 0:
        return
    p, g = one_hot(predicted, labels=3), one_hot(gold, labels=3)
    for metric in (metrics.accuracy, metrics.balanced_accuracy, metrics.macro_f1, metrics.mcc):
        repeated = metric(np.repeat(p, times, axis=0), np.repeat(g, times, axis=0))
        np.testing.assert_allclose(metric(p, g, times[None, :].astype(float)), repeated, atol=1e-12)


def test_mcc_of_two_labels_by_hand():
    # 3 true positives, 4 true negatives, 1 false positive, 2 false negatives:
    # (3 x 4 - 1 x 2) / sqrt(4 x 5 x 5 x 6) = 10 / sqrt(600)
    gold = np.array([1, 1, 1, 0, 0, 0, 0, 0, 1, 1])
    predicted = np.array([1, 1, 1, 0, 0, 0, 0, 1, 0, 0])
    value = metrics.mcc(one_hot(predicted, labels=2), one_hot(gold, labels=2))[0]
    assert value == pytest.approx(10 / np.sqrt(600))


def test_undefined_is_nan_and_a_wrong_label_is_zero():
    # Label 0 right twice; label 1 has a gold item, is never answered; label 2 occurs nowhere; label 3 is only answered.
    gold, predicted = np.array([0, 0, 1]), np.array([0, 0, 3])
    counts = Counts.of(one_hot(predicted, labels=4), one_hot(gold, labels=4))
    np.testing.assert_array_equal(counts.precision()[0], [1.0, np.nan, np.nan, 0.0])
    np.testing.assert_array_equal(counts.recall()[0], [1.0, 0.0, np.nan, np.nan])
    np.testing.assert_array_equal(counts.f1()[0], [1.0, 0.0, np.nan, 0.0])
    assert metrics.macro_f1(one_hot(predicted, labels=4), one_hot(gold, labels=4))[0] == pytest.approx(1 / 3)
    expected = sk.f1_score(gold, predicted, labels=range(4), average=None, zero_division=np.nan)
    np.testing.assert_array_equal(counts.f1()[0], expected)


def test_mcc_of_a_constant_answer_is_undefined():
    gold = one_hot(np.array([0, 1, 1]), labels=2)
    assert np.isnan(metrics.mcc(one_hot(np.array([1, 1, 1]), labels=2), gold)[0])
