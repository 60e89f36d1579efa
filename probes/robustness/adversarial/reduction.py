"""Input reduction: words are taken away for as long as the answer stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probes.robustness.adversarial.attacked import Candidate, Edit
from probes.robustness.adversarial.greedy import State
from probes.robustness.adversarial.parts import Attack, Attempt, Budget, Judged, Outcome, Situation, reaching
from probes.robustness.search import Steps


@dataclass(frozen=True)
class Reduction:
    """The least important word is taken away, again and again, for as long as the answer stays (Feng et al. 2018).

    It breaks no answer: it succeeds where hardly anything of the text is left, no reader could answer from it, and the
    model still gives the same answer. The transformation of the attack is not asked; its constraints are.

    Args:
        left: words that may be left for it to succeed.
    """

    left: int = 1

    def search(self, attack: Attack, situation: Situation) -> Steps[Attempt]:
        """Reduce one text."""
        budget, state = Budget(attack.budget), State(situation.start)
        first = yield from budget.begun(situation)
        ended = state.begin(first)
        while ended is None and len(state.text) > self.left and not budget.spent:
            candidates = yield from _shorter(attack, state, situation)
            if not candidates:
                break
            texts = [candidate.whole for candidate in candidates]
            judged = yield from budget.judged(texts, situation, reaching)
            kept = _surest(candidates, judged)
            if kept is None:
                break
            state.go(candidates[kept], float(judged.scores[kept]))
        if ended is None and state.tried and len(state.text) <= self.left:
            ended = Outcome.BROKEN
        return state.attempt(ended or Outcome.HELD, budget)


def _shorter(attack: Attack, state: State, situation: Situation) -> Steps[list[Candidate]]:
    """The text without one of its words, each of them, as the constraints allow it."""
    text = state.text
    found = [Candidate.of(text, (Edit(place, ""),)) for place in attack.places(text, situation)]
    for constraint in attack.constraints:
        found = yield from constraint.keep(found, situation)
    return found


def _surest(candidates: Sequence[Candidate], judged: Judged) -> int | None:
    """Of those after which the answer stays, the one of which the model is surest; None where there is none."""
    scores = np.where(judged.reached | ~np.isfinite(judged.scores), np.inf, judged.scores)
    best = int(np.argmin(scores))
    return best if np.isfinite(scores[best]) else None
