"""The probe that rewrites the user's texts in other registers: planted defects, their clean twins, and accounting."""

from __future__ import annotations

import dataclasses
from collections import Counter
from zlib import crc32

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Accounting, Curve, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.shift.synthetic.catalogue import REGISTERS
from probes.shift.synthetic.probe import Synthetic
from tests.conftest import BAD, GOOD, FakeModel, model_card, sentiment_rule

SUBJECTS = ("film", "meal", "hotel", "phone", "book", "song", "room", "jacket", "lesson", "train", "game", "tea")


def examples(n=80, **groups):
    """Balanced and labelled, without words that chats abbreviate or with a figure."""
    adjectives = [word for word in (*GOOD, *BAD) if word != "great"]
    return [
        Example.of(
            f"The {SUBJECTS[i % 12]} was {adjectives[i % 9]}. Everybody noticed that, on page {i}!",
            gold="positive" if adjectives[i % 9] in GOOD else "negative",
            groups=groups,
        )
        for i in range(n)
    ]


def run(model, data, *, seed=0, **parameters):
    return list(Synthetic(**parameters).run(model, data, Context(probe="shift.synthetic", seed=seed)))


def only(kind, records):
    return [record for record in records if isinstance(record, kind)]


def measured(records):
    return {record.key: record.estimate for record in only(Measurement, records)}


def needs_marks_and_capitals(text):
    """Right on written text, and wrong on text without any capital letter and end of a sentence."""
    negative, positive = sentiment_rule(text)
    spoken = text == text.lower() and not any(mark in text for mark in ".!?")
    return (positive, negative) if spoken else (negative, positive)


@pytest.fixture(scope="module")
def planted():
    return run(FakeModel(rule=needs_marks_and_capitals), examples())


@pytest.fixture(scope="module")
def twin():
    return run(FakeModel(rule=sentiment_rule), examples())


def test_a_model_that_needs_punctuation_and_case_is_reported(planted):
    found = measured(planted)
    assert found["accuracy_lost[register=transcript,severity=5]"].tail(0.05).low > 0.9
    assert found["accuracy_lost[register=transcript,severity=1]"].value == 0
    assert found["accuracy_lost[register=forwarded_mail]"].value == 0
    assert found["worst_register_accuracy_lost"].tail(0.05).low > 0.1
    (worst,) = [m for m in only(Measurement, planted) if m.name == "worst_register_accuracy_lost"]
    assert "Transcript" in worst.title


def test_its_twin_that_reads_words_only_is_not(twin):
    found = measured(twin)
    for register in set(REGISTERS) - {"regional_formats", "truncated"}:
        assert found[f"accuracy_lost[register={register}]"].value == 0, register
        assert found[f"flip_rate[register={register}]"].value == 0, register
    assert found["worst_register_accuracy_lost"].value == 0
    assert found["worst_register_accuracy_lost"].tail(0.05).low < 0


def test_a_text_whose_reason_is_cut_off_is_no_worst_register(twin):
    data = [Example.of(f"Nothing else of any note happened that day. So {i} was {word}", gold=gold)
            for i in range(40) for word, gold in (("good", "positive"), ("awful", "negative"))]  # fmt: skip
    found = measured(run(FakeModel(rule=sentiment_rule), data))
    assert found["accuracy_lost[register=truncated,severity=1]"].value > 0.3
    assert found["worst_register_accuracy_lost"].value < 0.1


def test_every_number_is_of_the_items_that_the_register_changes(twin):
    priced = [Example.of(f"It was good and cost ${i}.50.", gold="positive") for i in range(35)]
    records = run(FakeModel(rule=sentiment_rule), [*examples(), *priced])
    found = measured(records)
    assert found["flip_rate[register=regional_formats,severity=5]"].n == 35
    assert found["flip_rate[register=regional_formats]"].clusters == 35
    (skip,) = [skip for skip in only(Skip, twin) if skip.slice == {"register": "regional_formats"}]
    assert skip.reason is SkipReason.NOTHING_PERTURBED


def test_fewer_than_thirty_independent_items_are_no_number():
    records = run(FakeModel(rule=sentiment_rule), examples(29))
    assert not only(Measurement, records)
    reasons = Counter(skip.reason for skip in only(Skip, records))
    assert reasons == {SkipReason.TOO_FEW: 11, SkipReason.NOTHING_PERTURBED: 1}
    repeated = [dataclasses.replace(example, cluster=str(i % 20)) for i, example in enumerate(examples(100))]
    assert not only(Measurement, run(FakeModel(rule=sentiment_rule), repeated))


def test_without_right_answers_changed_answers_only():
    data = [dataclasses.replace(example, gold=None) for example in examples()]
    records = run(FakeModel(rule=needs_marks_and_capitals), data)
    assert {m.name for m in only(Measurement, records)} == {"flip_rate"}
    assert {(s.name, s.reason) for s in only(Skip, records)} >= {
        ("accuracy", SkipReason.NO_GOLD), ("accuracy_lost", SkipReason.NO_GOLD),
    }  # fmt: skip
    assert measured(records)["flip_rate[register=transcript,severity=5]"].value == 1


def test_one_class_only_hides_a_collapse_and_is_refused():
    always = FakeModel(rule=lambda text: (0.0, 1.0))
    data = [dataclasses.replace(example, gold="positive") for example in examples()]
    records = run(always, data)
    assert {m.name for m in only(Measurement, records)} == {"flip_rate"}
    assert [s.reason for s in only(Skip, records) if s.name == "accuracy_lost"] == [SkipReason.UNDEFINED]


def test_few_labelled_items_among_many():
    data = [dataclasses.replace(e, gold=e.gold if i < 20 else None) for i, e in enumerate(examples())]
    records = run(FakeModel(rule=sentiment_rule), data)
    assert {m.name for m in only(Measurement, records)} == {"flip_rate"}
    assert any(s.name == "worst_register_accuracy_lost" for s in only(Skip, records))
    assert {s.reason for s in only(Skip, records) if s.name == "accuracy_lost"} == {SkipReason.TOO_FEW}


def test_scores_lose_by_their_error():
    card = model_card(labels=("score",), problem=ProblemType.REGRESSION)
    model = FakeModel(rule=lambda text: (len(text) / 100 + ("Dear" in text),), card=card)
    data = [dataclasses.replace(e, gold=len(e.text) / 100) for e in examples()]
    records = run(model, data, registers=("formal_letter", "chat"))
    found = measured(records)
    assert found["error[register=formal_letter,severity=1]"].value > 0.5
    assert found["worst_register_error_added"].tail(0.05).low > 0.3
    outcome = only(Outcomes, records)[0]
    rows = [row for row, variant in enumerate(outcome.variant) if variant == "register=chat,severity=5"]
    gold = {e.id: float(e.gold) for e in data}
    added = [abs(outcome.score[row] - gold[outcome.example_id[row]]) for row in rows]
    interval = ttest_1samp(added, 0).confidence_interval(0.95)
    published = found["error_added[register=chat,severity=5]"]
    assert (published.low, published.high) == pytest.approx((interval.low, interval.high))


def test_outcomes_give_the_published_numbers(planted):
    (rows,) = only(Outcomes, planted)
    found = measured(planted)
    variant, right = np.array(rows.variant), np.array(rows.correct, dtype=bool)
    for severity in (1, 5):
        part = variant == f"register=transcript,severity={severity}"
        key = f"[register=transcript,severity={severity}]"
        assert found[f"accuracy{key}"].value == pytest.approx(right[part].mean())
        assert found[f"flip_rate{key}"].value == pytest.approx(np.array(rows.changed)[part].mean())
    assert len(set(zip(rows.example_id, rows.variant, strict=True))) == len(rows)


def test_accounting_of_every_register_adds_up(planted):
    accounts = {account.slice["register"]: account for account in only(Accounting, planted)}
    assert list(accounts) == list(REGISTERS)
    for account in accounts.values():
        assert account.eligible == 80 >= account.perturbed >= account.kept >= account.scored
    assert accounts["regional_formats"].perturbed == 0
    (rows,) = only(Outcomes, planted)
    asked = sum(int(account.note.split()[0]) for account in accounts.values())
    assert asked == len(rows)


def test_cases_show_every_register_before_the_worst(planted):
    cases = only(Evidence, planted)
    random = [case for case in cases if case.chosen == "random"]
    assert len(random) == len({case.slice["register"] for case in random}) == 10
    worst = [case for case in cases if case.chosen == "worst"]
    assert worst
    assert all(case.slice["register"] == "transcript" for case in worst)
    assert cases == [*random, *worst]
    assert all(len(case.shown) == 2 and case.shown[0].texts != case.shown[1].texts for case in cases)
    alone = run(FakeModel(rule=sentiment_rule), examples(), registers=("chat",))
    assert [case.slice["register"] for case in only(Evidence, alone)] == ["chat"] * 3


def test_curves_follow_the_severities(planted):
    curves = {curve.slice["register"]: curve for curve in only(Curve, planted)}
    assert set(curves) == set(REGISTERS) - {"regional_formats"}
    losses = [point.y.value for point in curves["transcript"].points]
    assert [point.x for point in curves["transcript"].points] == [1, 2, 3, 4, 5]
    assert losses == sorted(losses)


def test_order_and_other_items_change_no_item():
    data = examples(60)
    (forward,), (backward,) = (
        only(Outcomes, run(FakeModel(rule=needs_marks_and_capitals), some)) for some in (data, examples(80)[::-1])
    )
    rows = [set(zip(o.example_id, o.variant, o.after, o.score, strict=True)) for o in (forward, backward)]
    assert rows[0] < rows[1]


def test_asks_twice_in_bulk_and_says_so_beforehand():
    model = FakeModel(rule=sentiment_rule)
    run(model, examples(), registers=["chat", "truncated"], severities=[5, 1])
    assert model.calls == 2
    probe = Synthetic(registers=("truncated", "chat"), severities=(5, 1, 5))
    assert (probe.registers, probe.severities, probe.info.calls) == (("chat", "truncated"), (1, 5), 5)
    assert len(model.asked) == 80 * probe.info.calls


def test_bad_parameters_are_refused():
    for bad in ({"registers": ("chatt",)}, {"registers": ()}, {"severities": ()}, {"severities": (0,)}):
        with pytest.raises(UsageError, match=r"shift\.synthetic"):
            Synthetic(**bad)


def test_worst_register_is_calibrated_where_no_register_costs_anything():
    """Answers that err at random, alike on both sides: the bound says "worse than nothing" in at most 5 % of runs."""
    alarms, runs = 0, 60
    for seed in range(runs):
        noisy = FakeModel(rule=lambda text, seed=seed: (crc32(f"{seed} {text}".encode()) % 1000 / 1000, 0.3))
        records = run(
            noisy, examples(60), seed=seed, registers=("chat", "transcript", "list_or_table"), severities=(5,)
        )
        alarms += measured(records)["worst_register_accuracy_lost"].tail(0.05).low > 0
    assert alarms <= 8  # binomial(60, 0.05) is above 8 in less than 1 % of cases
