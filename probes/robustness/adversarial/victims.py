"""The model under attack as an oracle: the texts of all searches in one bulk, each judged by its own item's goal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain

import numpy as np

from probes.core.model import Classifier
from probes.robustness.adversarial.parts import Goal, Judged, Trial, every
from probes.robustness.search import Request


@dataclass(frozen=True)
class ClassifierVictim:
    """A classifier, in the types of number it is asked in.

    Attributes:
        exact: it, as it is audited.
        goals: (items,) of each item.
        screen: the same model in a faster type, whose every success is confirmed by `exact`; None to ask `exact` alone.
    """

    exact: Classifier
    goals: Sequence[Goal]
    screen: Classifier | None = None

    def __call__(self, requests: Sequence[Request]) -> list[Judged]:
        """Judge the texts of n requests."""
        if self.screen is None:
            return self._judged(self.exact, requests)
        judged = self._judged(self.screen, requests, tolerance=0.0)
        return self._confirmed(requests, judged)

    def _judged(
        self, model: Classifier, requests: Sequence[Request], *, tolerance: float | None = None
    ) -> list[Judged]:
        answers = model.classify(list(chain.from_iterable(request.questions for request in requests)))
        if tolerance is not None:  # a screen's near ties are for the model itself to decide
            answers = replace(answers, tolerance=tolerance)
        ends = list(accumulate(len(request.questions) for request in requests))
        return [
            self.goals[request.item].judge(answers[np.arange(end - len(request.questions), end)])
            for request, end in zip(requests, ends, strict=True)
        ]

    def _confirmed(self, requests: Sequence[Request], screened: list[Judged]) -> list[Judged]:
        """What the screen says; of what is in doubt, whether it reaches the goal and has an answer at all is for the
        model itself to say."""
        groups = [_doubts(request, judged) for request, judged in zip(requests, screened, strict=True)]
        while any(groups):
            left = [number for number, its in enumerate(groups) if its]
            rows = [groups[number].pop(0) for number in left]
            again = [
                replace(requests[number], questions=[requests[number].questions[row] for row in places])
                for number, places in zip(left, rows, strict=True)
            ]
            for number, places, better in zip(left, rows, self._judged(self.exact, again), strict=True):
                judged = screened[number]
                judged.reached[places] = better.reached
                judged.scores[places] = np.where(np.isfinite(better.scores), judged.scores[places], better.scores)
                if better.reached.any():
                    groups[number].clear()
        return screened


def _doubts(request: Request, judged: Judged) -> list[list[int]]:
    doubts = request.doubts if isinstance(request, Trial) else every
    return [list(rows) for rows in doubts(judged) if rows]
