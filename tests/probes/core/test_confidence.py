"""Calibration figures against worked examples, scikit-learn, brute force and simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn import metrics as sk

from probes.core import stats
from probes.core.confidence import (
    Bins,
    Decisions,
    aurc,
    bin_of,
    chance_error,
    coverage_and_risk,
    coverage_at_risk,
    equal_mass,
    equal_width,
    most_confident,
)
from probes.core.metrics import one_hot


def binary(confidence, correct, clusters=None):
    """Decisions between two columns in which the first is the answer."""
    confidence, correct = np.asarray(confidence, float), np.asarray(correct, bool)
    keys = clusters or [f"c{i}" for i in range(len(confidence))]
    return Decisions(np.column_stack([confidence, 1 - confidence]), np.where(correct, 0, 1), keys)


def simulated(n, rng, *, sharpness=1.0):
    """Binary answers whose true log-odds are normal; the model states them multiplied by `sharpness`."""
    log_odds = rng.normal(0, 1.5, n)
    gold = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(np.int64)
    stated = 1 / (1 + np.exp(-sharpness * log_odds))
    return Decisions(np.column_stack([1 - stated, stated]), gold, [f"c{i}" for i in range(n)])


def ones(n):
    return np.ones((1, n))


def test_ece_by_hand():
    # Bins of width 1/5: (0.6, 0.8] holds 0.7 right and 0.8 wrong, (0.8, 1] holds 0.9 right, 0.9 right and 1.0 wrong:
    # 2/5 |0.75 - 1/2| + 3/5 |2.8/3 - 2/3| = 0.1 + 0.16
    decisions = binary([0.7, 0.8, 0.9, 0.9, 1.0], [True, False, True, True, False])
    assert Bins.of(decisions, equal_width(5), items=5).calibration_error(ones(5))[0] == pytest.approx(0.26)


def test_bins_are_open_below_and_closed_above():
    assert list(bin_of(np.array([0.5, 0.500001, 1.0]), equal_width(2))) == [0, 1, 1]


def test_equal_mass_bins_keep_ties_together():
    confidence = np.array([0.6] * 10 + [0.7] * 2 + [0.9] * 8)
    assert len(set(bin_of(confidence, equal_mass(confidence, bins=4))[:10])) == 1
    even = np.linspace(0.5, 1, 100)
    assert set(np.bincount(bin_of(even, equal_mass(even, bins=5)))) == {20}


def test_ece_as_a_plain_loop():
    decisions = simulated(300, np.random.default_rng(0), sharpness=2)
    total = 0.0
    for low, high in itertools.pairwise(np.linspace(0, 1, 16)):
        inside = (decisions.confidence > low) & (decisions.confidence <= high)
        if inside.any():
            total += inside.mean() * abs(decisions.confidence[inside].mean() - decisions.correct[inside].mean())
    assert Bins.of(decisions, equal_width(15), items=300).calibration_error(ones(300))[0] == pytest.approx(total)


@pytest.mark.parametrize("labels", [2, 4])
def test_brier_and_nll_as_scikit_learn(labels):
    rng = np.random.default_rng(labels)
    probabilities = rng.dirichlet(np.ones(labels), 200)
    gold = rng.integers(0, labels, 200)
    decisions = Decisions.of_labels(probabilities, one_hot(gold, labels=labels), clusters=["c"] * 200)
    assert decisions.nll.mean() == pytest.approx(sk.log_loss(gold, probabilities))
    if labels == 2:
        assert decisions.brier.mean() == pytest.approx(2 * sk.brier_score_loss(gold, probabilities[:, 1]))
    else:
        truth = np.eye(labels)[gold]
        assert decisions.brier.mean() == pytest.approx(np.square(probabilities - truth).sum(axis=1).mean())


def test_nll_is_cut_where_it_would_be_infinite():
    assert binary([1.0], [False]).nll[0] == pytest.approx(-np.log(1e-12))


def test_label_sets_are_decisions_for_and_against():
    decisions = Decisions.of_label_sets(
        np.array([[0.9, 0.2], [0.4, 0.5]]), np.array([[True, True], [False, True]]), clusters=["a", "b"]
    )
    np.testing.assert_allclose(decisions.confidence, [0.9, 0.8, 0.6, 0.5])
    assert list(decisions.correct[:3]) == [True, False, True]
    assert list(decisions.clusters) == ["a", "a", "b", "b"]


def test_bins_of_label_sets_weigh_items():
    rng = np.random.default_rng(5)
    probabilities, gold = rng.random((40, 3)), rng.random((40, 3)) < 0.5
    keys = [f"c{i}" for i in range(40)]
    times = rng.integers(0, 4, 40)
    repeated = [key for key, count in zip(keys, times, strict=True) for _ in range(count)]
    rows = np.repeat(np.arange(40), times)
    weighted = Bins.of(Decisions.of_label_sets(probabilities, gold, clusters=keys), equal_width(10), items=40)
    again = Decisions.of_label_sets(probabilities[rows], gold[rows], clusters=repeated)
    plain = Bins.of(again, equal_width(10), items=len(rows))
    by_weight = weighted.calibration_error(times[None, :].astype(float))[0]
    assert by_weight == pytest.approx(plain.calibration_error(ones(len(rows)))[0])


def test_debiased_square_is_the_mean_product_of_pairs():
    decisions = simulated(30, np.random.default_rng(1))
    residuals = decisions.confidence - decisions.correct
    pairs = [a * b for a, b in itertools.permutations(residuals, 2)]
    whole = Bins.of(decisions, np.empty(0), items=30)
    assert whole.squared_error_debiased(ones(30))[0] == pytest.approx(np.mean(pairs))


def test_debiased_square_as_kumar_where_confidence_is_constant():
    # One bin, 20 answers of confidence 0.8, 14 right: (0.8 - 0.7)^2 - 0.7 x 0.3 / 19
    decisions = binary([0.8] * 20, [True] * 14 + [False] * 6)
    value = Bins.of(decisions, np.empty(0), items=20).squared_error_debiased(ones(20))[0]
    assert value == pytest.approx(0.1**2 - 0.7 * 0.3 / 19)


def test_a_cluster_is_no_pair_with_itself():
    once = simulated(40, np.random.default_rng(2))
    twice = Decisions(np.repeat(once.probabilities, 2, 0), np.repeat(once.gold, 2), list(np.repeat(once.clusters, 2)))
    edges = equal_mass(once.confidence, bins=2)
    alone = Bins.of(once, edges, items=40).squared_error_debiased(ones(40))[0]
    assert Bins.of(twice, edges, items=80).squared_error_debiased(ones(80))[0] == pytest.approx(alone)


def test_a_calibrated_model_has_no_debiased_error_on_average_where_ece_does():
    rng, debiased, plain, expected = np.random.default_rng(6), [], [], []
    for _ in range(600):
        decisions = simulated(200, rng)
        edges = equal_mass(decisions.confidence, bins=10)
        bins = Bins.of(decisions, edges, items=200)
        debiased.append(bins.squared_error_debiased(ones(200))[0])
        plain.append(bins.calibration_error(ones(200))[0])
        expected.append(chance_error(decisions.confidence, edges))
    error = np.std(debiased) / np.sqrt(len(debiased))
    assert abs(np.mean(debiased)) < 3 * error
    assert error < 2e-4
    assert np.mean(plain) > 0.06
    assert np.mean(plain) == pytest.approx(np.mean(expected), rel=0.05)


@pytest.mark.parametrize("sharpness", [1.0, 2.0])
def test_the_debiased_interval_covers_the_truth(sharpness):
    rng = np.random.default_rng(7)
    large = simulated(1_000_000, rng, sharpness=sharpness)
    edges = equal_mass(large.confidence, bins=8)
    place = bin_of(large.confidence, edges)
    residual = np.bincount(place, weights=large.confidence - large.correct)
    truth = float((residual**2 / np.bincount(place)).sum() / len(place))
    covered, runs = 0, 120
    for run in range(runs):
        decisions = simulated(300, rng, sharpness=sharpness)
        statistic = Bins.of(decisions, edges, items=300).squared_error_debiased
        estimate = stats.bootstrap(
            statistic, n=300, clusters=decisions.clusters, resamples=400, rng=np.random.default_rng(run)
        )
        covered += estimate.low <= truth <= estimate.high
    assert covered / runs >= 0.9


def test_turned_answers_are_the_other_kind_with_the_runner_up_right():
    decisions = Decisions(np.array([[0.5, 0.3, 0.2], [0.2, 0.7, 0.1]]), np.array([0, 2]), ["a", "b"])
    assert list(decisions.turned().gold) == [1, 1]
    assert list(decisions.turned().correct) == [False, True]


def test_aurc_by_hand():
    # Surest first: right, wrong, right, wrong: risks 0, 1/2, 1/3, 1/2
    value = aurc(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False]))
    assert value[0] == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)


def test_aurc_with_ties_is_the_mean_over_all_orders():
    confidence, correct = np.array([0.9, 0.9, 0.8, 0.8, 0.8]), np.array([True, False, False, True, True])
    risks = []
    for first in itertools.permutations((0, 1)):
        for second in itertools.permutations((2, 3, 4)):
            wrong = ~correct[[*first, *second]]
            risks.append((np.cumsum(wrong) / np.arange(1, 6)).mean())
    assert aurc(confidence, correct)[0] == pytest.approx(np.mean(risks))
    assert aurc(np.array([0.9, 0.8]), np.array([True, False]), np.array([[2.0, 3.0]]))[0] == pytest.approx(
        aurc(confidence, np.array([True, True, False, False, False]))[0]
    )


def test_aurc_rewards_doubting_the_errors():
    rng = np.random.default_rng(8)
    correct = rng.random(500) < 0.8
    useful, useless = np.where(correct, 0.9, 0.6) + rng.random(500) / 100, rng.random(500)
    assert aurc(useful, correct)[0] < 0.05 < 0.15 < aurc(useless, correct)[0] < 0.25


def test_the_surest_items_and_all_ties_of_the_last():
    confidence = np.array([0.9, 0.8, 0.8, 0.6])
    assert list(most_confident(confidence, coverage=0.25)) == [True, False, False, False]
    assert list(most_confident(confidence, coverage=0.5)) == [True, True, True, False]
    assert most_confident(np.linspace(0, 1, 10), coverage=0.3).sum() == 3


def test_coverage_and_risk_by_hand():
    # Surest first: right; then two equally sure, one wrong, kept or left together; then wrong
    confidence, losses = np.array([0.9, 0.8, 0.8, 0.6]), np.array([0.0, 1.0, 0.0, 1.0])
    coverage, risk = coverage_and_risk(confidence, losses)
    np.testing.assert_allclose(coverage, [[1 / 4, 3 / 4, 1]])
    np.testing.assert_allclose(risk, [[0, 1 / 3, 1 / 2]])
    weighted, _ = coverage_and_risk(confidence, losses, np.array([[0.0, 1.0, 1.0, 2.0]]))
    np.testing.assert_allclose(weighted, [[0, 1 / 2, 1]])


def test_risks_average_to_aurc_where_no_two_are_equally_sure():
    decisions = simulated(60, np.random.default_rng(9))
    _, risk = coverage_and_risk(decisions.confidence, ~decisions.correct)
    assert risk.mean() == pytest.approx(aurc(decisions.confidence, decisions.correct)[0])


@pytest.mark.parametrize("seed", range(5))
def test_coverage_at_a_risk_as_a_plain_loop(seed):
    rng = np.random.default_rng(seed)
    confidence, losses = rng.random(50).round(1), (rng.random(50) < 0.3).astype(float)
    for risk in (0.0, 0.1, 0.2, 0.3, 1.0):
        kept = [confidence >= threshold for threshold in np.unique(confidence)]
        fine = [members.mean() for members in kept if losses[members].mean() <= risk]
        assert coverage_at_risk(confidence, losses, risk=risk)[0] == pytest.approx(max(fine, default=0.0))


def test_coverage_at_a_risk_counts_repeated_rows():
    rng = np.random.default_rng(11)
    confidence, losses = rng.random(40), (rng.random(40) < 0.3).astype(float)
    times = rng.integers(0, 3, size=(4, 40))
    risks = np.array([0.1, 0.2, 0.3, 0.25])
    found = coverage_at_risk(confidence, losses, risk=risks, weights=times.astype(float))
    for row, risk, value in zip(times, risks, found, strict=True):
        rows = np.repeat(np.arange(40), row)
        assert value == pytest.approx(coverage_at_risk(confidence[rows], losses[rows], risk=risk)[0])


def test_a_risk_equal_to_the_one_allowed_is_allowed():
    assert coverage_at_risk(np.array([0.9, 0.8, 0.7]), np.array([0.1, 0.1, 0.1]), risk=0.1)[0] == 1.0
