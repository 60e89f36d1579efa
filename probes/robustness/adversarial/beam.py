"""Beam search: the best few texts are changed further, at any of their words, until one reaches the goal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probes.robustness.adversarial.attacked import Attacked, Candidate
from probes.robustness.adversarial.greedy import State
from probes.robustness.adversarial.parts import Attack, Attempt, Budget, Judged, Outcome, Situation
from probes.robustness.search import Steps


@dataclass(frozen=True)
class Beam:
    """Of all changes of all texts in the beam the best are the next beam; the beam search of Ebrahimi et al. (2018).

    It asks about every change of every word in each round, so many more texts than a greedy search. It ends when the
    goal is reached, nothing can be changed further, or the queries are used up; texts that are in two places of the
    beam are asked about once.

    Args:
        width: texts in the beam.
    """

    width: int = 8

    def search(self, attack: Attack, situation: Situation) -> Steps[Attempt]:
        """Attack one text."""
        budget, state = Budget(attack.budget), State(situation.start)
        first = yield from budget.begun(situation)
        ended = state.begin(first)
        beam = [situation.start] if ended is None else []
        while beam and not budget.spent:
            candidates: dict[str, Candidate] = {}
            for text in beam:
                found = yield from attack.candidates(text, range(len(text)), situation)
                for candidate in found:
                    candidates.setdefault(candidate.text, candidate)
            if not candidates:
                break
            asked = list(candidates.values())
            judged = yield from state.judged(asked, budget, situation)
            if self.take(state, asked, judged):
                ended = Outcome.BROKEN
                break
            beam = self._next(asked, judged)
        return state.attempt(ended or Outcome.HELD, budget)

    def take(self, state: State, candidates: Sequence[Candidate], judged: Judged) -> bool:
        """Note the best candidate of a round; is the goal reached."""
        return state.take(candidates, judged)

    def _next(self, candidates: Sequence[Candidate], judged: Judged) -> list[Attacked]:
        best = np.argsort(-judged.scores, kind="stable")[: self.width]
        return [candidates[row].settled() for row in best if np.isfinite(judged.scores[row])]
