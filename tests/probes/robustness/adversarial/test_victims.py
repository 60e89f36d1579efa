from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from probes.robustness.adversarial.attacked import Attacked, Candidate, Edit
from probes.robustness.adversarial.goals import Untargeted
from probes.robustness.adversarial.greedy import State
from probes.robustness.adversarial.parts import (
    VICTIM,
    Budget,
    Doubts,
    Drawn,
    Judged,
    Situation,
    Trial,
    reaching,
    scores_alone,
)
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


def doubting(item: int, doubts: Doubts, *texts: str) -> Trial:
    return Trial(VICTIM, item, texts, doubts)


def test_a_success_of_the_screen_is_confirmed_by_the_model_itself() -> None:
    exact, victim = screened()
    (judged,) = victim([doubting(1, reaching, "good 1", "good", "good bad bad")])
    assert exact.asked == ["good 1", "good bad bad"]
    assert judged.reached.tolist() == [False, False, True]


def test_what_the_screen_scores_is_compared_with_what_it_scores() -> None:
    _, victim = screened()
    (judged,) = victim([doubting(1, scores_alone, "good 1", "good")])
    alone = ClassifierVictim(victim.screen, GOALS)([request(1, "good 1", "good")])[0]
    assert np.array_equal(judged.scores, alone.scores)


def test_where_scores_alone_count_nothing_is_asked_twice() -> None:
    exact, victim = screened()
    victim([doubting(1, scores_alone, "good 1", "bad")])
    assert exact.asked == []


def test_of_candidates_that_reach_the_goal_only_the_best_is_confirmed() -> None:
    exact, victim = screened()
    texts = ["bad good", "bad bad", "bad bad bad", "good"]
    (judged,) = victim([trial(1, texts)])
    assert exact.asked == ["bad bad bad"]
    assert taken(texts, judged) == ("bad bad bad", True)


def test_where_the_best_does_not_reach_it_after_all_the_others_are_confirmed() -> None:
    exact, victim = screened()
    texts = ["good 1 1", "bad bad", "good 1", "bad", "good"]
    (judged,) = victim([trial(1, texts)])
    assert exact.asked == ["good 1 1", "bad bad", "good 1", "bad"]
    assert judged.reached.tolist() == [False, True, False, True, False]
    assert taken(texts, judged) == ("bad bad", True)


def test_where_none_reaches_it_after_all_the_search_goes_on_from_the_best_score_of_the_screen() -> None:
    _, victim = screened()
    texts = ["good", "good 1 1", "good 1"]
    (judged,) = victim([trial(1, texts)])
    assert taken(texts, judged) == ("good 1 1", False)


def test_each_search_is_confirmed_by_itself() -> None:
    exact, victim = screened()
    first, second, third = victim([trial(1, ["good 1", "bad"]), trial(1, ["bad bad"]), trial(0, ["bad 1"])])
    assert exact.asked == ["good 1", "bad bad", "bad"]
    assert [each.reached.tolist() for each in (first, second, third)] == [[False, True], [True], [False]]


def state_of(texts: list[str]) -> tuple[State, Situation, list[Candidate]]:
    start = Attacked.of("word")
    candidates = [Candidate.of(start, (Edit(0, text),)) for text in texts]
    return State(start), Situation(1, start, Drawn(random.Random(0))), candidates


def trial(item: int, texts: list[str]) -> Trial:
    """What a search asks about candidates."""
    state, situation, candidates = state_of(texts)
    asked = next(state.judged(candidates, Budget(len(texts)), replace(situation, item=item)))
    assert isinstance(asked, Trial)
    return asked


def taken(texts: list[str], judged: Judged) -> tuple[str, bool]:
    """The candidate that a search goes on from, and whether that is a success."""
    state, _, candidates = state_of(texts)
    broken = state.take(candidates, judged)
    return state.text.text, broken


def test_a_text_is_confirmed_where_nothing_else_is_said_as_a_start_must_be() -> None:
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
