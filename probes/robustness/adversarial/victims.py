"""The model under attack as an oracle: the texts of all searches in one bulk, each judged by its own item's goal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain

import numpy as np

from probes.core.model import Classifier
from probes.robustness.adversarial.parts import Goal, Judged
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
        """What the screen says; whether a goal is reached, and whether a text asked alone, as a start is, has an answer
        at all, the model itself decides."""
        rows = [_doubted(request, judged) for request, judged in zip(requests, screened, strict=True)]
        again = [
            Request(request.oracle, request.item, [request.questions[row] for row in places])
            for request, places in zip(requests, rows, strict=True)
        ]
        exact = self._judged(self.exact, again)
        for judged, places, better in zip(screened, rows, exact, strict=True):
            judged.reached[places] = better.reached
            judged.scores[places] = np.where(np.isfinite(better.scores), judged.scores[places], better.scores)
        return screened


def _doubted(request: Request, judged: Judged) -> list[int]:
    if len(request.questions) == 1:
        return [0]
    return [int(row) for row in np.flatnonzero(judged.reached)]
