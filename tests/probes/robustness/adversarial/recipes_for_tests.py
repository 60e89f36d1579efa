"""Recipes that are small enough to know what they must find, and a victim with a mind of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from probes.core.examples import Text
from probes.robustness import search
from probes.robustness.adversarial.attacked import Attacked
from probes.robustness.adversarial.greedy import Greedy
from probes.robustness.adversarial.parts import VICTIM, Attack, Attempt, Drawn, Judged, Situation
from probes.robustness.adversarial.pure import Untouched, WordSwap
from probes.robustness.adversarial.rankings import Unk
from probes.robustness.adversarial.recipe import Composed

SLIPS = {
    "good": ("goood",),
    "great": ("grreat", "graet"),
    "lovely": ("lovley",),
    "superb": ("supreb",),
    "fine": ("fien",),
    "bad": ("badd",),
    "awful": ("awfull",),
    "film": ("flim", "films"),
    "the": ("teh", "th"),
}


@dataclass(frozen=True)
class Listed(WordSwap):
    """Words with what may stand in their place."""

    swapped: Mapping[str, tuple[str, ...]]

    def swaps(self, word: str, situation: Situation) -> Iterator[str]:
        yield from self.swapped.get(word.lower(), ())


ONCE = (Untouched(),)


def attack(budget: int = 100, method=None, swapped=SLIPS, constraints=ONCE) -> Attack:
    method = method or Greedy(Unk())
    return Attack(method=method, transformation=Listed(swapped), constraints=constraints, budget=budget)


def recipe(name: str = "listed", **parts) -> Composed:
    return Composed(name=name, paper="none", attack=lambda sources: attack(sources.budget, **parts))


@dataclass
class Scored:
    """A victim that scores texts by a rule; the goal is reached above a half."""

    rule: Callable[[Text], float]
    asked: list[Text] = field(default_factory=list)
    rounds: list[list[Text]] = field(default_factory=list)

    def __call__(self, requests) -> list[Judged]:
        found = []
        for request in requests:
            self.asked += request.questions
            self.rounds.append(list(request.questions))
            scores = np.array([self.rule(text) for text in request.questions], dtype=np.float64)
            found.append(Judged(scores, scores > 0.5))
        return found


def attempts(texts: Sequence[Text], victim, made: Attack, **oracles) -> list[Attempt]:
    situations = [
        Situation(item=item, start=Attacked.of(text), draws=Drawn(random.Random(item)))
        for item, text in enumerate(texts)
    ]
    searches = [made.method.search(made, situation) for situation in situations]
    return search.run(searches, {VICTIM: victim, **oracles})
