"""Greedy search: words in the order of their importance, one after the other, the best change of each kept.

The search of Gao et al. (2018, DeepWordBug), Ren et al. (2019, PWWS), Jin et al. (2020, TextFooler) and most others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from probes.robustness.adversarial.attacked import Attacked, Candidate
from probes.robustness.adversarial.parts import Attack, Attempt, Budget, Judged, Outcome, Situation
from probes.robustness.search import Steps


class Ranking(Protocol):
    """Says which words matter most to the answer."""

    def order(
        self, attack: Attack, start: Attacked, score: float, budget: Budget, situation: Situation
    ) -> Steps[list[int]]:
        """The places that may be changed, the most important first; ties in the order of the text."""
        ...


@dataclass(frozen=True)
class Greedy:
    """Each word in turn: of all candidates the nearest to the goal is kept, when it is nearer than before.

    Of several candidates of one round that reach the goal, that with the highest noted similarity is taken; where none
    is noted, that with the highest score. Of equal ones the first in the order of their texts wins.

    Args:
        ranking: the order of the words.
    """

    ranking: Ranking

    def search(self, attack: Attack, situation: Situation) -> Steps[Attempt]:
        """Attack one text."""
        budget = Budget(attack.budget)
        state = State(situation.start)
        first = yield from budget.begun(situation)
        ended = state.begin(first)
        if ended is not None:
            return state.attempt(ended, budget)
        order = yield from self.ranking.order(attack, situation.start, state.score, budget, situation)
        for origin in [situation.start.origins[place] for place in order]:
            if budget.spent:
                break
            candidates = yield from attack.candidates(state.text, self.places(state.text, origin), situation)
            if not candidates:
                continue
            judged = yield from state.judged(candidates, budget, situation)
            if state.take(candidates, judged):
                return state.attempt(Outcome.BROKEN, budget)
        return state.attempt(Outcome.HELD, budget)

    def places(self, text: Attacked, origin: int) -> Sequence[int]:
        """Where a word of the first text stands now."""
        return text.places_of(origin)


class State:
    """How far a search has come with a text."""

    def __init__(self, start: Attacked) -> None:
        self.start = start
        self.text = start
        self.score = self.best = -np.inf
        self.notes: dict[str, float] = {}
        self.tried = False

    def begin(self, judged: Judged) -> Outcome | None:
        """Note the score of the text itself; how the attempt ends if it ends at once."""
        self.score = self.best = float(judged.scores[0])
        if not np.isfinite(self.score):
            return Outcome.UNSCORED
        return Outcome.WRONG_BEFORE if judged.reached[0] else None

    def judged(self, candidates: Sequence[Candidate], budget: Budget, situation: Situation) -> Steps[Judged]:
        """Ask about candidates, the best of which will be taken."""
        texts = [candidate.whole for candidate in candidates]
        return budget.judged(texts, situation, lambda judged: _best_alone_first(candidates, judged))

    def take(self, candidates: Sequence[Candidate], judged: Judged) -> bool:
        """Go on from the best candidate, where it is better than the text so far; is the goal reached."""
        self.tried = True
        scores = judged.scores.tolist()
        reached = True in judged.reached.tolist()  # of the few candidates of a round quicker than numpy's `any`
        if reached:
            best = _reaching(candidates, judged)[0]
        else:
            best = scores.index(max(scores))  # the first of equal ones
            if scores[best] <= self.best:
                return False
        self.go(candidates[best], scores[best])
        return reached

    def go(self, candidate: Candidate, score: float) -> None:
        """Go on from a candidate."""
        self.tried = True
        self.text = candidate.settled()
        self.best = score
        self.notes = dict(candidate.notes)

    def attempt(self, outcome: Outcome, budget: Budget) -> Attempt:
        """What it came to."""
        return Attempt(
            outcome=outcome,
            start=self.start,
            found=None if self.text is self.start else self.text,
            score=self.score,
            best=self.best,
            queries=budget.used,
            tried=self.tried,
            out_of_budget=outcome is Outcome.HELD and budget.spent,
            notes=self.notes,
        )


def _reaching(candidates: Sequence[Candidate], judged: Judged) -> list[int]:
    """The candidates that reach the goal: the most similar to the first text before others, then the best score."""
    rows = np.flatnonzero(judged.reached).tolist()
    return sorted(rows, key=lambda row: (-candidates[row].notes.get("similarity", 0.0), -judged.scores[row], row))


def _best_alone_first(candidates: Sequence[Candidate], judged: Judged) -> Sequence[Sequence[int]]:
    """The one that would be taken is made sure of, and the others only where it does not reach the goal after all."""
    rows = _reaching(candidates, judged)
    return [rows[:1], rows[1:]]
