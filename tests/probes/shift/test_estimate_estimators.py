"""The estimators against independent implementations, closed forms and simulations whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax, softmax
from sklearn.linear_model import LogisticRegression

from probes.core.answers import Classifications, ProblemType
from probes.core.rng import generator
from probes.core.stats.clusters import Clusters
from probes.shift.estimate import temperature
from probes.shift.estimate.estimators import calibrated, difference, thresholded
from probes.shift.estimate.reweighting import Reweighting, fit, tilted
from probes.shift.estimate.slices import Slices


def ones(n):
    return np.ones((1, n))


def repeats(rng, n, rows=5):
    """(rows, n) counts of a resample."""
    return rng.multinomial(n, np.full(n, 1 / n), size=rows).astype(float)


def by_sorting(scores, quality, others):
    """The threshold that leaves as many in-domain items below as are wrong; the share of the others not below it."""
    ordered = sorted(scores)
    threshold = ordered[round(sum(1 - quality))]
    return sum(score >= threshold for score in others) / len(others)


@pytest.mark.parametrize("seed", range(5))
def test_thresholded_is_the_share_above_the_threshold(seed):
    rng = generator(seed, "threshold")
    scores, others = rng.normal(1, 1, 150), rng.normal(0.5, 2, 120)
    quality = (rng.random(150) < 0.8).astype(float)
    estimate = thresholded(scores, quality, others)
    assert estimate(ones(150), ones(120))[0] == pytest.approx(by_sorting(scores, quality, others), abs=1e-12)
    home, other = repeats(rng, 150), repeats(rng, 120)
    expected = [
        by_sorting(*(np.repeat(x, h.astype(int)) for x in (scores, quality)), np.repeat(others, o.astype(int)))
        for h, o in zip(home, other, strict=True)
    ]
    assert estimate(home, other) == pytest.approx(expected, abs=1e-12)


def test_thresholded_beside_the_authors_threshold():
    # Their search ends at the last item below our threshold, and counts what is not below that one.
    rng = generator(0, "authors")
    scores, others = rng.normal(size=200), rng.normal(0.3, 1, 300)
    quality = (rng.random(200) < 0.7).astype(float)
    ordered, wrong = np.sort(scores), int((1 - quality).sum())
    theirs = (others >= ordered[wrong - 1]).mean()
    between = ((others >= ordered[wrong - 1]) & (others < ordered[wrong])).mean()
    assert thresholded(scores, quality, others)(ones(200), ones(300))[0] == pytest.approx(theirs - between)


@pytest.mark.parametrize("levels", [2, 4, 1000])
def test_thresholded_is_exact_for_the_in_domain_items_themselves_even_with_ties(levels):
    rng = generator(0, "ties", levels)
    scores = rng.integers(0, levels, 90) / levels
    quality = (rng.random(90) < 0.75).astype(float)
    weights = repeats(rng, 90)
    expected = weights @ quality / weights.sum(axis=1)
    assert thresholded(scores, quality, scores)(weights, weights) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("quality", "expected"), [(1.0, 1.0), (0.0, 0.0)])
def test_thresholded_at_the_ends(quality, expected):
    scores = np.array([0.6, 0.7, 0.8])
    estimate = thresholded(scores, np.full(3, quality), np.array([0.65, 0.75, 0.9]))
    assert estimate(ones(3), ones(3))[0] == expected


def test_difference_by_hand():
    estimate = difference(np.array([0.9, 0.7, 0.8, 0.6]), np.array([1.0, 1.0, 1.0, 0.0]), np.array([0.5, 0.7]))
    assert estimate(ones(4), ones(2))[0] == pytest.approx(0.75 - 0.75 + 0.6)
    assert estimate(np.array([[2.0, 0, 0, 2]]), np.array([[0.0, 2]]))[0] == pytest.approx(0.5 - 0.75 + 0.7)


def test_difference_is_cut_to_a_share():
    sure, unsure = np.full(4, 0.5), np.full(4, 0.9)
    assert difference(sure, np.ones(4), unsure)(ones(4), ones(4))[0] == 1.0


def problem(seed, n, labels, *, over=2.0):
    """(n, labels) over-confident logits, and labels drawn from the calibrated ones."""
    rng = generator(seed, "problem", labels)
    true = rng.normal(0, 1.5, (n, labels))
    return over * true, (true + rng.gumbel(size=true.shape)).argmax(axis=1)


@pytest.mark.parametrize("labels", [2, 5])
@pytest.mark.parametrize("over", [0.5, 1.0, 4.0])
def test_temperature_minimises_the_likelihood(labels, over):
    logits, gold = problem(1, 300, labels, over=over)

    def loss(log_temperature, weights):
        return -(weights * log_softmax(logits / np.exp(log_temperature), axis=1)[np.arange(300), gold]).sum()

    weights = np.concatenate([ones(300), repeats(generator(0, "w"), 300)])
    found = temperature.temperature(temperature.fitted(weights @ temperature.slopes(logits, gold)))
    best = [np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded", args=(row,)).x) for row in weights]
    assert found == pytest.approx(best, rel=2e-3)


def test_two_labels_are_a_logistic_regression_through_zero():
    logits, gold = problem(2, 400, 2)
    slope = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-8).fit(logits[:, 1:] - logits[:, :1], gold).coef_
    found = temperature.temperature(temperature.fitted(temperature.slopes(logits, gold).sum(axis=0)[None, :]))
    assert found[0] == pytest.approx(1 / slope[0, 0], rel=2e-3)


def test_calibrated_is_the_mean_confidence_at_the_fitted_temperature():
    (logits, gold), (others, _) = problem(3, 300, 4), problem(4, 200, 4, over=1.0)
    place = minimize_scalar(
        lambda t: -log_softmax(logits / t, axis=1)[np.arange(300), gold].sum(), bounds=(0.1, 10), method="bounded"
    )
    expected = softmax(others / place.x, axis=1).max(axis=1).mean()
    assert calibrated(logits, gold, others)(ones(300), ones(200))[0] == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(("right", "limit"), [(True, 0.05), (False, 20)])
def test_temperature_stays_on_the_grid(right, limit):
    logits = np.array([[1.0, 0.0], [0.0, 1.0]])
    gold = np.array([0, 1] if right else [1, 0])
    found = temperature.temperature(temperature.fitted(temperature.slopes(logits, gold).sum(axis=0)[None, :]))
    assert found[0] == pytest.approx(limit)


def test_weights_recover_a_known_density_ratio():
    # Two independent properties: shares 1/2 and 1/4 in-domain, 4/5 and 1/2 elsewhere.
    rng = generator(0, "ratio")
    home = (rng.random((40_000, 2)) < (0.5, 0.25)).astype(float)
    other = (rng.random((40_000, 2)) < (0.8, 0.5)).astype(float)
    known = np.prod(np.where(home == 1, (0.8 / 0.5, 0.5 / 0.25), (0.2 / 0.5, 0.5 / 0.75)), axis=1)
    made = Reweighting.of(home, other, penalty=1e-6)
    assert made.weights == pytest.approx(known, abs=0.06)
    expected = known.sum() ** 2 / (known**2).sum()
    assert made.effective_n(Clusters.of(None, n=40_000)) == pytest.approx(expected, rel=0.03)
    assert made.weights @ home / 40_000 == pytest.approx(other.mean(axis=0), abs=1e-4)


@pytest.mark.parametrize("penalty", [0.01, 0.3])
def test_coefficients_are_those_a_general_optimiser_finds(penalty):
    rng = generator(0, "optimiser")
    slices = (rng.random((120, 5)) < 0.4).astype(float)
    weights, wanted = repeats(rng, 120, 4), rng.uniform(0.1, 0.9, (4, 5))
    found = fit(slices, weights, wanted, penalty=penalty)
    for row, mean, theta in zip(weights, wanted, found, strict=True):

        def objective(x, row=row, mean=mean):
            return np.log(row @ np.exp(slices @ x) / row.sum()) - mean @ x + penalty / 2 * x @ x

        assert theta == pytest.approx(minimize(objective, np.zeros(5), tol=1e-10).x, abs=2e-4)


def test_a_fit_that_does_not_end_has_no_coefficients(monkeypatch):
    monkeypatch.setattr("probes.shift.estimate.reweighting.STEPS", 1)
    slices = np.array([[0.0], [0.0], [0.0], [1.0]])
    assert np.isnan(fit(slices, ones(4), np.array([[0.99]]), penalty=0.001)).all()


def test_effective_n_counts_clusters_and_unequal_weights():
    made = Reweighting.of(np.eye(2)[[0, 0, 0, 1]], np.eye(2)[[0, 1]], penalty=1e-6)
    assert made.weights == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2], abs=1e-3)
    assert made.effective_n(Clusters.of(None, n=4)) == pytest.approx(16 / (3 * 4 / 9 + 4), abs=1e-2)
    assert made.effective_n(Clusters.of(["a", "a", "a", "b"], n=4)) == pytest.approx(16 / (4 + 4), abs=1e-2)


def test_weights_follow_the_resample():
    rng = generator(0, "resample")
    slices, others = ((rng.random((60, 3)) < share).astype(float) for share in (0.3, 0.6))
    quality = (rng.random(60) < 0.7).astype(float)
    home, other = repeats(rng, 60), repeats(rng, 60)
    found = Reweighting.of(slices, others, penalty=0.01).estimator(quality)(home, other)
    for h, o, value in zip(home, other, found, strict=True):
        rows, picked = (np.repeat(x, w.astype(int), axis=0) for x, w in ((slices, h), (others, o)))
        alone = Reweighting.of(rows, picked, penalty=0.01)
        assert value == pytest.approx(float(np.average(np.repeat(quality, h.astype(int)), weights=alone.weights)))


def covariate_shift(seed, n, *, kinds, over=1.5):
    """Two kinds of texts, harder and easier; the same text has the same chance of each label in every domain."""
    rng = generator(seed, "shift", str(kinds))
    easy = rng.random(n) < kinds
    true = rng.normal(0, np.where(easy, 4.0, 1.0))
    gold = (rng.random(n) < expit(true)).astype(int)
    logits = np.column_stack([np.zeros(n), over * true])
    right = (logits.argmax(axis=1) == gold).astype(float)
    return logits, gold, right, np.column_stack([easy, ~easy]).astype(float)


def estimates(home, other):
    (logits, gold, right, slices), (others, _, _, other_slices) = home, other
    weights = np.ones((1, len(gold))), np.ones((1, len(others)))
    confidence, theirs = (softmax(x, axis=1).max(axis=1) for x in (logits, others))
    return {
        "threshold": thresholded(confidence, right, theirs)(*weights)[0],
        "difference": difference(confidence, right, theirs)(*weights)[0],
        "calibrated": calibrated(logits, gold, others)(*weights)[0],
        "reweighted": Reweighting.of(slices, other_slices, penalty=0.01).estimator(right)(*weights)[0],
    }


def test_covariate_shift_with_an_over_confident_model():
    home, other = covariate_shift(0, 20_000, kinds=0.8), covariate_shift(1, 20_000, kinds=0.3)
    truth = other[2].mean()
    assert home[2].mean() - truth > 0.08  # there is something to find
    found = estimates(home, other)
    for name in ("calibrated", "reweighted"):  # their assumptions hold exactly
        assert found[name] == pytest.approx(truth, abs=0.012)
    assert found["difference"] == pytest.approx(truth, abs=0.03)
    assert abs(found["threshold"] - truth) < 0.06


def test_small_samples_are_unbiased_where_the_assumption_holds():
    truth = covariate_shift(0, 100_000, kinds=0.3)[2].mean()
    runs = [
        estimates(covariate_shift(2 * seed, 150, kinds=0.8), covariate_shift(2 * seed + 1, 150, kinds=0.3))
        for seed in range(60)
    ]
    for name in ("calibrated", "reweighted"):
        errors = np.array([run[name] for run in runs]) - truth
        assert abs(errors.mean()) < 3 * errors.std() / np.sqrt(60) + 0.01


def test_no_estimate_sees_a_concept_shift():
    home, (logits, gold, _, slices) = covariate_shift(0, 5000, kinds=0.5), covariate_shift(1, 5000, kinds=0.5)
    turned = np.where(generator(0, "turn").random(5000) < 0.4, 1 - gold, gold)
    truth = (logits.argmax(axis=1) == turned).mean()
    for value in estimates(home, (logits, turned, None, slices)).values():
        assert value - truth > 0.15


def answers(logits):
    return Classifications(logits=np.asarray(logits), labels=("no", "yes"), problem=ProblemType.SINGLE_LABEL)


def test_slices_are_properties_in_the_same_order_with_in_domain_edges():
    rng = generator(0, "slices")
    texts = ["one two", "one two three 4 five?", "never one two three, four five six!", "A NASA " + "word " * 9] * 10
    logits = np.column_stack([np.zeros(40), rng.normal(0, 2, 40)])
    others = ["never one @two"] * 30 + ["one 2"] * 10
    made = Slices.of((texts, answers(logits)), (others, answers(logits)))
    assert made.home.shape[1] == made.other.shape[1]
    assert set(np.unique(made.home)) == {0.0, 1.0}
    assert made.unmatched == ("a web address, @handle or #hashtag",)
    shares = {tuple(pair) for pair in np.column_stack([made.home.mean(axis=0), made.other.mean(axis=0)]).round(3)}
    assert (0.25, 0.75) in shares  # a negation
    assert (0.25, 0.25) in shares  # a digit
    again = Slices.of((texts, answers(logits)), (texts, answers(logits)))
    assert np.array_equal(again.home, again.other)


def test_slices_of_texts_that_are_all_alike():
    same = (["one two"] * 30, answers(np.tile([0.0, 1.0], (30, 1))))
    assert Slices.of(same, same).home.shape == (30, 0)


def test_tilted_rows_sum_to_one_however_large_the_coefficients():
    mass = tilted(np.array([[0.0], [1.0]]), ones(2), np.array([[5000.0]]))
    assert mass.sum() == 1.0
    assert mass[0, 1] == 1.0
