"""Which words matter most to an answer: the order in which a greedy search tries to change them.

Each ranking asks about as few texts as its paper does. Where the budget ends before all words are ranked, those not
asked about come last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from probes.core.answers import Floats
from probes.core.words import EMPTY
from probes.robustness.adversarial.attacked import Attacked, Candidate, Edit
from probes.robustness.adversarial.gradients import COST, GRADIENT
from probes.robustness.adversarial.parts import Attack, Budget, Situation, scores_alone
from probes.robustness.search import Request, Steps

UNKNOWN = "[UNK]"
"""What stands in place of a word that is asked about, as in TextAttack; most tokenizers of the BERT family know it."""


@dataclass(frozen=True)
class Unk:
    """How much nearer the goal is with a word replaced by one that says nothing (Gao et al. 2018; Li et al. 2019).

    Args:
        token: stands in its place.
    """

    token: str = UNKNOWN

    def order(
        self, attack: Attack, start: Attacked, score: float, budget: Budget, situation: Situation
    ) -> Steps[list[int]]:
        """One question a word."""
        places = attack.places(start, situation)
        gains = yield from _gains(places, self.token, start, budget, situation)
        return _descending(places, gains)


@dataclass(frozen=True)
class Delete:
    """How much nearer the goal is without the word (Jin et al. 2020)."""

    def order(
        self, attack: Attack, start: Attacked, score: float, budget: Budget, situation: Situation
    ) -> Steps[list[int]]:
        """One question a word."""
        places = attack.places(start, situation)
        gains = yield from _gains(places, "", start, budget, situation)
        return _descending(places, gains)


@dataclass(frozen=True)
class WeightedSaliency:
    """What the best change of a word gains, times the softmax of how much the word matters (Ren et al. 2019, PWWS).

    As in TextAttack, and not as in the paper, the score with the best change stands for what it gains.

    Args:
        token: stands in the place of a word when it is asked how much it matters.
    """

    token: str = UNKNOWN

    def order(
        self, attack: Attack, start: Attacked, score: float, budget: Budget, situation: Situation
    ) -> Steps[list[int]]:
        """One question a word, and one a candidate; candidates of different words are asked about together."""
        places = attack.places(start, situation)
        saliency = yield from _gains(places, self.token, start, budget, situation)
        best = yield from _best_of_each(attack, places, start, budget, situation)
        known = np.isfinite(saliency) & np.isfinite(best)
        weights = np.full(len(places), -np.inf)
        if known.any():
            weights[known] = softmax(saliency[known]) * best[known]
        return _descending(places, weights)


@dataclass(frozen=True)
class Gradient:
    """How steeply the goal is neared by moving the word's embedding: one forward and one backward pass in all.

    The gradient times the embedding of each word, as far as it speaks against the goal (Shrikumar et al. 2016).

    Args:
        signed: words that already speak for the goal come last; otherwise the size alone counts.
    """

    signed: bool = True

    def order(
        self, attack: Attack, start: Attacked, score: float, budget: Budget, situation: Situation
    ) -> Steps[list[int]]:
        """One question in all, that costs as much as `COST` others."""
        places = attack.places(start, situation)
        if not places or budget.left < COST:
            return places
        budget.spend(COST)
        pushes: list[Floats] = yield Request(GRADIENT, situation.item, [start])
        weights = pushes[0] if self.signed else np.abs(pushes[0])
        return _descending(places, weights[places])


@dataclass(frozen=True)
class Random:
    """Any order: what the others are to be compared with."""

    def order(
        self, attack: Attack, start: Attacked, score: float, budget: Budget, situation: Situation
    ) -> Steps[list[int]]:
        """No question."""
        yield from ()
        places = attack.places(start, situation)
        for last in range(len(places) - 1, 0, -1):  # Fisher and Yates
            other = situation.draws.integer(0, last + 1)
            places[last], places[other] = places[other], places[last]
        return places


def _gains(places: Sequence[int], token: str, start: Attacked, budget: Budget, situation: Situation) -> Steps[Floats]:
    """(places,) score with each word replaced by the token; -inf where it was not asked about."""
    gains: Floats = np.full(len(places), -np.inf)
    if places and not budget.spent:
        without = [start.changed((Edit(place, token),)) for place in places]
        texts = [start.joined(text if text.strip() else EMPTY) for text in without]
        judged = yield from budget.judged(texts, situation, scores_alone)
        gains[: len(judged.scores)] = judged.scores
    return gains


def _best_of_each(
    attack: Attack, places: Sequence[int], start: Attacked, budget: Budget, situation: Situation
) -> Steps[Floats]:
    """(places,) score of the best candidate of each place, 0 where there is none, -inf where none was asked about."""
    candidates: list[list[Candidate]] = []
    for place in places:
        found = yield from attack.candidates(start, [place], situation)
        candidates.append(found)
    texts = [candidate.whole for each in candidates for candidate in each]
    scores: Floats = np.full(len(texts), -np.inf)
    if texts and not budget.spent:
        judged = yield from budget.judged(texts, situation, scores_alone)
        scores[: len(judged.scores)] = judged.scores
    ends = np.cumsum([len(each) for each in candidates])
    starts = ends - [len(each) for each in candidates]
    return np.array([scores[a:b].max() if b > a else 0.0 for a, b in zip(starts, ends, strict=True)], dtype=np.float64)


def _descending(places: Sequence[int], weights: Floats) -> list[int]:
    """The places by weight, the highest first; equal ones in the order of the text."""
    return [places[row] for row in (-weights).argsort(kind="stable").tolist()]
