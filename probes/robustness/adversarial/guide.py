"""The oracle of estimates: what the gradient of the model says that a change would do, without asking about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any

import numpy as np

from probes.core.answers import Floats
from probes.core.attributors import Substituter
from probes.core.words import Span
from probes.robustness.adversarial.attacked import Attacked, Edit
from probes.robustness.adversarial.gradients import Slope
from probes.robustness.search import Oracle, Request
from probes.text.lexicon import rows

GAINS = "gains"
"""Oracle: of (text, edits) pairs, of each edit by itself how much nearer the goal it is expected to lead."""

FLIPS = "flips"
"""Oracle: of (text, places, count) triples, of each place the words expected to lead nearest to the goal."""


SLANTS = "slants"
"""Oracle: of (text, edits) pairs, of each edit how much further the new word leans to the goal than the old one,
wherever it stands; -inf for a new word that is itself in the vocabulary of the model."""

TEXTS = 32
"""Sentences of our own from which it is learned which way words lean; once for a model and a label."""


@cache
def sentences() -> tuple[str, ...]:
    """The first ones of the plain and the provoking beginnings of sentences."""
    return tuple(text for _, text in rows("generation_prompts")[:TEXTS])


@dataclass(frozen=True)
class Guide:
    """Estimates from the gradients of a classifier.

    Attributes:
        model: it, as it is audited.
        slopes: (items,) which logit the goal of each item pulls at, and where to.
    """

    model: Substituter
    slopes: Sequence[Slope]

    def oracles(self) -> Mapping[str, Oracle]:
        """Of edits, of words, and of words wherever they stand."""
        return {GAINS: self.gains, FLIPS: self.flips, SLANTS: self.slants}

    def gains(self, requests: Sequence[Request]) -> list[list[Floats]]:
        """For each (text, edits) of each request (edits,) estimates."""
        asked, slopes, ends = self._gathered(requests)
        swaps = [[(place_of(text, edit.place), edit.text) for edit in edits] for text, edits in asked]
        found = self.model.gains([text.whole for text, _ in asked], [slope.label for slope in slopes], swaps)
        return _shared([slope.sign * each for slope, each in zip(slopes, found, strict=True)], requests, ends)

    def flips(self, requests: Sequence[Request]) -> list[list[list[list[tuple[str, float]]]]]:
        """For each (text, places, count) of each request, and each place, the words with their estimates."""
        asked, slopes, ends = self._gathered(requests)
        found: list[list[list[tuple[str, float]]]] = [[] for _ in asked]
        for sign, count in sorted({(slope.sign, each[2]) for slope, each in zip(slopes, asked, strict=True)}):
            rows = [row for row, each in enumerate(asked) if (slopes[row].sign, each[2]) == (sign, count)]
            places = [[place_of(asked[row][0], place) for place in asked[row][1]] for row in rows]
            texts, labels = [asked[row][0].whole for row in rows], [slopes[row].label for row in rows]
            for row, words in zip(rows, self.model.flips(texts, labels, places, count=count, sign=sign), strict=True):
                found[row] = words
        return _shared(found, requests, ends)

    def slants(self, requests: Sequence[Request]) -> list[list[Floats]]:
        """For each (text, edits) of each request (edits,) differences."""
        asked, slopes, ends = self._gathered(requests)
        labels = dict.fromkeys(slope.label for slope in slopes)
        known = {label: self._leaning(asked, slopes, label) for label in labels}
        found = [
            slope.sign * _differences(text, edits, known[slope.label])
            for (text, edits), slope in zip(asked, slopes, strict=True)
        ]
        return _shared([np.where(np.isnan(each), -np.inf, each) for each in found], requests, ends)

    def _leaning(self, asked: Sequence[Any], slopes: Sequence[Slope], label: str) -> dict[str, tuple[float, bool]]:
        """Of every word asked about for a label: how much it speaks for it, and whether it is in the vocabulary."""
        mine = [each for each, slope in zip(asked, slopes, strict=True) if slope.label == label]
        words = dict.fromkeys(word for text, edits in mine for word in (*text.words, *(edit.text for edit in edits)))
        numbers, whole = self.model.slants(list(words), label=label, texts=sentences())
        return dict(zip(words, zip(numbers.tolist(), whole.tolist(), strict=True), strict=True))

    def _gathered(self, requests: Sequence[Request]) -> tuple[list[Any], list[Slope], list[int]]:
        asked = [question for request in requests for question in request.questions]
        slopes = [self.slopes[request.item] for request in requests for _ in request.questions]
        return asked, slopes, list(accumulate(len(request.questions) for request in requests))


def place_of(text: Attacked, place: int) -> Span:
    """Where a word stands in what the model reads."""
    part = 0 if text.pair is None else int(text.pair[1])
    return Span(part, *text.span(place))


def _differences(text: Attacked, edits: Sequence[Edit], known: Mapping[str, tuple[float, bool]]) -> Floats:
    words = text.words
    pairs = [(known[words[edit.place]], known[edit.text]) for edit in edits]
    return np.array([np.nan if whole else old - new for (old, _), (new, whole) in pairs], dtype=np.float64)


def _shared(found: Sequence[Any], requests: Sequence[Request], ends: Sequence[int]) -> list[Any]:
    return [list(found[end - len(request.questions) : end]) for request, end in zip(requests, ends, strict=True)]
