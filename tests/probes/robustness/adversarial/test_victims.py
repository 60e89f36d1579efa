from __future__ import annotations

from dataclasses import replace

import numpy as np

from probes.robustness.adversarial.goals import Untargeted
from probes.robustness.adversarial.parts import VICTIM
from probes.robustness.adversarial.victims import ClassifierVictim
from probes.robustness.search import Request
from tests.conftest import FakeModel, sentiment_rule

GOALS = [Untargeted(0), Untargeted(1)]


def request(item: int, *texts: str) -> Request:
    return Request(VICTIM, item, texts)


def test_texts_of_all_requests_are_asked_in_one_call_and_judged_by_their_own_goal() -> None:
    model = FakeModel(rule=sentiment_rule)
    first, second = ClassifierVictim(model, GOALS)([request(1, "good", "bad"), request(0, "bad bad")])
    assert model.calls == 1
    assert model.asked == ["good", "bad", "bad bad"]
    assert first.reached.tolist() == [False, True]
    assert second.reached.tolist() == [False]


class Lying:
    """Says "negative" with much confidence to every text with a digit; remembers what it was asked."""

    def __init__(self, model: FakeModel) -> None:
        self.model = model

    def classify(self, texts):
        answers = self.model.classify([text.replace("1", " bad bad bad") for text in texts])
        return replace(answers, tolerance=0.9)  # a narrow type: all of its answers are near ties


def screened() -> tuple[FakeModel, ClassifierVictim]:
    exact = FakeModel(rule=sentiment_rule)
    return exact, ClassifierVictim(exact, GOALS, Lying(FakeModel(rule=sentiment_rule)))


def test_a_success_of_the_screen_is_confirmed_by_the_model_itself() -> None:
    exact, victim = screened()
    (judged,) = victim([request(1, "good 1", "good", "good bad bad")])
    assert exact.asked == ["good 1", "good bad bad"]
    assert judged.reached.tolist() == [False, False, True]


def test_what_the_screen_scores_is_compared_with_what_it_scores() -> None:
    _, victim = screened()
    (judged,) = victim([request(1, "good 1", "good")])
    alone = ClassifierVictim(victim.screen, GOALS)([request(1, "good 1", "good")])[0]
    assert np.array_equal(judged.scores, alone.scores)


def test_a_text_asked_alone_is_confirmed_as_a_start_must_be() -> None:
    exact, victim = screened()
    (judged,) = victim([request(1, "bad")])
    assert exact.asked == ["bad"]
    assert judged.reached.tolist() == [True]


def test_a_start_that_the_model_itself_cannot_answer_stays_unscored() -> None:
    exact = FakeModel(rule=lambda text: (np.nan, 0.0))
    victim = ClassifierVictim(exact, GOALS, Lying(FakeModel(rule=sentiment_rule)))
    (judged,) = victim([request(1, "good")])
    assert judged.scores[0] == -np.inf
    assert not judged.reached[0]
