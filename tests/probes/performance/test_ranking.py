from __future__ import annotations

import numpy as np
import pytest

from probes.core.answers import ProblemType
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip
from probes.core.rng import generator
from probes.performance.ranking import Ranking
from tests.conftest import FakeModel, model_card

CARD = model_card(labels=("score",), problem=ProblemType.REGRESSION)


def choices(questions=40, texts=4):
    """Questions with one right text each; `word k` of question q is known by its number."""
    return [
        Example.of((f"question {q}", f"word {k}"), gold=float(k == q % texts))
        for q in range(questions)
        for k in range(texts)
    ]


def number(text):
    return int(text.split()[1])


def knows(text):
    return [float(number(text[1]) == number(text[0]) % 4)]


def guesses(text):
    return [float(generator(0, *text).random())]


def run(rule, data, **settings):
    model = FakeModel(rule=rule, card=CARD)
    return list(Ranking(**settings).run(model, data, Context(probe="performance.ranking", seed=0)))


def value(records, name):
    return next(each.estimate for each in records if isinstance(each, Measurement) and each.name == name)


def one(records, kind):
    return next(each for each in records if isinstance(each, kind))


def test_a_model_that_guesses_and_one_that_knows():
    data = choices(questions=120)
    blind = run(guesses, data)
    assert value(blind, "first_right").low < 0.25 < value(blind, "first_right").high
    assert value(blind, "first_right_over_chance").low < 0 < value(blind, "first_right_over_chance").high
    expected = np.mean([1, 1 / 2, 1 / 3, 1 / 4])
    assert value(blind, "reciprocal_rank").low < expected < value(blind, "reciprocal_rank").high
    mostly = run(lambda text: guesses(text) if number(text[0]) % 10 == 0 else knows(text), data)
    assert value(mostly, "first_right").value > 0.85
    assert value(mostly, "first_right_over_chance").low > 0.5


def test_by_hand():
    data = [
        Example.of(("a", "one"), gold=1.0), Example.of(("a", "two"), gold=0.0), Example.of(("a", "three"), gold=0.0),
        Example.of(("b", "four"), gold=0.2), Example.of(("b", "fifth"), gold=0.7),
    ]  # fmt: skip
    scores = {"one": 0.5, "two": 0.9, "three": 0.1, "four": -2.0, "fifth": -1.0}
    records = run(lambda text: [scores[text[1]]], data)
    assert value(records, "first_right").value == 0.5
    assert value(records, "longest_right").value == 0.5
    outcomes = one(records, Outcomes)
    assert sorted(outcomes.values["reciprocal_rank"]) == [0.5, 1.0]
    assert sorted(outcomes.correct) == [False, True]
    assert sorted(outcomes.score) == pytest.approx([-0.4, 1.0])
    notes = {each.note for each in records if isinstance(each, Evidence)}
    assert notes == {"the best right text is number 2 of 3", "the best right text is number 1 of 2"}


def test_a_model_that_scores_everything_alike_is_never_right():
    records = run(lambda text: [1.0], choices())
    assert value(records, "first_right").value == 0
    assert one(records, Accounting).tied == 40


def test_the_order_of_the_rows_changes_nothing():
    data = choices()
    first, second = (
        [each for each in run(guesses, rows) if isinstance(each, Measurement)] for rows in (data, data[::-1])
    )
    assert first == second


def test_questions_without_a_choice_are_left_out_and_counted():
    alone = [Example.of((f"alone {k}", "word 0"), gold=1.0) for k in range(3)]
    alike = [Example.of(("alike 0", f"word {k}"), gold=1.0) for k in range(2)]
    single = [Example.of("no pair", gold=1.0)]
    account = one(run(knows, [*choices(questions=12), *alone, *alike, *single]), Accounting)
    assert (account.eligible, account.scored, account.unscored) == (53, 48, 5)
    assert one(run(knows, alone), Skip).detail.startswith("No question comes with several")


def test_too_few_questions_give_no_mean():
    records = run(guesses, choices(questions=5))
    assert value(records, "first_right").n == 5
    assert {each.name for each in records if isinstance(each, Skip)} == {"reciprocal_rank", "first_right_over_chance"}
