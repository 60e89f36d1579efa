"""Paired differences of published numbers: what the outcomes of items give back, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ttest_rel
from sklearn.metrics import f1_score

from audits.comparison.items import Row
from audits.comparison.pairs import Pairs
from audits.comparison.reasons import NO_PART, NOT_KEPT, NOT_THE_SAME
from probes.core import stats
from probes.core.measuring import share
from probes.core.probe import Context
from probes.core.records import Better, Estimate, Measurement, Outcomes, Unit
from probes.performance.quality import Quality
from tests.audits.comparison import twin_runs as twins


def asked(probe, model, examples):
    """The numbers of a probe, and its outcomes as rows."""
    found = list(probe.run(model, examples, Context(probe=probe.info.id)))
    (kept,) = (record for record in found if isinstance(record, Outcomes))
    columns = zip(kept.example_id, kept.cluster, kept.variant, kept.after, kept.before, kept.gold, kept.correct,
                  kept.changed, strict=True)  # fmt: skip
    rows = {(key, variant): Row(cluster, variant, *rest, None) for key, cluster, variant, *rest in columns}
    return {m.key: m for m in found if isinstance(m, Measurement)}, rows


@pytest.fixture(scope="module")
def two() -> dict:
    """Both probes asked of two models: (old numbers, new numbers, pairs) by probe."""
    examples = twins.data(300)
    models = (
        twins.model(twins.picked(0.1), frail=twins.picked(0.1, seed=5)),
        twins.model(sorted({*twins.picked(0.1), *twins.picked(0.08, seed=3)}), frail=twins.picked(0.2, seed=5)),
    )
    made = {}
    for probe in (Quality(), twins.UPPER):
        (old, before), (new, after) = (asked(probe, model, examples) for model in models)
        made[probe.info.id] = (old, new, Pairs(before, after))
    return made


def test_every_difference_is_that_of_the_published_numbers(two):
    paired = 0
    for old, new, pairs in two.values():
        for key in old.keys() & new.keys():
            difference = pairs.difference(old[key], new[key])
            if isinstance(difference, Estimate):
                paired += 1
                assert difference.value == pytest.approx(new[key].estimate.value - old[key].estimate.value), key
                assert difference.low <= difference.value <= difference.high
    assert paired == 40


@pytest.mark.parametrize(
    ("probe", "keys"),
    [
        ("performance.quality", (
            "accuracy", "balanced_accuracy", "balanced_accuracy_over_chance", "macro_f1", "mcc",
            "accuracy_over_majority", "precision[label=billing]", "recall[label=other]", "f1[label=delivery]",
            "confusion[gold=billing,predicted=other]",
        )),
        ("robustness.upper_case", ("flip_rate", "flip_rate[severity=5]", "accuracy[severity=5]",
                                   "accuracy_drop[severity=5]")),
    ],
)  # fmt: skip
def test_what_is_paired(two, probe, keys):
    old, new, pairs = two[probe]
    for key in keys:
        assert isinstance(pairs.difference(old[key], new[key]), Estimate), key


def test_a_share_has_the_interval_of_its_pairs(two):
    old, new, pairs = two["performance.quality"]
    found = pairs.difference(old["accuracy"], new["accuracy"])
    rows = [(pairs.before[key].correct, pairs.after[key].correct, pairs.after[key].cluster) for key in pairs.keys]
    first, second, clusters = zip(*rows, strict=True)
    assert found == stats.paired_difference(np.array(first), np.array(second), clusters=clusters)
    assert found.clusters < found.n


def test_a_loss_is_compared_item_by_item():
    rng = np.random.default_rng(4)
    right = rng.random((2, 2, 200)) < np.array([[[0.9], [0.7]], [[0.85], [0.6]]])  # model, first or changed, item
    sides = [
        {
            (str(k), "severity=2"): Row(str(k), "severity=2", "a", "a" if first else "b", "a", bool(later), None, None)
            for k, (first, later) in enumerate(zip(*model, strict=True))
        }
        for model in right
    ]
    lost = [model[0].astype(float) - model[1] for model in right]
    assert set(lost[0]) == {-1.0, 0.0, 1.0}
    part = {"severity": "2"}
    found = Pairs(*sides).difference(*(measured("accuracy_drop", each.mean(), n=200, part=part) for each in lost))
    expected = ttest_rel(lost[1], lost[0]).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_the_difference_of_two_f1_has_the_interval_of_another_bootstrap(two):
    old, new, pairs = two["performance.quality"]
    found = pairs.difference(old["macro_f1"], new["macro_f1"])
    rows = [pairs.before[key] for key in pairs.keys], [pairs.after[key] for key in pairs.keys]
    gold = np.array([row.gold for row in rows[1]])
    first, second = (np.array([row.answer for row in side]) for side in rows)
    codes = np.unique([row.cluster for row in rows[1]], return_inverse=True)[1]
    members = [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(500):
        kept = np.concatenate([members[k] for k in rng.integers(0, len(members), len(members))])
        drawn.append(np.subtract(*(f1_score(gold[kept], side[kept], average="macro") for side in (second, first))))
    low, high = np.quantile(drawn, (0.025, 0.975))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.006)
    alone = sum(m["macro_f1"].estimate.high - m["macro_f1"].estimate.low for m in (old, new))
    assert found.high - found.low < 0.75 * alone, "pairing is what makes it short"


def test_alike_models_are_seldom_shown_to_differ():
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b", "c"])
    shown, of = 0, 120
    for _ in range(of):
        gold = rng.integers(0, 3, 150)
        answers = [np.where(rng.random(150) < 0.2, (gold + 1) % 3, gold) for _ in range(2)]
        sides = [
            {(str(k), ""): Row(str(k), "", labels[a], None, labels[g], bool(a == g), None, None)
             for k, (a, g) in enumerate(zip(side, gold, strict=True))}
            for side in answers
        ]  # fmt: skip
        numbers = [measured("macro_f1", f1_score(gold, side, average="macro"), n=150) for side in answers]
        difference = Pairs(*sides).difference(*numbers)
        shown += not difference.low <= 0 <= difference.high
    assert 0 < shown <= 0.1 * of


def measured(name, value, *, n, part=None):
    estimate = Estimate(value=value, low=min(value, 0.0), high=max(value, 1.0), n=n, clusters=n, method="m")
    return Measurement(
        name=name, title=name, estimate=estimate, better=Better.HIGHER, unit=Unit.PROPORTION, slice=part or {}
    )


def test_what_the_outcomes_do_not_give_is_not_paired(two):
    old, new, pairs = two["performance.quality"]
    assert pairs.difference(old["majority_baseline"], new["majority_baseline"]) == NOT_KEPT
    group = "accuracy[group=channel=chat]"
    assert pairs.difference(old[group], new[group]) == NO_PART
    group = "macro_f1[group=channel=chat]"
    assert pairs.difference(old[group], new[group]) == NO_PART
    for key in ("accuracy", "macro_f1"):
        estimate = new[key].estimate
        other = estimate.model_copy(update={"value": estimate.value + 1e-4, "high": 1.0})
        assert pairs.difference(old[key], new[key].model_copy(update={"estimate": other})) == NOT_THE_SAME
    fewer = new["accuracy"].estimate.model_copy(update={"n": 299})
    assert pairs.difference(old["accuracy"], new["accuracy"].model_copy(update={"estimate": fewer})) == NOT_THE_SAME


def test_sets_of_labels_are_paired_by_whether_they_match_and_not_by_their_f1():
    rows = [Row(str(k), "", "a + b" if k % 2 else "a", None, "a", k % 2 == 0, None, None) for k in range(40)]
    before = {(row.cluster, ""): row for row in rows}
    after = {key: replace(row, answer="a", correct=True) for key, row in before.items()}
    flags = [np.array([row.correct for row in side.values()]) for side in (before, after)]
    exact = [measured("exact_match", share(flag, clusters=[row.cluster for row in rows]).value, n=40) for flag in flags]
    assert Pairs(before, after).difference(*exact).value == pytest.approx(0.5)
    f1 = [measured("macro_f1", 0.71, n=40), measured("macro_f1", 0.93, n=40)]
    assert Pairs(before, after).difference(*f1) == NOT_THE_SAME


def test_numbers_without_right_answers_or_of_a_scale_are_no_counts_of_labels():
    row = Row("c", "", "0.3", None, "0.5", None, None, 0.2)
    before = {(str(k), ""): replace(row, cluster=str(k), error=0.1 * (k % 3)) for k in range(60)}
    after = {key: replace(each, error=each.error + 0.05 + 0.01 * int(key[0])) for key, each in before.items()}
    pairs = Pairs(before, after)
    sides = [[row.error for row in side.values()] for side in (before, after)]
    errors = [
        measured("mae", 0.0, n=60).model_copy(
            update={"estimate": measured("mae", 0.0, n=60).estimate.model_copy(update={"value": np.mean(side)})}
        )
        for side in sides
    ]
    assert pairs.difference(*errors).value == pytest.approx(np.mean(sides[1]) - np.mean(sides[0]))
    assert pairs.difference(measured("macro_f1", 0.5, n=60), measured("macro_f1", 0.5, n=60)) == NOT_KEPT
