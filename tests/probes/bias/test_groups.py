"""`bias.groups`: equal to fairlearn, scikit-learn and counting by hand; a planted defect is found, its twin is not."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from fairlearn import metrics as fairlearn
from sklearn.metrics import accuracy_score, precision_score

from probes.bias.groups import frames as group_frames
from probes.bias.groups.frames import require_agreement
from probes.bias.groups.probe import Groups
from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.positive import Meaning, PositiveClass
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, SkipReason, from_line, to_line
from probes.data.rows import MISSING_GROUP
from tests.conftest import FakeModel, model_card

LABELS = ("rejected", "accepted")
CLOSE = {"abs": 1e-9, "rel": 0}


def answering(labels=LABELS, *, meaning=Meaning.FAVOURABLE, positive=("accepted",), problem=ProblemType.SINGLE_LABEL):
    """A model whose logits are written in the text: "name|0.3,-1.2"."""
    card = model_card(labels=labels, problem=problem).model_copy(
        update={"positive": PositiveClass(labels=positive, meaning=meaning)}
    )
    return FakeModel(rule=lambda text: [float(part) for part in str(text).partition("|")[2].split(",")], card=card)


def items(n=1200, *, seed=0, groups=("a", "b", "c"), labels=LABELS, gap=0.0, weights=None, unlabelled=0.0, age=False):
    """Items whose selection depends on the group `a` by `gap` on the logit scale."""
    rng = np.random.default_rng(seed)
    group = rng.choice(groups, n, p=weights)
    ages = rng.choice(["old", "young"], n)
    gold = rng.integers(0, len(labels), n)
    logits = rng.normal(size=(n, len(labels))).round(6)
    logits[np.arange(n), gold] += 1.2
    logits[group == groups[0], -1] -= gap
    known = rng.random(n) >= unlabelled
    return [
        Example.of(
            f"item {row}|{','.join(map(str, logits[row]))}",
            gold=labels[gold[row]] if known[row] else None,
            groups={"gender": str(group[row])} | ({"age": str(ages[row])} if age else {}),
        )
        for row in range(n)
    ]


def records(data, model=None, **parameters):
    return list(Groups(**parameters).run(model or answering(), data, Context(probe="bias.groups", seed=0)))


def measured(found):
    return {r.key: r.estimate for r in found if isinstance(r, Measurement)}


def skipped(found):
    return {(r.name, tuple(r.slice.values())): r for r in found if isinstance(r, Skip)}


def columns(data, model):
    """gold, answer, score, groups: by another route than the probe's."""
    answers = model.classify([example.text for example in data])
    wanted = list(model.card.positive.labels)
    gold = np.array([example.gold in wanted for example in data], dtype=int)
    answer = np.array([answers.labels[i] in wanted for i in answers.logits.argmax(axis=1)], dtype=int)
    exp = np.exp(answers.logits - answers.logits.max(axis=1, keepdims=True))
    score = (exp / exp.sum(axis=1, keepdims=True))[:, [label in wanted for label in answers.labels]].sum(axis=1)
    return gold, answer, score, np.array([example.groups["gender"] for example in data])


GROUP_METRICS = {
    "selection_rate": fairlearn.selection_rate,
    "true_positive_rate": fairlearn.true_positive_rate,
    "false_positive_rate": fairlearn.false_positive_rate,
    "precision": precision_score,
    "accuracy": accuracy_score,
}
DISPARITIES = {
    "demographic_parity_difference": fairlearn.demographic_parity_difference,
    "demographic_parity_ratio": fairlearn.demographic_parity_ratio,
    "equalized_odds_difference": fairlearn.equalized_odds_difference,
    "equalized_odds_ratio": fairlearn.equalized_odds_ratio,
    "equal_opportunity_difference": fairlearn.equal_opportunity_difference,
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("meaning", [Meaning.FAVOURABLE, Meaning.HARM])
def test_every_group_metric_agrees_with_fairlearn_and_scikit_learn(seed, meaning):
    model, data = answering(meaning=meaning), items(600, seed=seed, gap=0.4 * seed)
    gold, answer, score, group = columns(data, model)
    found = measured(records(data, model))
    frame = fairlearn.MetricFrame(metrics=GROUP_METRICS, y_true=gold, y_pred=answer, sensitive_features=group)
    for name in GROUP_METRICS:
        for value in np.unique(group):
            ours = found[f"{name}[attribute=gender,group={value}]"]
            assert ours.value == pytest.approx(frame.by_group[name][value], **CLOSE)
            assert ours.low < ours.value < ours.high
    scores = fairlearn.MetricFrame(
        metrics=fairlearn.mean_prediction, y_true=gold, y_pred=score, sensitive_features=group
    )
    for value in np.unique(group):
        assert found[f"mean_score[attribute=gender,group={value}]"].value == pytest.approx(
            scores.by_group[value], **CLOSE
        )
    for name, metric in DISPARITIES.items():
        theirs = metric(gold, answer, sensitive_features=group)
        assert found[f"{name}[attribute=gender]"].value == pytest.approx(theirs, **CLOSE)
    for name, metric in (("predictive_parity", "precision"), ("accuracy", "accuracy")):
        assert found[f"{name}_difference[attribute=gender]"].value == pytest.approx(frame.difference()[metric], **CLOSE)
    assert found["mean_score_difference[attribute=gender]"].value == pytest.approx(scores.difference(), **CLOSE)


def by_hand():
    """Per group: hits, misses, false alarms, right rejections; probability 0.9 or 0.1 for "accepted"."""
    counts = {"f": (12, 18, 6, 24), "m": (30, 10, 12, 28)}
    away = float(np.log(9) / 2)
    data = []
    for group, cells in counts.items():
        for cell, count in enumerate(cells):
            gold, answer = cell in (0, 1), cell in (0, 2)
            sign = 1 if answer else -1
            data += [
                Example.of(
                    f"{group} {cell} {i}|{-sign * away},{sign * away}",
                    gold=LABELS[gold],
                    groups={"gender": group},
                )
                for i in range(count)
            ]
    return data


@pytest.mark.parametrize(("meaning", "impact"), [(Meaning.FAVOURABLE, 0.3 / 0.525), (Meaning.HARM, 0.475 / 0.7)])
def test_numbers_counted_by_hand(meaning, impact):
    found = measured(records(by_hand(), answering(meaning=meaning)))
    expected = {
        "selection_rate": (18 / 60, 42 / 80),
        "true_positive_rate": (12 / 30, 30 / 40),
        "false_positive_rate": (6 / 30, 12 / 40),
        "precision": (12 / 18, 30 / 42),
        "accuracy": (36 / 60, 58 / 80),
        "mean_score": ((18 * 0.9 + 42 * 0.1) / 60, (42 * 0.9 + 38 * 0.1) / 80),
        "calibration_gap": ((18 * 0.9 + 42 * 0.1) / 60 - 30 / 60, (42 * 0.9 + 38 * 0.1) / 80 - 40 / 80),
    }
    for name, values in expected.items():
        for group, value in zip("fm", values, strict=True):
            assert found[f"{name}[attribute=gender,group={group}]"].value == pytest.approx(value, **CLOSE)
    gaps = {
        "demographic_parity_difference": 0.525 - 0.3,
        "demographic_parity_ratio": 0.3 / 0.525,
        "impact_ratio": impact,
        "equal_opportunity_difference": 0.75 - 0.4,
        "equalized_odds_difference": 0.35,
        "equalized_odds_ratio": 0.4 / 0.75,
        "predictive_parity_difference": 30 / 42 - 12 / 18,
        "accuracy_difference": 58 / 80 - 36 / 60,
        "mean_score_difference": expected["mean_score"][1] - expected["mean_score"][0],
        "calibration_gap_difference": expected["calibration_gap"][1] - expected["calibration_gap"][0],
        "unknown_share": 0.0,
    }
    for name, value in gaps.items():
        assert found[f"{name}[attribute=gender]"].value == pytest.approx(value, **CLOSE)
    ratios = [found[f"ratio_to_most_favoured[attribute=gender,group={g}]"].value for g in "fm"]
    assert sorted(ratios) == pytest.approx([impact, 1.0], **CLOSE)
    assert ratios.index(1.0) == (1 if meaning is Meaning.FAVOURABLE else 0)
    assert found["selection_rate[attribute=gender,group=f]"].n == 60
    assert found["true_positive_rate[attribute=gender,group=f]"].n == 30


def test_a_planted_gap_is_shown_with_its_group_and_its_clean_twin_is_not():
    defect, clean = (records(items(900, seed=1, gap=gap, age=True)) for gap in (1.5, 0.0))
    bad, good = measured(defect), measured(clean)
    assert bad["demographic_parity_difference[attribute=gender]"].tail(0.01).low > 0.1
    assert bad["impact_ratio[attribute=gender]"].tail(0.01).high < 0.8
    assert bad["ratio_to_most_favoured[attribute=gender,group=a]"].tail(0.01).high < 0.8
    assert bad["ratio_to_most_favoured[attribute=gender,group=b]"].tail(0.01).high == 1
    for name in ("demographic_parity", "equal_opportunity", "equalized_odds", "predictive_parity", "accuracy"):
        assert good[f"{name}_difference[attribute=gender]"].tail(0.01).low == 0
    assert good["impact_ratio[attribute=gender]"].tail(0.01).high == 1
    titles = {r.key: r.title for r in defect if isinstance(r, Measurement)}
    assert "(a lowest, " in titles["impact_ratio[attribute=gender]"]
    assert bad["demographic_parity_difference[attribute=age]"].tail(0.01).low == 0


def test_worst_cases_are_errors_in_the_least_favoured_group_denials_first():
    found = [r for r in records(items(900, seed=1, gap=1.5, age=True)) if isinstance(r, Evidence)]
    assert [r.chosen for r in found] == ["random"] * 6 + ["worst"] * 10
    by_gender = [r for r in found if r.slice["attribute"] == "gender"]
    assert {r.slice["group"] for r in by_gender[:3]} == {"a", "b", "c"}
    worst = by_gender[3:]
    assert {r.slice["group"] for r in worst} == {"a"}
    assert {(r.shown[0].answer, r.gold, r.note) for r in worst} == {("rejected", "accepted", "wrong")}
    assert len({r.example_id for r in found}) == len(found)
    assert not any(r.content_note for r in found)


def test_texts_of_a_harm_classifier_carry_a_content_note():
    found = [r for r in records(items(), answering(meaning=Meaning.HARM)) if isinstance(r, Evidence)]
    harmful = [r for r in found if "accepted" in (r.gold, r.shown[0].answer)]
    assert harmful
    assert all(bool(r.content_note) == (r in harmful) for r in found)


def test_small_groups_are_listed_and_never_counted():
    data = items(600, groups=("a", "b", "tiny"), weights=(0.5, 0.48, 0.02), seed=2)
    found = records(data)
    n = sum(example.groups["gender"] == "tiny" for example in data)
    assert 0 < n < 30
    skip = skipped(found)["ratio_to_most_favoured", ("gender", "tiny")]
    assert skip.reason is SkipReason.TOO_FEW
    assert f"{n} items, {n / 600:.1%} of those with a value" in skip.detail
    assert not any("group=tiny" in key for key in measured(found))
    without = [example for example in data if example.groups["gender"] != "tiny"]
    gap = "demographic_parity_difference[attribute=gender]"
    assert measured(found)[gap] == measured(records(without))[gap]


def test_items_without_a_value_are_counted_but_no_group():
    data = items(800, age=True)
    words = ["", MISSING_GROUP, "Unknown", "  "]
    blank = [
        replace(example, groups={**example.groups, "gender": words[row % 4]}) if row < 80 else example
        for row, example in enumerate(data)
    ]
    found = records(blank)
    share = measured(found)["unknown_share[attribute=gender]"]
    assert (share.value, share.n) == (pytest.approx(0.1), 800)
    assert {r.slice["group"] for r in found if isinstance(r, Measurement) and len(r.slice) == 2} == {
        "a", "b", "c", "old", "young",
    }  # fmt: skip
    assert measured(found)["unknown_share[attribute=age]"].value == 0
    rows = [example for example in blank if example.groups["gender"] in "abc" and example.groups["gender"].strip()]
    assert measured(records(rows))["impact_ratio[attribute=gender]"].value == pytest.approx(
        measured(found)["impact_ratio[attribute=gender]"].value
    )
    named = measured(records(blank, unknown=()))
    assert "selection_rate[attribute=gender,group=Unknown]" not in named  # 20 items: too few, and listed
    assert named["unknown_share[attribute=gender]"].value == pytest.approx(0.075)


def test_intersections_on_request():
    data, model = items(1500, seed=3, gap=0.8, age=True), answering()
    alone, together = measured(records(data, model)), measured(records(data, model, intersections=True))
    assert alone.items() <= together.items()
    gold, answer, _, group = columns(data, model)
    frame = fairlearn.MetricFrame(
        metrics=fairlearn.true_positive_rate,
        y_true=gold,
        y_pred=answer,
        sensitive_features={"age": [example.groups["age"] for example in data], "gender": group},
    )
    for (age, gender), value in frame.by_group.items():
        key = f"true_positive_rate[attribute=age + gender,group={age} + {gender}]"
        assert together[key].value == pytest.approx(value, **CLOSE)
    assert together["equal_opportunity_difference[attribute=age + gender]"].value == pytest.approx(
        frame.difference(), **CLOSE
    )


def test_a_declared_reference():
    found = records(by_hand(), reference=("gender=m",))
    ratio = measured(found)["ratio_to_reference[attribute=gender,group=f]"]
    assert ratio.value == pytest.approx(0.3 / 0.525, **CLOSE)
    assert "ratio_to_reference[attribute=gender,group=m]" not in measured(found)
    other = measured(records(by_hand(), reference=("gender=f",)))["ratio_to_reference[attribute=gender,group=m]"]
    assert other.value == pytest.approx(0.525 / 0.3, **CLOSE)
    missing = skipped(records(by_hand(), reference=("gender=x",)))["ratio_to_reference", ("gender",)]
    assert "x is no group" in missing.detail
    with pytest.raises(UsageError, match="column=value"):
        Groups(reference=("gender",))
    with pytest.raises(UsageError, match="minimum"):
        Groups(minimum=1)


def test_repeated_texts_are_no_new_evidence():
    once = items(300, seed=5, gap=1.0)
    copies = [replace(e, id=f"{e.id}{i}") for e in once for i in range(4)]
    independent = [replace(e, cluster=e.id) for e in copies]
    single, repeated, naive = (measured(records(data)) for data in (once, copies, independent))
    for key in ("selection_rate[attribute=gender,group=a]", "demographic_parity_difference[attribute=gender]"):
        assert repeated[key].value == pytest.approx(single[key].value)
        assert repeated[key].clusters == single[key].clusters
        assert repeated[key].high - repeated[key].low > 1.6 * (naive[key].high - naive[key].low)


def test_selection_needs_no_right_answers():
    data = [replace(example, gold=None) for example in items(600, gap=1.5)]
    found = records(data)
    gap = measured(found)["demographic_parity_difference[attribute=gender]"]
    assert gap.low > 0
    names = {key.split("[")[0] for key in measured(found)}
    assert names == {
        "unknown_share", "selection_rate", "mean_score", "ratio_to_most_favoured", "impact_ratio",
        "demographic_parity_difference", "demographic_parity_ratio", "mean_score_difference",
    }  # fmt: skip
    assert skipped(found)["equalized_odds_difference", ()].reason is SkipReason.NO_GOLD
    assert [r.chosen for r in found if isinstance(r, Evidence)] == ["random"] * 3


def test_partly_labelled_items_count_where_they_can():
    data = items(900, unlabelled=0.4, seed=6)
    labelled = [example for example in data if example.gold is not None]
    some, only = measured(records(data)), measured(records(labelled))
    key = "[attribute=gender,group=b]"
    assert some[f"accuracy{key}"] == only[f"accuracy{key}"]
    assert some[f"selection_rate{key}"].n > only[f"selection_rate{key}"].n
    outcome = next(r for r in records(data) if isinstance(r, Outcomes))
    assert len(outcome) == 900
    assert sum(value is None for value in outcome.correct) == 900 - len(labelled)
    account = next(r for r in records(data) if isinstance(r, Accounting))
    assert (account.eligible, account.scored) == (900, 900)
    assert f"{900 - len(labelled)} without a right answer" in account.note


def test_topics_have_accuracy_only_and_say_why():
    labels = ("sport", "politics", "art")
    model, data = answering(labels, positive=()), items(600, labels=labels)
    found = records(data, model)
    assert {key.split("[")[0] for key in measured(found)} == {"unknown_share", "accuracy", "accuracy_difference"}
    right = np.array([example.gold for example in data]) == np.array(model.classify([e.text for e in data]).names())
    frame = fairlearn.MetricFrame(
        metrics=accuracy_score, y_true=np.ones(600), y_pred=right, sensitive_features=columns(data, model)[3]
    )
    assert measured(found)["accuracy_difference[attribute=gender]"].value == pytest.approx(frame.difference(), **CLOSE)
    skip = skipped(found)["impact_ratio", ()]
    assert (skip.reason, skip.enable) == (
        SkipReason.NO_POSITIVE_CLASS,
        "name it with --positive-label, or say `--positive-label none` if no answer is the positive one",
    )


def test_several_positive_labels_and_accuracy_of_the_label_itself():
    labels = ("bad", "good", "great")
    model, data = answering(labels, positive=("good", "great")), items(600, labels=labels, seed=7)
    gold, answer, score, group = columns(data, model)
    found = measured(records(data, model))
    for value in "abc":
        part = f"[attribute=gender,group={value}]"
        rows = group == value
        assert found[f"selection_rate{part}"].value == pytest.approx(answer[rows].mean(), **CLOSE)
        assert found[f"mean_score{part}"].value == pytest.approx(score[rows].mean(), **CLOSE)
        assert found[f"calibration_gap{part}"].value == pytest.approx((score - gold)[rows].mean(), **CLOSE)
        assert found[f"accuracy{part}"].value < (answer == gold)[rows].mean()


def test_label_sets():
    labels = ("insult", "threat", "praise")
    model = answering(labels, positive=("insult", "threat"), meaning=Meaning.HARM, problem=ProblemType.MULTI_LABEL)
    rng = np.random.default_rng(8)
    logits, gold = rng.normal(size=(400, 3)).round(4), rng.random((400, 3)) < 0.4
    group = rng.choice(["a", "b"], 400)
    data = [
        Example.of(
            f"{row}|{','.join(map(str, logits[row]))}",
            gold=tuple(label for label, on in zip(labels, gold[row], strict=True) if on),
            groups={"g": str(group[row])},
        )
        for row in range(400)
    ]
    found = measured(records(data, model))
    for value in "ab":
        rows, part = group == value, f"[attribute=g,group={value}]"
        harm, answer = gold[rows, :2].any(axis=1), (logits[rows, :2] >= 0).any(axis=1)
        assert found[f"true_positive_rate{part}"].value == pytest.approx(answer[harm].mean(), **CLOSE)
        exact = ((logits[rows] >= 0) == gold[rows]).all(axis=1)
        assert found[f"accuracy{part}"].value == pytest.approx(exact.mean(), **CLOSE)
        favoured = found[f"ratio_to_most_favoured{part}"].value
        assert favoured <= 1
    rates = [1 - (logits[group == value, :2] >= 0).any(axis=1).mean() for value in "ab"]
    assert found["impact_ratio[attribute=g]"].value == pytest.approx(min(rates) / max(rates), **CLOSE)


def test_scores_have_means_and_errors_by_group():
    model = answering(("score",), positive=("score",), problem=ProblemType.REGRESSION)
    rng = np.random.default_rng(9)
    gold, group = rng.normal(3, 1, 300).round(3), rng.choice(["a", "b"], 300)
    answer = (gold + rng.normal(0, 0.3, 300) + (group == "b")).round(3)
    data = [
        Example.of(f"{row}|{answer[row]}", gold=float(gold[row]), groups={"g": str(group[row])}) for row in range(300)
    ]
    found = measured(records(data, model))
    error = {value: (answer - gold)[group == value].mean() for value in "ab"}
    assert found["mean_error[attribute=g,group=b]"].value == pytest.approx(error["b"], **CLOSE)
    gap = found["mean_error_difference[attribute=g]"]
    assert gap.value == pytest.approx(error["b"] - error["a"], **CLOSE)
    assert gap.low > 0.8
    assert {key.split("[")[0] for key in found} == {
        "unknown_share", "mean_score", "mean_error", "mean_score_difference", "mean_error_difference",
    }  # fmt: skip


def test_undefined_is_a_reason_never_a_number():
    data = [e for e in items(900, seed=10) if e.groups["gender"] != "b" or e.gold == "rejected"]
    found = records(data)
    skip = skipped(found)["true_positive_rate", ("gender", "b")]
    assert skip.reason is SkipReason.UNDEFINED
    rates = [measured(found)[f"true_positive_rate[attribute=gender,group={g}]"].value for g in "ac"]
    assert measured(found)["equal_opportunity_difference[attribute=gender]"].value == pytest.approx(
        abs(rates[0] - rates[1])
    )

    never = [replace(e, text=f"{e.text.partition('|')[0]}|1,0") for e in items(300)]
    nobody = records(never)
    for name in ("demographic_parity_ratio", "impact_ratio"):
        assert skipped(nobody)[name, ("gender",)].reason is SkipReason.UNDEFINED
    assert skipped(nobody)["ratio_to_most_favoured", ("gender", "a")].reason is SkipReason.UNDEFINED
    assert skipped(nobody)["precision", ("gender", "a")].reason is SkipReason.UNDEFINED
    gap = measured(nobody)["demographic_parity_difference[attribute=gender]"]
    assert gap.value == gap.low == 0 < gap.high
    harm = measured(records(never, answering(meaning=Meaning.HARM)))
    assert harm["impact_ratio[attribute=gender]"].value == 1

    one = records([replace(e, groups={"gender": "a"}) for e in items(100)])
    assert skipped(one)["demographic_parity_difference", ("gender",)].reason is SkipReason.TOO_FEW
    assert "accuracy[attribute=gender,group=a]" in measured(one)


def test_without_items_or_groups_there_is_a_reason():
    for data in ([], [Example.of("x|1,0", gold="accepted")]):
        found = records(data)
        assert isinstance(found[0], Accounting)
        assert skipped(found)[None, ()].reason is SkipReason.NO_GROUPS


def test_answers_that_are_no_numbers_are_unscored():
    data = items(300)
    broken = [replace(data[0], text="x|nan,1"), *data[1:]]
    account = next(r for r in records(broken) if isinstance(r, Accounting))
    assert (account.eligible, account.scored, account.unscored) == (300, 299, 1)


def test_disagreement_with_fairlearn_stops_the_probe(monkeypatch):
    groups = {"a": np.array([True, False]), "b": np.array([False, True])}
    frame = group_frames.Frame(truth=np.ones(2, bool), prediction=np.array([True, False]), rows=np.ones(2, bool))
    require_agreement({"selection_rate": {"a": 1.0, "b": 0.0}}, frame, groups)
    with pytest.raises(ArithmeticError, match=r"selection_rate of b is 0\.5"):
        require_agreement({"accuracy": {"a": 1.0}, "selection_rate": {"a": 1.0, "b": 0.5}}, frame, groups)
    nowhere = {"a": float("nan"), "b": float("nan"), "c": float("nan")}
    monkeypatch.setattr(group_frames, "by_fairlearn", lambda names, frame, groups: dict.fromkeys(names, nowhere))
    with pytest.raises(ArithmeticError):
        records(items(300))


def test_families_are_by_attribute_and_question():
    found = [r for r in records(items(600, age=True)) if isinstance(r, Measurement)]
    assert {m.family for m in found if set(m.slice) == {"attribute"} and m.name != "unknown_share"} == {
        "bias.groups.gender", "bias.groups.age",
    }  # fmt: skip
    assert {m.family for m in found if m.name == "ratio_to_most_favoured"} == {
        "bias.groups.gender.ratio_to_most_favoured", "bias.groups.age.ratio_to_most_favoured",
    }  # fmt: skip


def test_ten_thousand_items_take_seconds():
    data, model = items(10_000, groups=tuple("abcdef"), age=True), answering()
    records(data[:300], model)
    started = time.process_time()
    records(data, model, intersections=True)
    assert time.process_time() - started < 6


def test_the_order_of_the_rows_changes_nothing():
    data = items(300, groups=("a", "b", "tiny"), weights=(0.5, 0.47, 0.03), age=True, gap=1.0)
    forward, backward = ([r for r in records(rows) if not isinstance(r, Outcomes)] for rows in (data, data[::-1]))
    assert [to_line(r) for r in forward] == [to_line(r) for r in backward]
    assert [from_line(to_line(r)) for r in forward] == forward
    keys = [r.key for r in forward if isinstance(r, Measurement)]
    assert len(keys) == len(set(keys))
