"""Our metrics as `evaluate` metrics: alone, in batches and combined, against scikit-learn."""

from __future__ import annotations

import evaluate
import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from scipy import stats as scipy_stats
from sklearn import metrics as sk

from probes.performance import evaluate_metrics as ours

RNG = np.random.default_rng(0)
GOLD = RNG.integers(0, 3, 60)
ANSWERS = np.where(RNG.random(60) < 0.7, GOLD, RNG.integers(0, 3, 60))
WEIGHTS = RNG.random(60)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (ours.Accuracy, sk.accuracy_score),
        (ours.BalancedAccuracy, sk.balanced_accuracy_score),
        (ours.MatthewsCorrelation, sk.matthews_corrcoef),
        (ours.MacroF1, lambda g, p, **kw: sk.f1_score(g, p, average="macro", **kw)),
    ],
)
def test_labels(metric, expected):
    (value,) = metric(keep_in_memory=True).compute(predictions=ANSWERS, references=GOLD).values()
    assert value == pytest.approx(expected(GOLD, ANSWERS))
    (weighted,) = (
        metric(keep_in_memory=True).compute(predictions=ANSWERS, references=GOLD, sample_weight=WEIGHTS).values()
    )
    assert weighted == pytest.approx(expected(GOLD, ANSWERS, sample_weight=WEIGHTS))


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (ours.ExactMatch, sk.accuracy_score),
        (ours.HammingLoss, sk.hamming_loss),
        (ours.MicroF1, lambda g, p: sk.f1_score(g, p, average="micro")),
        (ours.MultiLabelMacroF1, lambda g, p: sk.f1_score(g, p, average="macro")),
    ],
)
def test_label_sets(metric, expected):
    gold = np.random.default_rng(1).integers(0, 2, (40, 3))
    answers = gold ^ (np.random.default_rng(2).random((40, 3)) < 0.2)
    (value,) = metric(keep_in_memory=True).compute(predictions=answers, references=gold).values()
    assert value == pytest.approx(expected(gold, answers))


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (ours.MeanAbsoluteError, sk.mean_absolute_error),
        (ours.RootMeanSquaredError, sk.root_mean_squared_error),
        (ours.SpearmanCorrelation, lambda g, p: scipy_stats.spearmanr(g, p).statistic),
        (ours.PearsonCorrelation, lambda g, p: scipy_stats.pearsonr(g, p).statistic),
    ],
)
def test_scores(metric, expected):
    gold = np.random.default_rng(3).normal(size=30)
    answers = gold + np.random.default_rng(4).normal(size=30)
    (value,) = metric(keep_in_memory=True).compute(predictions=answers, references=gold).values()
    assert value == pytest.approx(expected(gold, answers))


def test_calibration_error():
    probabilities = [[0.3, 0.7], [0.1, 0.9], [0.1, 0.9]]
    result = ours.CalibrationError(keep_in_memory=True).compute(predictions=probabilities, references=[1, 1, 0])
    assert result["ece"] == pytest.approx(0.3 / 3 + 2 / 3 * 0.4)


def test_batches_and_combine():
    combined = evaluate.combine([ours.Accuracy(keep_in_memory=True), ours.MacroF1(keep_in_memory=True)])
    for start in range(0, 60, 20):
        combined.add_batch(predictions=ANSWERS[start : start + 20], references=GOLD[start : start + 20])
    assert combined.compute() == {
        "accuracy": pytest.approx(sk.accuracy_score(GOLD, ANSWERS)),
        "macro_f1": pytest.approx(sk.f1_score(GOLD, ANSWERS, average="macro")),
    }


TEXTS = ["the cat sat on the mat", "a dog", "nothing of the kind"]
REFERENCES = [["the cat sat on a mat", "on the mat sat the cat"], ["A dog!"], ["something else"]]


def test_texts_and_combine():
    kinds = (ours.TextExactMatch, ours.TextF1, ours.Rouge, ours.Bleu, ours.ChrF)
    combined = evaluate.combine([kind(keep_in_memory=True) for kind in kinds])
    result = combined.compute(predictions=TEXTS, references=REFERENCES)
    assert set(result) == {"exact_match", "f1", "rouge_1", "rouge_2", "rouge_l", "bleu", "chrf"}
    assert result["exact_match"] == pytest.approx(2 / 3)
    streams = [["the cat sat on a mat", "A dog!", "something else"], ["on the mat sat the cat", None, None]]
    assert 100 * result["bleu"] == pytest.approx(BLEU(force=True).corpus_score(TEXTS, streams).score)
    assert 100 * result["chrf"] == pytest.approx(CHRF().corpus_score(TEXTS, streams).score)
    assert result["rouge_l"] == pytest.approx(np.mean([5 / 6, 1.0, 0.0]))
