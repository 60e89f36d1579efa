"""The scores, distances and measures of shift.ood against scikit-learn, scipy and worked examples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis as scipy_mahalanobis
from scipy.stats import entropy as scipy_entropy
from scipy.stats import norm
from sklearn.covariance import LedoitWolf
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve
from sklearn.neighbors import NearestNeighbors

from probes.core.answers import Classifications, ProblemType
from probes.core.stats.derived import UnmeasurableError
from probes.core.stats.separation import RocCurve
from probes.shift.ood.detection import AUPR, AUROC, Detection
from probes.shift.ood.distances import mahalanobis, nearest
from probes.shift.ood.false_alarms import _missed, false_alarms
from probes.shift.ood.scores import FROM_ANSWERS, energy, entropy, narrowness, unsure

LOGITS = np.array([[2.0, 0.0, -1.0], [0.1, 0.0, 0.05], [-3.0, 5.0, 1.0]])


def answers(logits, problem=ProblemType.SINGLE_LABEL):
    return Classifications(logits=logits, labels=tuple("abc"), problem=problem)


def draws(n=60, m=40, *, decimals=1, seed=0, shift=1.0):
    rng = np.random.default_rng(seed)
    scores = np.round(np.concatenate([rng.normal(size=n), rng.normal(shift, 1.3, size=m)]), decimals)
    return scores, np.arange(n + m) >= n


def fpr_at_95(positive, scores):
    false, true, _ = roc_curve(positive, scores, drop_intermediate=False)
    return false[np.argmax(true >= 0.95 - 1e-9)]


def test_scores_by_their_definitions():
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    found = answers(LOGITS)
    assert unsure(found) == pytest.approx(-p.max(axis=1))
    assert entropy(found) == pytest.approx(scipy_entropy(p, axis=1))
    assert narrowness(found) == pytest.approx(np.sort(p)[:, 1] - np.sort(p)[:, 2])
    assert energy(found) == pytest.approx(-np.log(np.exp(LOGITS).sum(axis=1)))


def test_scores_of_label_sets():
    p = 1 / (1 + np.exp(-LOGITS))
    found = answers(LOGITS, ProblemType.MULTI_LABEL)
    assert unsure(found) == pytest.approx(-np.maximum(p, 1 - p).mean(axis=1))
    assert entropy(found) == pytest.approx(sum(scipy_entropy([p[:, k], 1 - p[:, k]]) for k in range(3)))
    assert narrowness(found) == pytest.approx(-2 * np.abs(p - 0.5).min(axis=1))
    assert energy(found) == pytest.approx(-np.log(1 + np.exp(LOGITS)).sum(axis=1))


def test_every_score_is_larger_for_the_text_with_flat_logits():
    for score in FROM_ANSWERS:
        assert np.argmax(score.of(answers(LOGITS))) == 1


def test_energy_of_huge_logits_is_finite():
    assert np.isfinite(energy(answers(np.full((1, 3), 800.0)))).all()
    assert np.isfinite(energy(answers(np.full((1, 3), 800.0), ProblemType.MULTI_LABEL))).all()


def test_a_hand_computed_ranking():
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    positive = np.array([1, 0, 1, 1, 0, 0], dtype=bool)
    found = RocCurve(scores, positive).measures(np.ones((1, 6)))[0]
    assert found[AUROC] == pytest.approx(7 / 9)  # 3 + 2 + 2 pairs of 9 are won
    assert found[AUPR] == pytest.approx((1 / 1 + 2 / 3 + 3 / 4) / 3)
    flagged = false_alarms(scores, positive, clusters=list("abcdef"))
    assert flagged.value == pytest.approx(1 / 3)  # all three positives are caught at 0.6, with one of three negatives


@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_measures_equal_those_of_scikit_learn(decimals):
    scores, positive = draws(decimals=decimals)
    found = RocCurve(scores, positive).measures(np.ones((1, 100)))[0]
    assert found[AUROC] == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)
    assert found[AUPR] == pytest.approx(average_precision_score(positive, scores), abs=1e-12)
    flagged = false_alarms(scores, positive, clusters=[str(row) for row in range(100)])
    assert flagged.value == pytest.approx(fpr_at_95(positive, scores), abs=1e-12)


def test_measures_of_weighted_items_at_a_fixed_prevalence():
    scores, positive = draws()
    weights = np.random.default_rng(1).integers(0, 4, size=(5, 100)).astype(float)
    found = RocCurve(scores, positive).measures(weights)
    for row, weight in zip(found, weights, strict=True):
        level = weight * np.where(positive, 40 / weight[positive].sum(), 60 / weight[~positive].sum())
        assert row[AUROC] == pytest.approx(roc_auc_score(positive, scores, sample_weight=weight), abs=1e-12)
        assert row[AUPR] == pytest.approx(average_precision_score(positive, scores, sample_weight=level), abs=1e-12)


def test_items_without_a_score_do_not_count_but_in_the_prevalence():
    scores, positive = draws()
    half = np.where(positive | (np.arange(100) % 2 == 0), scores, np.nan)
    known = np.isfinite(half)
    found = RocCurve(half, positive).measures(np.ones((1, 100)))[0]
    assert found[AUROC] == pytest.approx(roc_auc_score(positive[known], scores[known]), abs=1e-12)
    doubled = np.where(positive[known], 1.0, 2.0)
    expected = average_precision_score(positive[known], scores[known], sample_weight=doubled)
    assert found[AUPR] == pytest.approx(expected, abs=1e-12)


def test_a_side_without_weight_is_undefined():
    scores, positive = draws()
    assert np.isnan(RocCurve(scores, positive).measures(positive[None, :].astype(float))).all()


def detection(scores, positive, *, clusters=None, resamples=500, seed=0):
    clusters = clusters or [str(row) for row in range(len(scores))]
    rng = np.random.default_rng(seed)
    return Detection(scores=scores[:, None], shifted=positive, clusters=clusters, rng=rng, resamples=resamples)


def delong(scores, positive):
    """Variance of the AUROC by DeLong, DeLong and Clarke-Pearson (1988), from the placements of each item."""
    high, low = scores[positive], scores[~positive]
    won = (high[:, None] > low[None, :]) + 0.5 * (high[:, None] == low[None, :])
    return won.mean(axis=1).var(ddof=1) / len(high) + won.mean(axis=0).var(ddof=1) / len(low)


def test_the_interval_of_the_auroc_is_about_that_of_delong():
    scores, positive = draws(300, 200, decimals=3)
    found = detection(scores, positive, resamples=2000).estimate(0, AUROC)
    half = norm.ppf(0.975) * np.sqrt(delong(scores, positive))
    assert found.value - found.low == pytest.approx(half, rel=0.12)
    assert found.high - found.value == pytest.approx(half, rel=0.12)


def test_repeated_items_in_one_cluster_do_not_narrow_the_interval():
    scores, positive = draws(100, 80, decimals=4)
    once = detection(scores, positive).estimate(0, AUROC)
    names = [str(row) for row in range(180)] * 4
    four = detection(np.tile(scores, 4), np.tile(positive, 4), clusters=names).estimate(0, AUROC)
    assert (four.n, four.clusters, once.clusters) == (720, 180, 180)
    assert four.high - four.low == pytest.approx(once.high - once.low, rel=0.15)


def test_perfect_separation_is_not_certain():
    scores = np.arange(80.0)
    found = detection(scores, scores >= 40)
    assert found.estimate(0, AUROC).value == 1.0
    assert found.estimate(0, AUROC).low < 0.95
    assert found.false_alarms(0).value == 0.0
    assert found.false_alarms(0).high > 0.05


def test_one_pair_in_the_wrong_order_is_not_surer_than_the_smaller_side_allows():
    scores = np.arange(80.0)
    scores[[39, 40]] = scores[[40, 39]]
    found = detection(scores, np.arange(80) >= 40).estimate(0, AUROC)
    assert found.value == pytest.approx(1 - 1 / 1600)
    assert found.low <= found.value * 0.025 ** (1 / 40)  # up to 1 - 0.025^(1/40) of a side may be of an unseen kind
    assert found.tail(0.05).low <= found.value * 0.05 ** (1 / 40)


def test_too_few_scored_items_on_one_side_are_no_number():
    scores, positive = draws(60, 40)
    scores = np.where(positive | (np.arange(100) < 20), scores, np.nan)
    with pytest.raises(UnmeasurableError, match="20 independent"):
        detection(scores, positive).estimate(0, AUROC)
    with pytest.raises(UnmeasurableError, match="20 independent"):
        detection(scores, positive).false_alarms(0)


def test_nominal_coverage_where_the_score_says_nothing():
    """150 splits of equal scores; at 5 % more than 17 misses have probability 0.0006."""
    rng = np.random.default_rng(0)
    missed = 0
    for split in range(150):
        found = detection(rng.normal(size=120), np.arange(120) < 60, resamples=300, seed=split).estimate(0, AUROC)
        missed += not found.low <= 0.5 <= found.high
    assert missed <= 18


@pytest.mark.parametrize(
    ("negatives", "positives", "shift"),
    [(200, 200, 0.0), (200, 200, 1.5), (200, 200, 4.0), (60, 60, 1.5), (100, 800, 2.5)],
)
def test_false_alarms_cover_the_true_rate(negatives, positives, shift):
    """400 samples of normal scores. At the nominal rates more than 35 misses, or 36 on one side, have p < 0.001."""
    rng, positive = np.random.default_rng(0), np.arange(negatives + positives) >= negatives
    keys, truth = [str(row) for row in range(len(positive))], norm.sf(shift + norm.ppf(0.05))
    missed, above, below = 0, 0, 0
    for _ in range(400):
        found = false_alarms(rng.normal(positive * shift), positive, clusters=keys)
        missed += not found.low <= truth <= found.high
        above, below = above + (found.tail(0.05).low > truth), below + (found.tail(0.05).high < truth)
    assert missed <= 35
    assert max(above, below) <= 35


@pytest.mark.parametrize("n", [30, 72, 73, 400])
@pytest.mark.parametrize("alpha", [0.05, 0.025, 0.001])
def test_bounds_of_the_threshold_are_the_tightest_that_hold(n, alpha):
    """The true threshold has Binomial(n, 0.05) positives below it: a sum over that distribution, not its quantiles."""
    chances = [math.comb(n, below) * 0.05**below * 0.95 ** (n - below) for below in range(n + 1)]
    least, most = (round(share * n) for share in _missed(n, alpha))
    assert sum(chances[: least + 1]) <= alpha < sum(chances[: least + 2])
    assert sum(chances[most + 1 :]) <= alpha < sum(chances[most:])


def test_repeats_do_not_narrow_false_alarms():
    scores, positive = draws(150, 120, decimals=4)
    once = false_alarms(scores, positive, clusters=[str(row) for row in range(270)])
    four = false_alarms(np.tile(scores, 4), np.tile(positive, 4), clusters=[str(row) for row in range(270)] * 4)
    assert four.value == once.value
    assert four.high - four.low == pytest.approx(once.high - once.low, rel=0.1)
    assert (four.n, four.clusters) == (1080, 270)


def test_too_few_to_place_the_threshold_leave_everything_possible():
    scores, positive = draws(200, 71, decimals=4, shift=9.0)
    assert false_alarms(scores, positive, clusters=[str(row) for row in range(271)]).high == 1.0
    scores, positive = draws(200, 73, decimals=4, shift=9.0)
    assert false_alarms(scores, positive, clusters=[str(row) for row in range(273)]).high < 0.2


def test_mahalanobis_distance_is_that_of_scipy_with_scikit_learns_covariance():
    rng = np.random.default_rng(0)
    known, others = rng.normal(size=(40, 60)) * np.linspace(0.5, 2, 60), rng.normal(size=(5, 60))
    labels = ["a", "b"] * 20
    means = [known[0::2].mean(axis=0), known[1::2].mean(axis=0)]
    residuals = np.concatenate([known[0::2] - means[0], known[1::2] - means[1]])
    inverse = LedoitWolf(assume_centered=True).fit(residuals).precision_
    expected = [min(scipy_mahalanobis(row, mean, inverse) for mean in means) for row in others]
    assert mahalanobis(known, labels)(others) == pytest.approx(expected)


def test_mahalanobis_distance_allows_for_correlation():
    rng = np.random.default_rng(0)
    along = rng.normal(size=(500, 1)) * [1.0, 1.0] + 0.1 * rng.normal(size=(500, 2))
    with_it, across = mahalanobis(along, ["a"] * 500)(np.array([[1.5, 1.5], [1.0, -1.0]]))
    assert across > 3 * with_it


def test_embeddings_that_do_not_vary_have_no_distance():
    with pytest.raises(UnmeasurableError, match="do not vary"):
        mahalanobis(np.ones((40, 8)), ["a"] * 40)


def test_the_neighbours_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    known, others = rng.normal(size=(50, 12)), rng.normal(size=(9, 12))
    unit = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (known, others)]
    for k in (1, 10, 80):
        expected = NearestNeighbors(n_neighbors=min(k, 50)).fit(unit[0]).kneighbors(unit[1])[0][:, -1]
        assert nearest(known, neighbours=k)(others) == pytest.approx(expected)


def test_a_vector_without_length_is_as_far_from_all():
    assert nearest(np.eye(3), neighbours=2)(np.zeros((1, 3))) == pytest.approx([np.sqrt(2)])
