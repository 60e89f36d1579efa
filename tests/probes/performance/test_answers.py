"""Quality of answers: numbers equal a second computation, both kinds of questions apart, trivial readers."""

from __future__ import annotations

import numpy as np
import pytest

from probes.core.answered import f1_of
from probes.core.examples import Accepted, Example
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.performance.answers import AnswerQuality, closest_sentence
from tests.conftest import FakeReader

PROBE = AnswerQuality()
CTX = Context(probe=PROBE.info.id)
CITIES = ("Rome", "Oslo", "Lima", "Cairo", "Delhi", "Quito", "Paris", "Bonn", "Turin", "Kyoto", "Perth", "Dakar")


def question(k, *golds, **how):
    city = CITIES[k % 12]
    context = f"Number {k} went to {city} by train. It rained in old {city} all day long. Nobody else came."
    return Example.of((f"Where did number {k} go?", context), gold=Accepted(golds or (city,)), cluster=str(k), **how)


def answers(rule, data):
    made = list(PROBE.run(FakeReader(rule=rule), data, CTX))
    numbers = {record.key: record for record in made if isinstance(record, Measurement)}
    return made, numbers


def city(_, context):
    return context.split(" by ")[0].split()[-1]


def old_city(_, context):
    return f"old {city(_, context)}"


def sometimes(question, context):
    """Right, too long, wrong, in turn."""
    k = int(question.split()[3])
    return (city, old_city, lambda *_: "Nobody else")[k % 3](question, context)


def test_means_equal_those_by_hand():
    data = [question(k) for k in range(36)]
    _, numbers = answers(sometimes, data)
    by_hand = [(1.0, 2 / 3, 0.0)[k % 3] for k in range(36)]
    estimate = numbers["f1"].estimate
    assert estimate.value == pytest.approx(np.mean(by_hand))
    assert estimate.low < estimate.value < estimate.high
    assert (estimate.n, estimate.clusters) == (36, 36)
    assert numbers["exact_match"].estimate.value == pytest.approx(1 / 3)
    assert numbers["miss_rate"].estimate.value == pytest.approx(1 / 3)


def test_the_interval_of_the_mean_is_about_that_of_normal_theory():
    data = [question(k) for k in range(300)]
    estimate = answers(sometimes, data)[1]["f1"].estimate
    by_hand = np.array([(1.0, 2 / 3, 0.0)[k % 3] for k in range(300)])
    half = 1.96 * by_hand.std(ddof=1) / np.sqrt(300)
    assert estimate.high - estimate.low == pytest.approx(2 * half, rel=0.1)


def test_questions_about_one_context_are_one_cluster():
    data = [
        Example.of((f"Where did number {k} go, {j}?", question(k).text[1]), gold=question(k).gold, cluster=str(k))
        for k in range(24)
        for j in range(10)
    ]
    alone = [question(k) for k in range(24)]
    many, few = (answers(sometimes, each)[1]["f1"].estimate for each in (data, alone))
    assert many.clusters == few.clusters == 24
    assert many.high - many.low == pytest.approx(few.high - few.low, rel=0.15)


def test_perfect_answers_are_not_certain():
    _, numbers = answers(city, [question(k) for k in range(40)])
    assert numbers["f1"].estimate.value == 1.0
    assert 0.9 < numbers["f1"].estimate.low < 1.0
    assert numbers["f1_over_trivial"].estimate.value > 0.5


def unanswerable(k):
    return Example.of((f"Who met number {k}?", question(k).text[1]), gold=Accepted(), cluster=f"n{k}")


def test_both_kinds_of_questions_stand_apart():
    data = [*(question(k) for k in range(30)), *(unanswerable(k) for k in range(20))]
    silent_about = lambda q, c: None if q.startswith("Who") and int(q.split()[3].rstrip("?")) % 2 else city(q, c)  # noqa: E731
    _, numbers = answers(silent_about, data)
    assert numbers["f1[answerable=yes]"].estimate.value == 1.0
    assert numbers["exact_match[answerable=yes]"].estimate.n == 30
    assert numbers["abstention"].estimate.value == 0.5
    assert numbers["abstention"].estimate.n == 20
    assert numbers["false_abstention"].estimate.value == 0.0
    assert numbers["f1"].estimate.value == pytest.approx(40 / 50)


def test_a_reader_that_never_answers_is_no_better_than_the_trivial_one():
    data = [*(question(k) for k in range(20)), *(unanswerable(k) for k in range(30))]
    _, numbers = answers(lambda *_: None, data)
    assert numbers["trivial_f1"].estimate.value == pytest.approx(0.6)
    assert "never an answer" in numbers["trivial_f1"].title
    gain = numbers["f1_over_trivial"].estimate
    assert gain.low < gain.value == 0 < gain.high  # no item differs, which is no certainty


def test_data_without_unanswerable_questions_never_get_no_answer():
    made, numbers = answers(lambda *_: None, [question(k) for k in range(20)])
    assert "abstention" not in numbers
    assert numbers["f1"].estimate.value == 0.0
    skip = next(record for record in made if isinstance(record, Skip) and record.name == "abstention")
    assert skip.reason is SkipReason.NO_GOLD
    outcome = next(record for record in made if isinstance(record, Outcomes))
    assert "(no answer)" not in outcome.after


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("Who came to Rome by train?", "Ada came to Rome by train."),
        ("Did it rain?", "It did rain!"),
        ("xyz", "Ada came to Rome by train."),
    ],
)
def test_the_sentence_closest_to_the_question(asked, expected):
    assert closest_sentence(asked, "Ada came to Rome by train. It did rain! Then 3.5 hours") == expected


def test_kinds_of_questions_and_groups_have_numbers_of_their_own():
    data = [question(k, groups={"source": "a" if k < 30 else "b"}) for k in range(33)]
    made, numbers = answers(sometimes, data)
    assert numbers["f1[group=source=a]"].estimate.n == 30
    assert numbers["f1[question=where]"].estimate.n == 33
    assert any(isinstance(record, Skip) and record.slice == {"group": "source=b"} for record in made)


def test_cases_show_the_ordinary_and_then_the_worst():
    made, _ = answers(sometimes, [question(k) for k in range(30)])
    cases = [record for record in made if isinstance(record, Evidence)]
    assert [case.chosen for case in cases] == ["random"] * 3 + ["worst"] * 5
    assert all(case.note == "F1 0.00" for case in cases[3:])
    assert all(len(case.shown[0].texts) == 2 for case in cases)


def test_unlabelled_items_are_counted_and_no_golds_are_a_reason():
    data = [question(k) for k in range(20)]
    bare = [Example.of(example.text, gold=None) for example in data]
    made, _ = answers(city, [*data, *bare])
    account = next(record for record in made if isinstance(record, Accounting))
    assert (account.eligible, account.unscored) == (20, 20)
    made, numbers = answers(city, bare)
    assert not numbers
    assert any(isinstance(record, Skip) for record in made)


@pytest.mark.parametrize(("unanswerable", "readers"), [(0, 1), (2, 1), (24, 2)])
def test_a_trivial_reader_is_graded_once(monkeypatch, unanswerable, readers):
    graded = []
    monkeypatch.setattr("probes.performance.answers.f1_of", lambda *asked: graded.append(asked[0]) or f1_of(*asked))
    data = [question(k) for k in range(12)]
    data += [Example.of(("Who?", f"Number {k} left."), gold=Accepted(), cluster=f"n{k}") for k in range(unanswerable)]
    assert "f1_over_trivial" in answers(city, data)[1]
    assert len({tuple(each) for each in graded}) == len(graded) == readers
