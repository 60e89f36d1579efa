from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist, jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, permutation_test
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from statsmodels.stats.multitest import multipletests

from probes.core import stats
from probes.core.stats.derived import UnmeasurableError
from probes.shift.distance.classifier import FOLDS, SHRINKAGE, CrossFitted
from probes.shift.distance.comparison import Comparison, Statistic, adjusted, mean_ratio, ratio_gap
from probes.shift.distance.gaussians import Gaussian, frechet, squared_distance, transport
from probes.shift.distance.kernel import discrepancy
from probes.shift.distance.shares import chi_square, largest_gap, total_variation, word_distance
from probes.shift.distance.splits import split_p_values
from probes.shift.distance.wording import Wording, words


def compared(home, others, *, divisions=0, seed=0, keys=None):
    if keys is None:
        keys = list(range(home)), list(range(home, home + others))
    return Comparison.of(*keys, rng=np.random.default_rng(seed), divisions=divisions)


def normal(shape, seed=0, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1, size=shape)


def jackknifed(value_without, n):
    """Influences by leaving items out: minus the change, times (n - 1) / n."""
    left = np.array([value_without(np.arange(n) != row) for row in range(n)])
    return (left.mean() - left) * (n - 1) / n


class TestDivisions:
    def test_as_many_clusters_on_each_side_and_none_divided(self):
        keys = ["a", "a", "b", "c", "c", "c"], ["d", "e", "e", "f"]
        pair = compared(6, 4, keys=keys, divisions=500)
        codes = np.array(pair.clusters.codes)
        for drawn in pair.drawn.T:
            sides = [set(drawn[codes == code]) for code in range(6)]
            assert all(len(side) == 1 for side in sides)
            assert sum(side == {1.0} for side in sides) == 3

    def test_a_cluster_on_both_sides_swaps_or_stays(self):
        keys = ["x", "a", "b"], ["x", "c"]
        pair = compared(3, 2, keys=keys, divisions=400)
        ours, theirs = pair.drawn[0], pair.drawn[3]
        assert (ours != theirs).all()
        assert 0.4 < ours.mean() < 0.6

    def test_every_division_is_equally_likely(self):
        pair = compared(2, 2, divisions=6000)
        _, counts = np.unique(pair.drawn, axis=1, return_counts=True)
        assert len(counts) == 6
        assert np.abs(counts / 6000 - 1 / 6).max() < 0.02

    def test_halves_are_halves_of_clusters(self):
        pair = Comparison.halves([row // 2 for row in range(60)], rng=np.random.default_rng(0))
        assert pair.other.sum() == 30
        assert (pair.other[::2] == pair.other[1::2]).all()


class TestKernel:
    def test_against_a_double_loop(self):
        x, y = normal((9, 3)), normal((7, 3), seed=1, shift=0.5)
        both = np.concatenate([x, y])
        distances = [np.linalg.norm(both[i] - both[j]) for i in range(16) for j in range(i)]
        width = np.median(distances)

        def kernel(a, b):
            return np.exp(-np.sum((a - b) ** 2) / (2 * width**2))

        within = [np.mean([kernel(s[i], s[j]) for i in range(len(s)) for j in range(len(s)) if i != j]) for s in (x, y)]
        across = np.mean([kernel(a, b) for a in x for b in y])
        found = discrepancy(both, compared(9, 7))
        assert found.value == pytest.approx(sum(within) - 2 * across, abs=1e-12)

    def test_divisions_give_the_value_of_the_divided_items(self):
        both = normal((20, 3))
        pair = compared(8, 12, divisions=5)
        found = discrepancy(both, pair)
        for drawn, value in zip(pair.drawn.T.astype(bool), found.chance, strict=True):
            divided = np.concatenate([both[~drawn], both[drawn]])
            again = discrepancy(divided, compared((~drawn).sum(), drawn.sum()))
            assert value == pytest.approx(again.value, abs=1e-12)

    def test_p_value_is_that_of_scipy(self):
        x, y = normal((7, 2)), normal((7, 2), seed=3, shift=0.8)
        both = np.concatenate([x, y])
        distances = cdist(both, both)
        kernel = np.exp(-(distances**2) / (2 * np.median(distances[np.triu_indices(14, 1)]) ** 2))

        def statistic(a, b):
            a, b = a.astype(int), b.astype(int)
            inside = [(kernel[np.ix_(s, s)].sum() - len(s)) / (len(s) * (len(s) - 1)) for s in (a, b)]
            return sum(inside) - 2 * kernel[np.ix_(a, b)].mean()

        exact = permutation_test((np.arange(7), np.arange(7, 14)), statistic, alternative="greater", n_resamples=np.inf)
        found = discrepancy(both, compared(7, 7, divisions=4000)).p_value()
        assert found.value == pytest.approx(exact.pvalue, abs=0.02)
        assert found.low <= exact.pvalue <= found.high

    def test_pairs_of_one_cluster_do_not_count(self):
        x, y = normal((30, 4)), normal((30, 4), seed=1)
        doubled = np.concatenate([x, x, y, y])
        keys = [*range(30)] * 2, [*range(30, 60)] * 2
        once = discrepancy(np.concatenate([x, y]), compared(30, 30))
        width = np.median(cdist(doubled, doubled)[np.triu_indices(120, 1)])
        assert width == pytest.approx(np.median(cdist(np.concatenate([x, y]), np.concatenate([x, y]))), rel=0.05)
        twice = discrepancy(doubled, compared(60, 60, keys=keys))
        assert twice.value == pytest.approx(once.value, abs=2e-3)

    def test_influences_are_those_of_the_jackknife(self):
        both = np.concatenate([normal((40, 3)), normal((50, 3), seed=1, shift=0.7)])
        distances = cdist(both, both)
        kernel = np.exp(-(distances**2) / (2 * np.median(distances[np.triu_indices(90, 1)]) ** 2))
        other = np.arange(90) >= 40

        def value(kept):
            a, b = np.flatnonzero(kept & ~other), np.flatnonzero(kept & other)
            inside = [(kernel[np.ix_(s, s)].sum() - len(s)) / (len(s) * (len(s) - 1)) for s in (a, b)]
            return sum(inside) - 2 * kernel[np.ix_(a, b)].mean()

        expected = jackknifed(value, 90)
        found = discrepancy(both, compared(40, 50)).influence
        assert np.corrcoef(found, expected)[0, 1] > 0.999
        assert found.std() == pytest.approx(expected.std(), rel=0.05)

    def test_texts_that_all_look_alike_cannot_be_compared(self):
        with pytest.raises(UnmeasurableError):
            discrepancy(np.ones((60, 3)), compared(30, 30))


class TestClassifier:
    def fitted(self, shift, *, n=120, divisions=0, seed=0):
        both = np.concatenate([normal((n, 8), seed=seed), normal((n, 8), seed=seed + 1, shift=shift)])
        pair = compared(n, n, divisions=divisions)
        return both, CrossFitted.of(both, pair, rng=np.random.default_rng(seed))

    def test_scores_are_those_of_a_discriminant_fitted_on_the_other_folds(self):
        both, fitted = self.fitted(0.3)
        other = fitted.pair.other.astype(float)
        points = (both - both.mean(axis=0)) / both.std(axis=0)
        for fold in range(FOLDS):
            train, test = fitted.folds != fold, fitted.folds == fold
            covariance = np.cov(points[train].T, bias=True)
            shrunken = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.trace(covariance) / 8 * np.eye(8)
            toward = np.mean((points[train] - points[train].mean(axis=0)) * other[train, None], axis=0)
            expected = (points[test] - points[train].mean(axis=0)) @ np.linalg.solve(shrunken, toward)
            assert fitted.scores[test] == pytest.approx(expected)

    def test_auc_is_that_of_scikit_learn_within_folds(self):
        _, fitted = self.fitted(0.3)
        scores, other = fitted.scores, fitted.pair.other
        folds = [fitted.folds == fold for fold in range(FOLDS)]
        weights = [int(other[fold].sum() * (~other[fold]).sum()) for fold in folds]
        each = [roc_auc_score(other[fold], scores[fold]) for fold in folds]
        assert fitted.auc().value == pytest.approx(np.average(each, weights=weights))

    def test_ties_count_half(self):
        both = np.repeat(normal((30, 3)), 2, axis=0)
        both = np.concatenate([both[::2], both[1::2]])
        fitted = CrossFitted.of(both, compared(30, 30, keys=([*range(30)], [*range(30)])), rng=np.random.default_rng(0))
        assert fitted.auc().value == pytest.approx(0.5)

    def test_as_good_as_logistic_regression(self):
        both, fitted = self.fitted(0.25, n=200)
        other, scores = fitted.pair.other, np.zeros(400)
        for fold in range(FOLDS):
            train = fitted.folds != fold
            model = LogisticRegression(C=0.1).fit(both[train], other[train])
            scores[~train] = model.decision_function(both[~train])
        each = [roc_auc_score(other[fitted.folds == k], scores[fitted.folds == k]) for k in range(FOLDS)]
        assert fitted.auc().value == pytest.approx(np.mean(each), abs=0.01)

    def test_divisions_refit_the_classifier(self):
        both, fitted = self.fitted(0.3, n=40, divisions=4)
        for drawn, value in zip(fitted.pair.drawn.T.astype(bool), fitted.auc().chance, strict=True):
            again = CrossFitted(
                pair=Comparison(other=drawn, clusters=fitted.pair.clusters, drawn=np.zeros((80, 0))),
                folds=fitted.folds,
                smoother=fitted.smoother,
            )
            assert value == pytest.approx(again.auc().value)
        assert both.shape == (80, 8)

    def test_no_cluster_is_in_two_folds(self):
        keys = [row // 3 for row in range(90)], [30 + row // 3 for row in range(90)]
        fitted = CrossFitted.of(normal((180, 4)), compared(90, 90, keys=keys), rng=np.random.default_rng(0))
        assert all(len(set(fitted.folds[start : start + 3])) == 1 for start in range(0, 180, 3))

    def test_interval_is_that_of_delong_on_one_fold(self):
        """Variance of the AUC by the placements of each side (DeLong 1988), up to the divisor n for n - 1."""
        rng = np.random.default_rng(0)
        scores, n = np.concatenate([rng.normal(0, 1, 80), rng.normal(1, 1, 60)]), 140
        pair = compared(80, 60)
        smoother = np.zeros((n, n))
        smoother[:, -1] = scores  # whatever the sides, the score of each item is this
        fitted = CrossFitted(pair=pair, folds=np.zeros(n, dtype=np.int64), smoother=smoother)
        x, y = scores[80:], scores[:80]
        first = (x[:, None] > y[None, :]).mean(axis=1)
        second = (x[:, None] > y[None, :]).mean(axis=0)
        error = np.sqrt(first.var(ddof=1) / 60 + second.var(ddof=1) / 80)
        found = fitted.auc()
        assert found.value == pytest.approx(roc_auc_score(pair.other, scores))
        assert np.sqrt(np.square(found.influence).sum()) == pytest.approx(error, rel=0.01)

    def test_the_interval_of_the_auc_covers_what_such_samples_give(self):
        """The error by the placements alone is that of the test items: it covers 83 % here, not 95 %."""
        rng, found = np.random.default_rng(0), []
        for _ in range(120):
            both = np.concatenate([rng.normal(size=(60, 15)), rng.normal(0.2, 1, size=(60, 15))])
            pair = Comparison.of(range(60), range(60, 120), rng=rng, divisions=60)
            found.append(CrossFitted.of(both, pair, rng=rng).auc().estimate(limits=(0, 1)))
        truth = np.mean([estimate.value for estimate in found])
        covered = np.mean([estimate.low <= truth <= estimate.high for estimate in found])
        assert 0.95 - 3 * np.sqrt(0.05 * 0.95 / 120) <= covered

    def test_a_distance_is_that_of_the_errors(self):
        _, fitted = self.fitted(0.2)
        other, scores, wrong = fitted.pair.other, fitted.scores, {False: 0, True: 0}
        for row in range(240):
            elsewhere = fitted.folds != fitted.folds[row]
            middle = (scores[elsewhere & other].mean() + scores[elsewhere & ~other].mean()) / 2
            wrong[bool(other[row])] += int((scores[row] > middle) != other[row])
        error = (wrong[False] / 120 + wrong[True] / 120) / 2
        found = fitted.a_distance()
        assert 0.1 < error < 0.5
        assert found.value == pytest.approx(2 * (1 - 2 * error))
        expected = 2 * np.sqrt(sum(k / 120 * (1 - k / 120) / 120 for k in wrong.values()))
        assert np.sqrt(np.square(found.influence).sum()) == pytest.approx(expected)

    def test_no_error_at_all_is_not_certain(self):
        far = self.fitted(9.0)[1].a_distance().estimate(limits=(-2, 2))
        assert far.value == 2
        assert 1.5 < far.low < 2

    def test_a_perfect_auc_is_not_certain(self):
        found = self.fitted(9.0, divisions=200)[1].auc().estimate(limits=(0, 1))
        assert found.value == found.high == 1
        assert 0.9 < found.low < 1


class TestFrechet:
    def test_closed_form_against_scipy(self):
        rng = np.random.default_rng(0)
        first, second = (np.cov(rng.normal(size=(5, 40)) * scale) for scale in (1, 2))
        means = rng.normal(size=(2, 5))
        expected = np.sum((means[0] - means[1]) ** 2) + np.trace(first + second - 2 * np.real(sqrtm(first @ second)))
        gaussians = [Gaussian(mean=m, covariance=c) for m, c in zip(means, (first, second), strict=True)]
        assert squared_distance(*gaussians) == pytest.approx(expected)
        assert squared_distance(gaussians[0], gaussians[0]) == pytest.approx(0, abs=1e-9)

    def test_transport_carries_one_covariance_into_the_other(self):
        rng = np.random.default_rng(1)
        first, second = (np.cov(rng.normal(size=(4, 30))) for _ in range(2))
        there, back = transport(first, second)
        assert there @ first @ there == pytest.approx(second)
        assert there @ back == pytest.approx(np.eye(4))

    def test_influences_are_those_of_the_jackknife(self):
        both = np.concatenate([normal((150, 3)), 1.5 * normal((150, 3), seed=1, shift=0.5)])
        pair = compared(150, 150)

        def value(kept):
            fits = [Gaussian.of(both[kept & side]) for side in (~pair.other, pair.other)]
            return squared_distance(*fits)

        expected, found = jackknifed(value, 300), frechet(both, pair).influence
        assert np.corrcoef(found, expected)[0, 1] > 0.99
        assert found.std() == pytest.approx(expected.std(), rel=0.1)

    def test_fewer_texts_than_dimensions(self):
        both = np.concatenate([normal((40, 100)), normal((40, 100), seed=1, shift=1.0)])
        near = frechet(np.concatenate([normal((40, 100)), normal((40, 100), seed=1)]), compared(40, 40))
        far = frechet(both, compared(40, 40))
        assert near.value > 0  # biased: that is why it stands beside the halves
        assert far.value > near.value + 80
        assert np.isfinite(far.influence).all()


class TestShares:
    def test_word_distance_against_scipy(self):
        texts = ["good film good", "bad film", "a film", "zebra good", "a zebra zebra"]
        counts = Wording.of(texts).counts
        pair = compared(3, 2, divisions=5)
        found = word_distance(counts, pair)
        dense = counts.toarray()
        assert found.value == pytest.approx(jensenshannon(dense[:3].sum(axis=0), dense[3:].sum(axis=0), base=2))
        for drawn, value in zip(pair.drawn.T.astype(bool), found.chance, strict=True):
            expected = jensenshannon(dense[~drawn].sum(axis=0), dense[drawn].sum(axis=0), base=2)
            assert value == pytest.approx(expected)

    def test_word_influences_are_those_of_the_jackknife(self):
        rng = np.random.default_rng(0)
        draw = [
            rng.choice(list("abcdef"), p=p, size=20)
            for p in ([0.3, 0.3, 0.1, 0.1, 0.1, 0.1], [1 / 6] * 6)
            for _ in range(60)
        ]
        counts = Wording.of([" ".join(row) for row in draw]).counts
        dense, pair = counts.toarray(), compared(60, 60)

        def value(kept):
            return jensenshannon(dense[kept & ~pair.other].sum(axis=0), dense[kept & pair.other].sum(axis=0), base=2)

        expected, found = jackknifed(value, 120), word_distance(counts, pair).influence
        assert np.corrcoef(found, expected)[0, 1] > 0.99
        assert found.std() == pytest.approx(expected.std(), rel=0.1)

    def test_total_variation(self):
        found = total_variation(["a", "a", "b", "c", "b", "b"], compared(3, 3))
        assert found.value == pytest.approx(0.5 * (2 / 3 + 1 / 3 + 1 / 3))
        assert total_variation(["a", "b", "a", "b"], compared(2, 2)).value == 0

    def test_chi_square_and_its_p_value(self):
        values = ["a"] * 30 + ["b"] * 20 + ["c"] * 10 + ["a"] * 20 + ["b"] * 25 + ["c"] * 15
        table = [[30, 20, 10], [20, 25, 15]]
        expected = chi2_contingency(table, correction=False)
        found = chi_square(values, compared(60, 60, divisions=4000))
        assert found.value == pytest.approx(expected.statistic)
        assert found.p_value().value == pytest.approx(expected.pvalue, abs=0.03)

    def test_largest_gap_is_that_of_kolmogorov_and_smirnov(self):
        rng = np.random.default_rng(0)
        x, y = rng.poisson(9, size=80).astype(float), rng.poisson(11, size=60).astype(float)
        pair = compared(80, 60, divisions=300)
        found = largest_gap(np.concatenate([x, y]), pair)
        assert found.value == pytest.approx(ks_2samp(x, y).statistic)
        drawn = pair.drawn[:, 0].astype(bool)
        both = np.concatenate([x, y])
        assert found.chance[0] == pytest.approx(ks_2samp(both[~drawn], both[drawn]).statistic)


class TestWords:
    def test_small_letters_and_no_punctuation(self):
        assert words(("Don\u2019t, DON'T!", "well-kept 3.5 ...")) == ["don't", "don't", "well-kept", "3.5"]

    def test_unseen_words(self):
        texts = ["a b", "a c", "a c", "b x x", "a y"]
        home = np.array([True, True, True, False, False])
        unseen = Wording.of(texts).unseen(home, ["1", "2", "2", "3", "1"])
        # "b" of the first and "c" of the second are nowhere else in-domain; the last is in the cluster of the first.
        assert unseen.tolist() == [1, 1, 1, 2, 1]

    def test_some_of_the_texts(self):
        part = Wording.of(["a b", "c", "a a"])[np.array([0, 2])]
        assert part.counts.toarray().tolist() == [[1, 1], [2, 0]]


class TestStatistic:
    def test_mean_and_its_error_are_those_of_the_mean(self):
        values, keys = normal(90), [row // 3 for row in range(90)]
        ours = mean_ratio(values, np.ones(90), clusters=keys, limits=(-np.inf, np.inf))
        theirs = stats.mean(values, clusters=keys)
        assert (ours.value, ours.low, ours.high) == pytest.approx((theirs.value, theirs.low, theirs.high))

    def test_gap_covers_the_truth(self):
        rng, covered = np.random.default_rng(0), 0
        for _ in range(200):
            of = rng.integers(5, 30, size=120).astype(float)
            amount = rng.binomial(of.astype(int), np.repeat([0.2, 0.3], 60)).astype(float)
            found = ratio_gap(amount, of, compared(60, 60)).estimate(limits=(-1, 1))
            covered += found.low <= 0.1 <= found.high
        assert covered >= 182

    def test_within_chance_the_interval_reaches_it(self):
        pair = compared(50, 50)
        chance = np.linspace(0, 1, 1001)
        inside = Statistic(pair=pair, value=0.9, influence=np.full(100, 1e-4), chance=chance)
        outside = Statistic(pair=pair, value=1.1, influence=np.full(100, 1e-4), chance=chance)
        assert inside.estimate(limits=(0, 2)).low == pytest.approx(0.5)
        assert inside.beyond_chance(limits=(0, 2)).low == pytest.approx(0)
        assert outside.estimate(limits=(0, 2)).low > 1
        assert outside.beyond_chance(limits=(0, 2)).low > 0.5
        assert outside.p_value().value == pytest.approx(1 / 1002)

    def test_holm_is_that_of_statsmodels(self):
        pair = compared(50, 50)
        chance = np.linspace(0, 1, 999)
        values = [0.97, 0.99, 0.5]
        raw = [Statistic(pair=pair, value=v, influence=np.zeros(100), chance=chance).p_value() for v in values]
        found = adjusted(raw)
        expected = multipletests([p.value for p in raw], method="holm")[1]
        assert [p.value for p in found] == pytest.approx(expected)
        assert all(p.low <= p.value <= p.high for p in found)
        assert adjusted(raw[:1]) == raw[:1]


class TestNull:
    def test_halves_of_one_kind_are_told_apart_as_often_as_the_level_says(self):
        rng = np.random.default_rng(0)
        vectors = rng.normal(size=(80, 12)) @ rng.normal(size=(12, 12))
        p_values = split_p_values(vectors, range(80), splits=200, divisions=99, rng=rng)
        assert p_values.shape == (200, 2)
        rates = (p_values <= 0.05).mean(axis=0)
        assert (rates <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)).all()
        assert (rates >= 0.05 - 3 * np.sqrt(0.05 * 0.95 / 200)).all()

    def test_clusters_are_no_difference(self):
        """Items of a cluster are all but copies: taken for independent, they would look like a difference."""
        rng = np.random.default_rng(1)
        vectors = np.repeat(rng.normal(size=(30, 6)), 4, axis=0) + 0.01 * rng.normal(size=(120, 6))
        keys = [row // 4 for row in range(120)]
        clustered = split_p_values(vectors, keys, splits=100, divisions=99, rng=rng)
        assert ((clustered <= 0.05).mean(axis=0) <= 0.12).all()

    def test_a_difference_is_found(self):
        both = np.concatenate([normal((80, 12)), normal((80, 12), seed=1, shift=0.5)])
        pair = compared(80, 80, divisions=199)
        assert discrepancy(both, pair).p_value().value == pytest.approx(1 / 200)
        auc = CrossFitted.of(both, pair, rng=np.random.default_rng(0)).auc()
        assert auc.p_value().value == pytest.approx(1 / 200)
        assert auc.estimate(limits=(0, 1)).low > 0.7
