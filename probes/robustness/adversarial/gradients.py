"""The oracle of gradients: how much each word of a text speaks against the goal, from the model's own attributions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

import numpy as np

from probes.core.answers import Floats
from probes.core.attributions import Attribution, Method, forward_passes
from probes.core.attributors import Attributor
from probes.robustness.adversarial.attacked import Attacked
from probes.robustness.search import Request

GRADIENT = "gradient"
"""Name of this oracle. Questions are `Attacked` texts, the answer to each the push of its words."""

METHOD = Method.INPUT_X_GRADIENT

COST = math.ceil(forward_passes(METHOD, words=0))
"""What one question costs, in texts the victim is asked about."""


@dataclass(frozen=True, slots=True)
class Slope:
    """Which logit the goal of an item pulls at, and where to.

    Attributes:
        label: its name.
        sign: 1 where the goal wants it lower, -1 where higher.
    """

    label: str
    sign: float = 1.0


@dataclass(frozen=True)
class GradientOracle:
    """Gradients of a classifier.

    Attributes:
        model: it, as it is audited.
        slopes: (items,) of each item.
    """

    model: Attributor
    slopes: Sequence[Slope]

    def __call__(self, requests: Sequence[Request]) -> list[list[Floats]]:
        """Of each text of each request, (words,): how much the goal is nearer without what the word says."""
        texts: list[Attacked] = list(chain.from_iterable(request.questions for request in requests))
        slopes = [self.slopes[request.item] for request in requests for _ in request.questions]
        found = self.model.attribute([text.whole for text in texts], [each.label for each in slopes], method=METHOD)
        pushes = [
            slope.sign * _by_place(text, attribution)
            for text, slope, attribution in zip(texts, slopes, found, strict=True)
        ]
        ends = list(accumulate(len(request.questions) for request in requests))
        return [pushes[end - len(request.questions) : end] for request, end in zip(requests, ends, strict=True)]


def _by_place(text: Attacked, attribution: Attribution) -> Floats:
    """(words,) what the attribution gives to each word of a text that is attacked; 0 for words that were not read."""
    part = 0 if text.pair is None else int(text.pair[1])
    pushes = np.zeros(len(text))
    rows = [(span, push) for span, push in zip(attribution.words, attribution.scores, strict=True) if span.part == part]
    place = 0
    for span, push in rows:
        while place < len(text) and text.spans[place][1] <= span.start:
            place += 1
        for other in range(place, len(text)):
            if text.spans[other][0] >= span.end:
                break
            pushes[other] += push
    return pushes
