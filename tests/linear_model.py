"""A bag-of-words classifier whose attributions are known exactly: the weight of a word is what it pushes.

model = LinearModel({"good": 2.0, "awful": -2.0})

The logits are (0, sum of the weights of the words). Its attribution of a word towards "positive" is the weight of the
word, towards "negative" 0 for every word, because that logit is constant. Randomised, its words have random weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from probes.core.answers import Classifications
from probes.core.attributions import COMPLETE, Attribution, Baseline, Jitter, Method
from probes.core.examples import Text
from probes.core.model import Capability, ModelCard
from probes.core.rng import generator
from probes.core.words import spans, word
from tests.conftest import model_card


def explainable_card() -> ModelCard:
    """A card that can be asked everything."""
    return model_card().model_copy(update={"capabilities": frozenset(Capability)})


@cache
def _random_weight(seed: int, name: str) -> float:
    return float(generator(seed, name).normal())


@cache
def _words(text: Text) -> tuple[str, ...]:
    """The same texts are asked about again and again."""
    return tuple(word(text, span) for span in spans(text))


@dataclass
class LinearModel:
    """See the module's text.

    Attributes:
        weights: word in small letters -> its weight; others weigh `other`.
        symmetric: the logits are (-sum / 2, sum / 2) instead, so that words push both labels.
        asked: every text classified; explained: every (text, target, method) attributed.
    """

    weights: Mapping[str, float]
    other: float = 0.0
    bias: float = 0.0
    symmetric: bool = False
    random_seed: int | None = None
    card: ModelCard = field(default_factory=explainable_card)
    asked: list[Text] = field(default_factory=list)
    explained: list[tuple[Text, str, Method]] = field(default_factory=list)
    calls: int = 0

    def weight(self, name: str) -> float:
        if self.random_seed is not None:
            return _random_weight(self.random_seed, name.lower())
        return self.weights.get(name.lower(), self.other)

    def classify(self, texts: Sequence[Text]) -> Classifications:
        self.calls += 1
        self.asked.extend(texts)
        sums = [self.bias + sum(map(self.weight, _words(text))) for text in texts]
        rows = [(-total / 2, total / 2) if self.symmetric else (0.0, total) for total in sums]
        return Classifications(
            logits=np.array(rows, dtype=np.float64).reshape(len(texts), 2),
            labels=self.card.labels,
            problem=self.card.problem,
        )

    def attribute(
        self,
        texts: Sequence[Text],
        targets: Sequence[str],
        *,
        method: Method = Method.INTEGRATED_GRADIENTS,
        baseline: Baseline | None = None,
        jitter: Jitter | None = None,
    ) -> list[Attribution]:
        self.calls += 1
        self.explained.extend((text, target, method) for text, target in zip(texts, targets, strict=True))
        return [self._attribution(*pair, method, baseline, jitter) for pair in zip(texts, targets, strict=True)]

    def _attribution(
        self, text: Text, target: str, method: Method, baseline: Baseline | None, jitter: Jitter | None
    ) -> Attribution:
        positive = target == self.card.labels[1]
        share = (0.5 if positive else -0.5) if self.symmetric else float(positive)
        words = spans(text)
        scores = share * np.array([self.weight(word(text, span)) for span in words], dtype=np.float64)
        if jitter is not None:
            noise = generator(jitter.seed, str(text)).uniform(-1, 1, size=len(words))
            scores = scores * (1 + jitter.radius * noise)
        output = float(scores.sum() + share * self.bias)
        compares = method not in (Method.SALIENCY, Method.INPUT_X_GRADIENT)
        return Attribution(
            text=text,
            target=target,
            words=words,
            scores=np.abs(scores) if method is Method.SALIENCY else scores,
            special=0.0,
            output=output,
            baseline=(baseline or Baseline.PAD) if compares else None,
            baseline_output=share * self.bias if compares else None,
            points=1,
            complete=method in COMPLETE,
        )

    @contextmanager
    def randomised(self, share: float, *, seed: int) -> Iterator[LinearModel]:
        """With random weights whatever the share, but 0."""
        yield replace(self, random_seed=seed) if share else self
