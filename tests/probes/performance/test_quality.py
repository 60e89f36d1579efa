"""The quality probe on planted data: known weaknesses, groups, label sets, scores, and what cannot be measured."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from probes.core.answers import ProblemType
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Accounting, Better, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.performance.quality import Quality
from tests.conftest import FakeModel, model_card

LABELS = ("no", "yes", "maybe")
CTX = Context(probe="performance.quality")


def answers_in_text(*, labels=LABELS, problem=ProblemType.SINGLE_LABEL):
    """A model that answers the logits written after the bar in the text."""
    return FakeModel(
        rule=lambda text: [float(x) for x in str(text).split("|")[1].split()],
        card=model_card(labels=labels, problem=problem),
    )


def item(number, gold, logits, **groups):
    return Example.of(f"item {number} |{' '.join(map(str, logits))}", gold=gold, groups=groups)


def logits_for(answer, *, strength=2.0):
    return [strength if label == answer else 0.0 for label in LABELS]


def planted(n=150, seed=0):
    """Three labels; "maybe" is rare and mostly missed; the group "old" is answered worse."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        gold = str(rng.choice(LABELS, p=[0.6, 0.3, 0.1]))
        group = "old" if number % 3 == 0 else "new"
        wrong = rng.random() < (0.4 if group == "old" else 0.1) or (gold == "maybe" and rng.random() < 0.7)
        answer = LABELS[(LABELS.index(gold) + 1) % 3] if wrong else gold
        rows.append(item(number, gold, logits_for(answer, strength=1 + number / n), age=group))
    return rows


def run(data, model=None, probe=None):
    return list((probe or Quality(resamples=300)).run(model or answers_in_text(), data, CTX))


def numbers(records):
    return {record.key: record for record in records if isinstance(record, Measurement)}


def skips(records):
    return {(record.name, *record.slice.values()): record for record in records if isinstance(record, Skip)}


def test_values_are_those_of_scikit_learn():
    data = planted()
    found = numbers(run(data))
    gold = [example.gold for example in data]
    predicted = [LABELS[int(np.argmax([float(x) for x in e.text.split("|")[1].split()]))] for e in data]
    assert found["accuracy"].estimate.value == pytest.approx(sk.accuracy_score(gold, predicted))
    assert found["balanced_accuracy"].estimate.value == pytest.approx(sk.balanced_accuracy_score(gold, predicted))
    assert found["macro_f1"].estimate.value == pytest.approx(sk.f1_score(gold, predicted, average="macro"))
    assert found["mcc"].estimate.value == pytest.approx(sk.matthews_corrcoef(gold, predicted))
    table = sk.precision_recall_fscore_support(gold, predicted, labels=LABELS)
    for column, label in enumerate(LABELS):
        for name, values in zip(("precision", "recall", "f1"), table, strict=False):
            assert found[f"{name}[label={label}]"].estimate.value == pytest.approx(values[column])
    confusion = sk.confusion_matrix(gold, predicted, labels=LABELS, normalize="true")
    for row, g in enumerate(LABELS):
        for column, p in enumerate(LABELS):
            share = found[f"confusion[gold={g},predicted={p}]"]
            assert share.estimate.value == pytest.approx(confusion[row, column])
            assert share.better is Better.CONTEXT


def test_gain_over_the_commonest_label():
    data = planted()
    found = numbers(run(data))
    majority = np.mean([example.gold == "no" for example in data])
    gain = found["accuracy_over_majority"].estimate
    assert found["majority_baseline"].estimate.value == pytest.approx(majority)
    assert gain.value == pytest.approx(found["accuracy"].estimate.value - majority)
    always_no = [item(n, e.gold, logits_for("no")) for n, e in enumerate(data)]
    nothing = numbers(run(always_no))["accuracy_over_majority"].estimate
    assert nothing.low < nothing.value == 0 < nothing.high
    assert gain.low > nothing.value


def test_the_weak_group_is_told_apart():
    found = numbers(run(planted(400)))
    old, new = (found[f"accuracy[group=age={value}]"].estimate for value in ("old", "new"))
    assert old.high < new.low
    assert old.n + new.n == 400
    assert "macro_f1[group=age=old]" in found


def test_small_and_unknown_groups():
    data = [*planted(60), *(item(f"x{n}", "no", logits_for("no"), age="odd", place=" ") for n in range(4))]
    records = run(data)
    assert "accuracy[group=place=(unknown)]" in numbers(records)
    few = skips(records)[(None, "age=odd")]
    assert few.reason is SkipReason.TOO_FEW
    assert "age=odd" in few.detail
    assert "4" in few.detail


def test_a_label_that_does_not_occur_is_not_measured():
    data = [item(n, "no" if n % 2 else "yes", logits_for("yes" if n % 3 else "no")) for n in range(40)]
    records = run(data)
    for name in ("precision", "recall", "f1"):
        assert skips(records)[(name, "maybe")].reason is SkipReason.UNDEFINED
        assert f"{name}[label=maybe]" not in numbers(records)
    assert numbers(records)["f1[label=no]"].estimate.value > 0


def test_one_gold_label_leaves_nothing_to_tell_apart():
    records = run([item(n, "no", logits_for("no")) for n in range(40)])
    for name in ("balanced_accuracy", "macro_f1", "mcc", "accuracy_over_majority"):
        assert skips(records)[(name,)].reason is SkipReason.UNDEFINED
    assert numbers(records)["accuracy"].estimate.value == 1


def test_flawless_is_not_certain():
    data = [item(n, LABELS[n % 3], logits_for(LABELS[n % 3])) for n in range(60)]
    for measurement in numbers(run(data)).values():
        if measurement.better is Better.HIGHER:
            assert measurement.estimate.low < measurement.estimate.value
            assert measurement.estimate.tail(0.05).low < measurement.estimate.value


def test_repeated_texts_are_not_more_evidence():
    once = planted(100)
    five_times = [
        Example.of(e.text, gold=e.gold, groups={**e.groups, "copy": str(copy)}) for e in once for copy in range(5)
    ]
    single, repeated = (numbers(run(data)) for data in (once, five_times))
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "mcc", "f1[label=no]", "accuracy_over_majority"):
        a, b = single[name].estimate, repeated[name].estimate
        assert b.clusters <= 100
        assert b.value == pytest.approx(a.value)
        assert (b.high - b.low) > 0.85 * (a.high - a.low)


def test_unlabelled_items_are_accounted_for_and_not_errors():
    data = planted(50)
    more = [*data, *(Example.of(f"unlabelled {n} |1 0 0") for n in range(7))]
    records = run(more)
    account = next(record for record in records if isinstance(record, Accounting))
    assert (account.eligible, account.scored, account.unscored) == (50, 50, 7)
    assert numbers(records)["accuracy"] == numbers(run(data))["accuracy"]


def test_no_gold_at_all():
    records = run([Example.of("a |1 0 0")])
    assert [type(record) for record in records] == [Accounting, Skip]
    assert records[1].reason is SkipReason.NO_GOLD


def test_cases_are_ordinary_first_then_the_most_confident_errors():
    records = [record for record in run(planted()) if isinstance(record, Evidence)]
    worst = [record for record in records if record.chosen == "worst"]
    assert [record.chosen for record in records] == ["random"] * 3 + ["worst"] * 5
    assert len({record.example_id for record in records}) == 8
    assert all(record.shown[0].answer != record.gold and record.note == "wrong" for record in worst)
    confidence = [record.shown[0].confidence for record in worst]
    assert confidence == sorted(confidence, reverse=True)


def test_outcomes_have_a_row_for_each_item():
    data = planted(30)
    rows = next(record for record in run(data) if isinstance(record, Outcomes))
    assert sorted(rows.example_id) == sorted(example.id for example in data)
    assert [a == g for a, g in zip(rows.after, rows.gold, strict=True)] == list(rows.correct)


def test_the_order_of_rows_changes_not_even_an_interval():
    data = planted(60)
    forward, backward = numbers(run(data)), numbers(run(data[::-1]))
    assert forward == backward


def test_label_sets():
    rng = np.random.default_rng(1)
    data, gold, predicted = [], [], []
    for number in range(120):
        truth = rng.random(3) < [0.5, 0.3, 0.2]
        answer = truth ^ (rng.random(3) < 0.15)
        names = tuple(label for label, on in zip(LABELS, truth, strict=True) if on)
        data.append(item(number, names, np.where(answer, 2.0, -2.0), half="a" if number % 2 else "b"))
        gold.append(truth)
        predicted.append(answer)
    records = run(data, answers_in_text(problem=ProblemType.MULTI_LABEL))
    found = numbers(records)
    assert found["exact_match"].estimate.value == pytest.approx(sk.accuracy_score(gold, predicted))
    assert found["micro_f1"].estimate.value == pytest.approx(sk.f1_score(gold, predicted, average="micro"))
    assert found["macro_f1"].estimate.value == pytest.approx(sk.f1_score(gold, predicted, average="macro"))
    assert found["f1[label=maybe]"].estimate.value == pytest.approx(sk.f1_score(gold, predicted, average=None)[2])
    involved = int((np.array(gold) | np.array(predicted)).any(axis=1).sum())
    assert found["micro_f1"].estimate.n == found["micro_f1"].estimate.clusters == involved < 120
    assert "exact_match[group=half=a]" in found
    assert "accuracy" not in found


def test_scores():
    rng = np.random.default_rng(2)
    gold = rng.normal(3, 1, 100)
    predicted = gold + rng.normal(0.2, 0.5, 100)
    pairs = zip(gold, predicted, strict=True)
    data = [item(n, float(g), [p], half="a" if n % 2 else "b") for n, (g, p) in enumerate(pairs)]
    records = run(data, answers_in_text(labels=("score",), problem=ProblemType.REGRESSION))
    found = numbers(records)
    assert found["mae"].estimate.value == pytest.approx(sk.mean_absolute_error(gold, predicted))
    assert found["rmse"].estimate.value == pytest.approx(sk.root_mean_squared_error(gold, predicted))
    assert found["rmse"].estimate.high < found["rmse_baseline"].estimate.low
    assert found["spearman"].better is Better.HIGHER
    assert "mae[group=half=a]" in found
    worst = next(record for record in records if isinstance(record, Evidence) and record.chosen == "worst")
    assert worst.note.startswith("off by")


@pytest.mark.parametrize("n", [1, 2, 9])
def test_a_handful_of_items_gives_no_resampled_number(n):
    records = run(planted(n))
    assert "macro_f1" not in numbers(records)
    for measurement in numbers(records).values():
        if measurement.better is not Better.CONTEXT:
            assert measurement.estimate.high > measurement.estimate.low
