from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from probes.core.model import Capability
from probes.core.words import EMPTY
from probes.robustness.adversarial.attacked import Attacked
from probes.robustness.adversarial.gradients import COST, GRADIENT, GradientOracle, Slope
from probes.robustness.adversarial.greedy import Greedy
from probes.robustness.adversarial.pure import Rule
from probes.robustness.adversarial.rankings import Delete, Gradient, Random, Unk, WeightedSaliency
from probes.robustness.search import Request
from tests.linear_model import LinearModel
from tests.probes.robustness.adversarial.recipes_for_tests import Scored, attack, attempts

ALL = {word: (f"{word}_",) for word in ("one", "two", "three", "four")}
"""The change of each word; it leads nowhere, so the words are tried in the order of their ranking."""

TEXT = "one two three four"


def tried(victim: Scored, *, ranked: int) -> list[str]:
    """The words that were changed, in the order in which they were."""
    changed = [text for each in victim.rounds[ranked:] for text in each]
    return [next(word for word in ALL if word not in text.split()) for text in changed]


def order(ranking, rule, swapped=ALL, *, text=TEXT, ranked=2, **oracles) -> list[str]:
    victim = Scored(rule)
    attempts([text], victim, attack(swapped=swapped, method=Greedy(ranking)), **oracles)
    return tried(victim, ranked=ranked)


WEIGHTS = {"one": 0.1, "two": 0.3, "three": 0.1, "four": 0.2}


def by_absence(text: str) -> float:
    """Only a word that is really gone, or unknown, counts."""
    words = text.replace("_", "").split()
    return 0.1 + sum(weight for word, weight in WEIGHTS.items() if word not in words) if "_" not in text else 0.1


@pytest.mark.parametrize("ranking", [Unk(), Delete()])
def test_the_word_without_which_the_goal_is_nearest_comes_first(ranking) -> None:
    assert order(ranking, by_absence) == ["two", "four", "one", "three"]  # equal ones in the order of the text


def test_what_stands_in_the_place_of_a_word() -> None:
    unk, delete = Scored(lambda text: 0.1), Scored(lambda text: 0.1)
    attempts([("a premise", "one two")], unk, attack(swapped=ALL, method=Greedy(Unk("[MASK]"))))
    attempts(["one"], delete, attack(swapped=ALL, method=Greedy(Delete())))
    assert unk.rounds[1] == [("a premise", "[MASK] two"), ("a premise", "one [MASK]")]
    assert delete.rounds[1] == [EMPTY]


def test_weighted_saliency_is_softmax_of_saliency_times_the_best_change() -> None:
    """Equation 9 of Ren et al. 2019, with scores for gains as in TextAttack."""
    unknown = {"one": 0.30, "two": 0.32, "three": 0.31, "four": 0.10}
    changed = {"one_": 0.20, "two_": 0.18, "three_": 0.19, "four_": 0.24}

    def rule(text: str) -> float:
        missing = [word for word in ALL if word not in text.split()]
        if not missing:
            return 0.05
        return changed.get(f"{missing[0]}_", 0.0) if "_" in text else unknown[missing[0]]

    expected = softmax(list(unknown.values())) * np.array(list(changed.values()))
    # Ranked by all candidates, and then each asked about again: what led nowhere once.
    victim = Scored(rule)
    attempts([TEXT], victim, attack(swapped=ALL, method=Greedy(WeightedSaliency())))
    assert [len(each) for each in victim.rounds[:3]] == [1, 4, 4]
    first = victim.rounds[3][0]
    assert list(ALL)[int(expected.argmax())] not in first.split()


def test_weighted_saliency_puts_words_without_changes_behind_the_others() -> None:
    swapped = {"one": ("one_",), "four": ("four_",)}
    assert order(WeightedSaliency(), by_absence, swapped=swapped, ranked=3) == ["four", "one"]


def test_gradient_ranks_by_what_each_word_pushes_in_one_question() -> None:
    model = LinearModel({"one": 0.5, "two": -3.0, "three": 2.0, "four": 1.0})
    oracle = GradientOracle(model, [Slope("positive")])
    signed = order(Gradient(), lambda text: 0.1, ranked=1, **{GRADIENT: oracle})
    plain = order(Gradient(signed=False), lambda text: 0.1, ranked=1, **{GRADIENT: oracle})
    raised = order(
        Gradient(), lambda text: 0.1, ranked=1, **{GRADIENT: GradientOracle(model, [Slope("positive", -1.0)])}
    )
    assert signed == ["three", "four", "one", "two"]
    assert plain == ["two", "three", "four", "one"]
    assert raised == ["two", "one", "four", "three"]
    assert model.card.capabilities >= {Capability.ATTRIBUTE}


def test_gradient_costs_what_it_takes() -> None:
    oracle = GradientOracle(LinearModel({"one": 1.0}), [Slope("positive")])
    victim = Scored(lambda text: 0.1)
    (attempt,) = attempts([TEXT], victim, attack(swapped=ALL, method=Greedy(Gradient())), **{GRADIENT: oracle})
    assert attempt.queries == 1 + COST + 4
    assert len(victim.asked) == 5


def test_without_queries_for_a_gradient_the_words_come_as_they_stand() -> None:
    made = attack(budget=COST, swapped=ALL, method=Greedy(Gradient()))
    victim = Scored(lambda text: 0.1)
    attempts([TEXT], victim, made)  # no oracle of gradients: it must not be asked
    assert tried(victim, ranked=1) == ["one", "two"]


def test_pushes_are_those_of_the_attacked_words() -> None:
    """Words are cut otherwise in attributions: what overlaps a word is its own."""
    model = LinearModel({"well-kept": 2.0, "good": 1.0, "premise": 5.0, "!!": 4.0})
    text = Attacked.of(("premise good", "Good well-kept !! room"))
    (pushes,) = GradientOracle(model, [Slope("positive")])([Request(GRADIENT, 0, [text])])[0]
    assert dict(zip(text.words, pushes.tolist(), strict=True)) == {"Good": 1.0, "well-kept": 2.0, "room": 0.0}


def test_a_random_order_is_a_permutation_that_the_draws_decide() -> None:
    orders = {tuple(order(Random(), lambda text: 0.1, ranked=1)) for _ in range(3)}
    assert len(orders) == 1
    assert sorted(next(iter(orders))) == sorted(ALL)


class Fixed(Rule):
    """Leaves one word alone."""

    def places(self, text, places, situation):
        return [place for place in places if text.words[place] != "two"]


@pytest.mark.parametrize("ranking", [Unk(), Delete(), WeightedSaliency(), Random()])
def test_words_that_may_not_change_are_not_asked_about(ranking) -> None:
    victim = Scored(lambda text: 0.1)
    attempts([TEXT], victim, attack(swapped=ALL, method=Greedy(ranking), constraints=(Fixed(),)))
    assert all("two" in text.split() for text in victim.asked)


@pytest.mark.parametrize("ranking", [Unk(), WeightedSaliency()])
def test_words_beyond_the_budget_come_last(ranking) -> None:
    victim = Scored(by_absence)
    (attempt,) = attempts([TEXT], victim, attack(budget=3, swapped=ALL, method=Greedy(ranking)))
    assert attempt.queries == 3
    assert victim.asked[1:] == ["[UNK] two three four", "one [UNK] three four"]
