from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from probes.robustness.adversarial.attacked import Edit
from probes.robustness.adversarial.beam import Beam
from probes.robustness.adversarial.genetic import Genetic
from probes.robustness.adversarial.greedy import Greedy
from probes.robustness.adversarial.parts import Outcome
from probes.robustness.adversarial.pure import CandidateRule, Untouched
from probes.robustness.adversarial.rankings import Delete, Random, Unk
from probes.robustness.adversarial.reduction import Reduction
from tests.probes.robustness.adversarial.recipes_for_tests import Scored, attack, attempts

METHODS = [Greedy(Unk()), Greedy(Delete()), Greedy(Random()), Beam(width=3), Genetic(population=6)]

TEXT = "The film was good and great"
SWAPS = {"film": ("flim", "films"), "good": ("goood", "god"), "great": ("grate", "gret"), "was": ("is",)}
VALUES = {"film": 0.1, "good": 0.25, "great": 0.3}


def fragile(text: str) -> float:
    """Nearer the goal by every word of value that is not there; broken without `good` and `great`."""
    words = text.split()
    return 0.05 + sum(value for word, value in VALUES.items() if word not in words)


def stubborn(text: str) -> float:
    return 0.2


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_breaks_a_fragile_answer_and_not_its_robust_twin(method) -> None:
    (broken,) = attempts([TEXT], Scored(fragile), attack(method=method, swapped=SWAPS, budget=500))
    (held,) = attempts([TEXT], Scored(stubborn), attack(method=method, swapped=SWAPS, budget=500))
    assert broken.outcome is Outcome.BROKEN
    assert broken.found is not None
    assert fragile(broken.changed) == broken.best > 0.5
    assert broken.start.text == TEXT
    assert held.outcome is Outcome.HELD
    assert held.found is None
    assert held.tried
    assert not held.out_of_budget


@pytest.mark.parametrize("method", METHODS, ids=repr)
@pytest.mark.parametrize("budget", [2, 5, 9, 13])
def test_no_more_texts_are_asked_about_than_allowed(method, budget: int) -> None:
    victim = Scored(stubborn)
    (attempt,) = attempts([TEXT], victim, attack(method=method, swapped=SWAPS, budget=budget))
    assert len(victim.asked) == attempt.queries <= budget
    assert attempt.out_of_budget == (attempt.queries == budget)


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_wrong_and_unscored_texts_are_asked_about_once(method) -> None:
    wrong, lost = Scored(lambda text: 0.9), Scored(lambda text: -np.inf)
    (first,), (second,) = (attempts([TEXT], victim, attack(method=method)) for victim in (wrong, lost))
    assert (first.outcome, first.queries) == (Outcome.WRONG_BEFORE, 1)
    assert (second.outcome, second.queries) == (Outcome.UNSCORED, 1)


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_a_text_with_nothing_to_change_is_not_counted_as_attacked(method) -> None:
    for text in ("An empty room", "", "?!"):
        (attempt,) = attempts([text], Scored(stubborn), attack(method=method))
        assert attempt.outcome is Outcome.HELD
        assert not attempt.tried


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_an_attempt_depends_on_its_own_item_alone(method) -> None:
    texts = [TEXT, "A good film", "great great good", "The film was dull"]
    together = attempts(texts, Scored(fragile), attack(method=method, swapped=SWAPS))
    again = attempts(texts[:1], Scored(fragile), attack(method=method, swapped=SWAPS))
    assert together[0] == again[0]


def test_greedy_keeps_the_best_change_of_each_word_in_turn() -> None:
    victim = Scored(fragile)
    (attempt,) = attempts([TEXT], victim, attack(swapped=SWAPS))
    assert attempt.changed == "The film was god and grate"  # the first of equal ones by text
    # itself; six words ranked; `great`, which weighs most; then `good`
    assert list(map(len, victim.rounds)) == [1, 6, 2, 2]
    assert attempt.queries == 11


def test_greedy_goes_back_to_no_worse_text() -> None:
    values = {"film": -0.3, "good": 0.2}
    rule = lambda text: 0.3 + sum(v for w, v in values.items() if w not in text.split())  # noqa: E731
    (attempt,) = attempts(["good film"], Scored(rule), attack(swapped=SWAPS))
    assert attempt.changed == "god film"
    assert attempt.best == pytest.approx(0.5)


@dataclass
class Noted(CandidateRule):
    """Notes how similar a candidate is."""

    similar: str

    def allows(self, candidate, situation) -> bool:
        candidate.notes["similarity"] = 0.9 if self.similar in candidate.text else 0.1
        return True


@pytest.mark.parametrize("similar", ["grate", "gret"])
def test_of_changes_that_reach_the_goal_the_most_similar_is_taken(similar: str) -> None:
    made = attack(swapped={"great": ("grate", "gret")}, constraints=(Untouched(), Noted(similar)))
    (attempt,) = attempts(["so great"], Scored(lambda text: 0.9 * ("great" not in text)), made)
    assert attempt.changed == f"so {similar}"
    assert attempt.notes == {"similarity": 0.9}


def needs_both(text: str) -> float:
    """The first change alone leads away: only together do the two words break the answer."""
    words = set(text.split())
    return 0.9 if words == {"x", "y"} else {0: 0.3, 1: 0.2}[len(words & {"x", "y"})]


def test_beam_finds_what_greedy_cannot() -> None:
    swaps = {"a": ("x",), "b": ("y",)}
    (greedy,) = attempts(["a b"], Scored(needs_both), attack(swapped=swaps))
    (beam,) = attempts(["a b"], Scored(needs_both), attack(swapped=swaps, method=Beam(width=2)))
    assert greedy.outcome is Outcome.HELD
    assert (beam.outcome, beam.changed) == (Outcome.BROKEN, "x y")


def test_genetic_joins_what_two_texts_found() -> None:
    swaps = {word: (word.upper(),) for word in "abcdef"}
    rule = lambda text: 0.6 * (sum(word.isupper() for word in text.split()) / 6)  # noqa: E731
    made = attack(swapped=swaps, method=Genetic(population=8, generations=12), budget=600)
    (attempt,) = attempts(["a b c d e f"], Scored(rule), made)
    assert (attempt.outcome, attempt.changed) == (Outcome.BROKEN, "A B C D E F")


def test_reduction_takes_words_away_while_the_answer_stays() -> None:
    victim = Scored(lambda text: 0.1 if "good" in text else 0.9)
    (attempt,) = attempts(["The film was good and great"], victim, attack(method=Reduction()))
    assert (attempt.outcome, attempt.changed) == (Outcome.BROKEN, "good")
    assert attempt.queries == 1 + 6 + 5 + 4 + 3 + 2
    assert attempt.found is not None
    assert attempt.found.share_edited == pytest.approx(5 / 6)


def test_reduction_stops_where_the_answer_would_change() -> None:
    victim = Scored(lambda text: 0.1 if {"good", "great"} <= set(text.split()) else 0.9)
    (attempt,) = attempts(["The film was good and great"], victim, attack(method=Reduction()))
    assert (attempt.outcome, attempt.changed) == (Outcome.HELD, "good great")


def test_edits_are_told_in_words_of_the_first_text() -> None:
    (attempt,) = attempts([TEXT], Scored(fragile), attack(swapped=SWAPS))
    assert attempt.found is not None
    assert attempt.found.edited == {3, 5}
    assert attempt.found.share_edited == pytest.approx(2 / 6)
    assert attempt.start.changed((Edit(3, "god"), Edit(5, "grate"))) == attempt.changed
