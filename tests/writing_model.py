"""A generator whose attributions are known exactly: the weight of a word of the prompt is what it adds to each token.

model = WritingModel({"please": 2.0}, writes=lambda prompt: "of course" if "please" in prompt else "no")

The log-probability of each token of whatever was written is the sum of the weights of the words of the prompt, less
`base`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from probes.core.attributions import COMPLETE, Attribution, Baseline, Method
from probes.core.generations import GREEDY, Decoding, Generations
from probes.core.likelihoods import Likelihoods
from probes.core.model import Capability, ModelCard
from probes.core.words import spans, word
from tests.conftest import FakeGenerator, generator_card


def explained_card() -> ModelCard:
    """The card of a generator that can be asked everything."""
    return generator_card().model_copy(update={"capabilities": frozenset(Capability)})


@dataclass
class WritingModel:
    """See the module's text.

    Attributes:
        weights: word in small letters -> its weight; others weigh `other`.
        writes: the text after a prompt; each word of it is a token.
        misled: the method that gets every weight wrong.
    """

    weights: Mapping[str, float]
    writes: Callable[[str], str]
    other: float = 0.0
    base: float = 5.0
    misled: Method | None = None
    card: ModelCard = field(default_factory=explained_card)
    calls: int = 0

    def weight(self, name: str) -> float:
        return self.weights.get(name.lower(), self.other)

    def generate(self, prompts: Sequence[str], decoding: Decoding = GREEDY) -> Generations:
        self.calls += 1
        return FakeGenerator(rule=lambda prompt, _: self.writes(prompt)).generate(prompts, decoding)

    def score_written(self, prompts: Sequence[str], written: Sequence[str], *, reply: bool = True) -> Likelihoods:
        self.calls += 1
        counts = [len(text.split()) for text in written]
        logs = [self._weights(prompt).sum() - self.base for prompt in prompts]
        return Likelihoods(
            logs=np.repeat(np.array(logs, dtype=np.float64), counts),
            ids=np.zeros(sum(counts), dtype=np.int64),
            starts=np.cumsum([0, *counts]).astype(np.int64),
            spans=np.array([(0, len(text)) for text in written], dtype=np.int64).reshape(-1, 2),
            unscored=np.zeros(len(written), dtype=np.int64),
        )

    def attribute_written(
        self,
        prompts: Sequence[str],
        written: Sequence[str],
        *,
        method: Method = Method.INTEGRATED_GRADIENTS,
        baseline: Baseline | None = None,
        reply: bool = True,
    ) -> list[Attribution]:
        self.calls += 1
        return [self._attribution(*pair, method, baseline) for pair in zip(prompts, written, strict=True)]

    def _attribution(self, prompt: str, text: str, method: Method, baseline: Baseline | None) -> Attribution:
        tokens = len(text.split())
        scores = tokens * self._weights(prompt)
        nothing = -tokens * self.base
        return Attribution(
            text=prompt,
            target=text,
            words=spans(prompt),
            scores=scores[::-1] if method is self.misled else scores,
            special=0.0,
            output=nothing + float(scores.sum()),
            baseline=baseline or Baseline.MEAN,
            baseline_output=nothing,
            points=1,
            complete=method in COMPLETE,
        )

    def _weights(self, prompt: str) -> np.ndarray:
        return np.array([self.weight(word(prompt, span)) for span in spans(prompt)], dtype=np.float64)
