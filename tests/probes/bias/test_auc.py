from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, pmean
from sklearn.metrics import roc_auc_score

from probes.bias.identity_terms.auc import Separation, final_score, power_mean
from probes.bias.identity_terms.auc_intervals import AucIntervals
from probes.bias.identity_terms.subgroups import AUCS, GAPS, Subgroups
from probes.core.stats.derived import UnmeasurableError
from probes.core.stats.resampling import bootstrap

HAND = {  # score, harmful, in the subgroup
    "scores": [0.9, 0.6, 0.6, 0.2, 0.8, 0.7, 0.4, 0.1],
    "harmful": [1, 1, 0, 0, 1, 1, 0, 0],
    "mine": [1, 1, 1, 1, 0, 0, 0, 0],
}


def drawn(n=400, k=4, *, decimals=1, seed=0):
    """Scores with many ties, a third harmful, overlapping subgroups."""
    rng = np.random.default_rng(seed)
    harmful = rng.random(n) < 0.35
    members = rng.random((n, k)) < 0.3
    scores = np.round(rng.normal(size=n) + harmful + 0.5 * members[:, 0], decimals)
    return scores, harmful, members


def sides(measure, harmful, mine):
    return {"subgroup": mine, "bpsn": mine != harmful, "bnsp": mine == harmful}[measure]


def unit(scores, harmful, members):
    return Separation(scores, harmful, members).compare(np.ones((1, len(scores))))


def test_a_hand_computed_frame():
    scores, harmful = np.array(HAND["scores"]), np.array(HAND["harmful"], dtype=bool)
    found = unit(scores, harmful, np.array(HAND["mine"], dtype=bool)[:, None])
    assert found.subgroup[0, 0] == 3.5 / 4  # 0.9 and 0.6 against 0.6 and 0.2: three pairs won, one tied
    assert found.bpsn[0, 0] == 4 / 4  # 0.8 and 0.7 against 0.6 and 0.2
    assert found.bnsp[0, 0] == 4 / 4  # 0.9 and 0.6 against 0.4 and 0.1
    assert found.overall[0] == 15.5 / 16
    assert found.positive_gap[0, 0] == 2 / 4 - 0.5  # 0.9 beats 0.8 and 0.7, 0.6 neither
    assert found.negative_gap[0, 0] == 3 / 4 - 0.5  # 0.6 beats 0.4 and 0.1, 0.2 beats 0.1


@pytest.mark.parametrize("decimals", [0, 1, 6])
@pytest.mark.parametrize("weighted", [False, True])
def test_equal_to_scikit_learn_on_the_subsets(decimals, weighted):
    scores, harmful, members = drawn(decimals=decimals)
    weights = np.random.default_rng(1).random((3, 400)) if weighted else np.ones((1, 400))
    found = Separation(scores, harmful, members).compare(weights)
    for row, weight in enumerate(weights):
        assert found.overall[row] == pytest.approx(roc_auc_score(harmful, scores, sample_weight=weight), abs=1e-9)
        for group, mine in enumerate(members.T):
            for measure in AUCS:
                rows = sides(measure, harmful, mine)
                expected = roc_auc_score(harmful[rows], scores[rows], sample_weight=weight[rows])
                assert getattr(found, measure)[row, group] == pytest.approx(expected, abs=1e-9)


def test_whole_weights_are_repeated_items():
    scores, harmful, members = drawn()
    times = np.random.default_rng(2).integers(0, 4, size=400)
    repeated = np.repeat(np.arange(400), times)
    one = Separation(scores, harmful, members).compare(times[None, :].astype(float))
    other = unit(scores[repeated], harmful[repeated], members[repeated])
    for measure in (*AUCS, *GAPS):
        np.testing.assert_allclose(getattr(one, measure), getattr(other, measure), atol=1e-12)


def test_equality_gaps_are_mann_whitney_statistics():
    scores, harmful, members = drawn()
    found = unit(scores, harmful, members)
    for group, mine in enumerate(members.T):
        for gap, kind in ((found.positive_gap, harmful), (found.negative_gap, ~harmful)):
            inside, outside = scores[kind & mine], scores[kind & ~mine]
            expected = mannwhitneyu(inside, outside).statistic / (len(inside) * len(outside)) - 0.5
            assert gap[0, group] == pytest.approx(expected, abs=1e-9)


def test_a_name_that_raises_the_score_lowers_bpsn_and_raises_bnsp():
    """The reading that Borkan et al. give: low BPSN, false positives on the identity; low BNSP, false negatives."""
    scores, harmful, members = drawn(k=1)
    mine = members[:, 0]
    fair = unit(scores - 0.5 * mine, harmful, members)
    for shift, low, high in ((1.5, "bpsn", "bnsp"), (-1.5, "bnsp", "bpsn")):
        skewed = unit(scores - 0.5 * mine + shift * mine, harmful, members)
        assert getattr(skewed, low)[0, 0] < getattr(fair, low)[0, 0] - 0.15
        assert getattr(skewed, high)[0, 0] > getattr(fair, high)[0, 0] + 0.1
        assert skewed.subgroup[0, 0] == pytest.approx(fair.subgroup[0, 0], abs=0.02)
        assert np.sign(skewed.negative_gap[0, 0]) == np.sign(shift)


def test_a_side_without_weight_is_not_a_number():
    scores, harmful, members = drawn(k=1)
    members[:, 0] &= harmful
    found = unit(scores, harmful, members)
    assert np.isnan([found.subgroup[0, 0], found.bpsn[0, 0], found.negative_gap[0, 0]]).all()
    assert np.isfinite([found.bnsp[0, 0], found.positive_gap[0, 0]]).all()


def test_power_mean_by_hand_and_by_scipy():
    assert power_mean(np.array([0.5, 1.0])) == pytest.approx(((2**5 + 1) / 2) ** (-1 / 5))
    values = np.random.default_rng(3).uniform(0.3, 1, size=(4, 7))
    np.testing.assert_allclose(power_mean(values), pmean(values, -5, axis=1), atol=1e-12)
    assert power_mean(np.array([0.0, 1.0])) == 0
    assert power_mean(np.array([0.7, 0.7, 0.7])) == pytest.approx(0.7)


def test_final_score_is_a_quarter_each():
    assert final_score(np.array([0.9]), np.array([[0.8, 0.7, 0.6]])) == pytest.approx([0.75])


def intervals(scores, harmful, members, *, clusters=None, resamples=500, seed=5):
    parts = Subgroups(
        scores=scores,
        decided=scores > 0.5,
        harmful=harmful,
        members=members,
        clusters=clusters or [f"{row:05d}" for row in range(len(scores))],
    )
    return AucIntervals(parts=parts, rng=np.random.default_rng(seed), resamples=resamples)


def test_intervals_are_those_of_a_plain_bootstrap_of_the_subset():
    scores, harmful, members = drawn(n=1500, decimals=3)
    rows = sides("bpsn", harmful, members[:, 0])

    def plain(weights):
        return Separation(scores[rows], harmful[rows], np.ones((rows.sum(), 1), dtype=bool)).compare(weights).overall

    alone = bootstrap(plain, n=int(rows.sum()), rng=np.random.default_rng(6), resamples=1000)
    found = intervals(scores, harmful, members, resamples=1000).measure("bpsn", 0)
    assert found.value == pytest.approx(alone.value, abs=1e-12)
    assert found.n == alone.n == rows.sum()
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high), abs=0.006)


def test_power_means_and_final_score_from_scikit_learn():
    scores, harmful, members = drawn(n=600)
    aucs = intervals(scores, harmful, members, resamples=50)
    means = []
    for measure in AUCS:
        rows = [sides(measure, harmful, mine) for mine in members.T]
        means.append(pmean([roc_auc_score(harmful[r], scores[r]) for r in rows], -5))
        assert aucs.mean(measure).value == pytest.approx(means[-1], abs=1e-9)
    expected = 0.25 * roc_auc_score(harmful, scores) + 0.25 * sum(means)
    assert aucs.final().value == pytest.approx(expected, abs=1e-9)


def test_a_perfect_subgroup_is_as_uncertain_as_its_scarcer_side():
    scores, harmful, members = drawn(n=2000, k=2, decimals=6)
    scores = scores + 100 * harmful
    members[:, 0] = False
    members[np.flatnonzero(harmful)[:12], 0] = True
    members[np.flatnonzero(~harmful)[:40], 0] = True
    found = intervals(scores, harmful, members, resamples=100).measure("bnsp", 0)
    assert found.value == 1
    assert found.tail(0.05).low == pytest.approx(0.05 ** (1 / 12), abs=1e-9)  # the rule of three for 12, not for 2000
    assert found.n > 1000


def test_copies_in_one_cluster_add_no_certainty():
    scores, harmful, members = drawn(n=300, k=2, decimals=3)
    keys = [f"{row:05d}" for row in range(300)]
    once = intervals(scores, harmful, members, clusters=keys).measure("subgroup", 1)
    copied = intervals(np.tile(scores, 4), np.tile(harmful, 4), np.tile(members, (4, 1)), clusters=keys * 4).measure(
        "subgroup", 1
    )
    assert copied.value == pytest.approx(once.value, abs=1e-12)
    assert copied.clusters == once.clusters
    assert copied.high - copied.low == pytest.approx(once.high - once.low, rel=0.15)


def test_rates_and_their_gaps():
    scores, harmful, members = drawn(n=500)
    parts = intervals(scores, harmful, members).parts
    wrong, mine = (scores > 0.5) != harmful, members[:, 0]
    for kind in (True, False):
        inside, outside = wrong[mine & (harmful == kind)].mean(), wrong[~mine & (harmful == kind)].mean()
        assert parts.wrong(0, harmful=kind).value == pytest.approx(inside)
        gap = parts.wrong_gap(0, harmful=kind)
        assert gap.value == pytest.approx(inside - outside)
        assert gap.low < gap.value < gap.high
        assert gap.n == (harmful == kind).sum()


@pytest.mark.parametrize("few", ["harmful", "harmless"])
def test_too_few_on_one_side_is_no_number(few):
    scores, harmful, members = drawn(n=500, k=3)
    kind = harmful if few == "harmful" else ~harmful
    members[np.flatnonzero(kind & members[:, 0])[9:], 0] = False
    aucs = intervals(scores, harmful, members, resamples=50)
    with pytest.raises(UnmeasurableError, match="9 independent texts"):
        aucs.measure("subgroup", 0)
    assert aucs.parts.ranked == (1, 2)
    assert np.isfinite(aucs.mean("bpsn").value)
    other = aucs.measure("bpsn" if few == "harmful" else "bnsp", 0)
    assert other.low < other.value


def test_intervals_cover_the_truth():
    """Two normal scores one apart: AUC = Phi(1 / sqrt(2)); 95 % intervals from 25 on either side."""
    rng, truth, hits = np.random.default_rng(7), 0.7602499389065233, 0
    harmful = np.arange(400) < 200
    for trial in range(80):
        scores = rng.normal(size=400) + harmful
        members = np.zeros((400, 1), dtype=bool)
        members[175:225] = True
        aucs = intervals(scores, harmful, members, resamples=200, seed=trial)
        found = aucs.measure("subgroup", 0)
        hits += found.low <= truth <= found.high
    assert hits >= 71
