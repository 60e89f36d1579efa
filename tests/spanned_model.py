"""A tagger and a reader whose attributions are known exactly: `weighs(word, beside)` is the weight of each word.

`beside` counts the words between it and what was found: 0 for its own, None for words of a question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from probes.core.attributions import COMPLETE, Attribution, Baseline, Method, SpanTarget
from probes.core.examples import Text
from probes.core.words import Span, spans, word
from tests.conftest import FakeReader, FakeTagger

Weighs = Callable[[str, int | None], float]


def by_itself(name: str, beside: int | None) -> float:
    """What is found is found by its own words, and a little by the longer ones of the others."""
    return 3.0 if beside == 0 else 0.001 * len(name)


def by_its_neighbour(name: str, beside: int | None) -> float:
    return 3.0 if beside == 1 else 0.001 * len(name)


def by_the_question(name: str, beside: int | None) -> float:
    return 3.0 if beside is None else 0.001 * len(name)


class Explained:
    """Adds to a fake what it lacks: why it found what it found."""

    weighs: Weighs

    def attribute_spans(
        self,
        texts: Sequence[Text],
        targets: Sequence[SpanTarget],
        *,
        method: Method = Method.INTEGRATED_GRADIENTS,
        baseline: Baseline | None = None,
    ) -> list[Attribution]:
        return [self._attribution(*pair, method) for pair in zip(texts, targets, strict=True)]

    def _attribution(self, text: Text, target: SpanTarget, method: Method) -> Attribution:
        read = text if isinstance(text, tuple) else " ".join(text.split())
        words = spans(read)
        start, end = _characters(text, target)
        own = [k for k, each in enumerate(words) if _whole(read, each) and each.start < end and each.end > start]
        beside = [_beside(k, own) if _whole(read, each) else None for k, each in enumerate(words)]
        scores = np.array([self.weighs(word(read, each), away) for each, away in zip(words, beside, strict=True)])
        return Attribution(
            text=read,
            target=target.name,
            words=words,
            scores=scores.astype(np.float64),
            special=0.0,
            output=float(scores.sum()),
            baseline=Baseline.MASK,
            baseline_output=0.0,
            points=1,
            complete=method in COMPLETE,
        )


def _whole(text: Text, span: Span) -> bool:
    """Is it no word of a question."""
    return isinstance(text, str) or span.part == 1


def _beside(place: int, own: Sequence[int]) -> int:
    return max(own[0] - place, place - own[-1], 0) if own else 99


def _characters(text: Text, target: SpanTarget) -> tuple[int, int]:
    if isinstance(text, tuple):
        return target.start, target.end
    words = text.split()
    start = len(" ".join([*words[: target.start], ""]))
    return start, len(" ".join(words[: target.end]))


@dataclass
class ExplainedTagger(FakeTagger, Explained):
    """A tagger that can be asked why."""

    weighs: Weighs = by_itself


@dataclass
class ExplainedReader(FakeReader, Explained):
    """A reader that can be asked why."""

    weighs: Weighs = by_itself
