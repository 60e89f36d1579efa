"""What a probe will really ask: each one is run on a few items against a model that answers nothing and remembers.

Counting questions this way sees what arithmetic does not: variants that equal their text, texts that several probes
share, probes that only ask again what others asked before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from probes.core.answers import Classifications, Floats
from probes.core.attributions import Attribution, Baseline, Jitter, Method, forward_passes
from probes.core.examples import Example, Text
from probes.core.model import ModelCard
from probes.core.probe import Context, Probe
from probes.core.words import spans

ITEMS = 8
"""Enough to see how often a perturbation applies, few enough to cost seconds for all probes together."""


Question = tuple[str, Text]
"""What is asked, and about which text: a classification and an embedding are two passes through the model."""

Asked = dict[Question, float]
"""Question -> what it costs, in classifications of the text."""


@dataclass(slots=True)
class Recorder:
    """Answers every text with equal scores, and keeps what it was asked."""

    card: ModelCard
    asked: Asked = field(default_factory=dict)
    network: str = ""
    """Which weights: those of the model, or random ones."""

    def classify(self, texts: Sequence[Text]) -> Classifications:
        self._note("classify", texts)
        logits = np.zeros((len(texts), len(self.card.labels)))
        return Classifications(logits=logits, labels=self.card.labels, problem=self.card.problem)

    def embed(self, texts: Sequence[Text]) -> Floats:
        self._note("embed", texts)
        return np.zeros((len(texts), 2))

    def attribute(
        self,
        texts: Sequence[Text],
        targets: Sequence[str],
        *,
        method: Method = Method.INTEGRATED_GRADIENTS,
        baseline: Baseline | None = None,
        jitter: Jitter | None = None,
    ) -> list[Attribution]:
        found = [_even(text, target) for text, target in zip(texts, targets, strict=True)]
        for each in found:
            self._note(
                f"attribute {each.target} {method} {baseline} {jitter}",
                [each.text],
                cost=forward_passes(method, words=len(each.words)),
            )
        return found

    @contextmanager
    def randomised(self, share: float, *, seed: int) -> Iterator[Recorder]:
        yield Recorder(self.card, asked=self.asked, network=f"{self.network} random {share} {seed} ")

    def _note(self, question: str, texts: Iterable[Text], *, cost: float = 1.0) -> None:
        self.asked.update(((self.network + question, text), cost) for text in texts)


def _even(text: Text, target: str) -> Attribution:
    """As if no word had pushed anything."""
    words = spans(text)
    return Attribution(
        text=text,
        target=target,
        words=words,
        scores=np.zeros(len(words)),
        special=0.0,
        output=0.0,
        baseline=Baseline.PAD,
        baseline_output=0.0,
    )


class Questions(NamedTuple):
    """What a probe asks beyond the items' own texts.

    Attributes:
        own: for each item.
        new: of these, those that no earlier probe asks.
        fixed: whatever the data are, because the texts are the probe's own; those that no earlier probe asks.
    """

    own: float
    new: float
    fixed: int = 0

    def calls(self, items: int) -> int:
        """Model calls for so many items."""
        return round(items * self.new) + self.fixed


def rehearse(
    probes: Sequence[Probe], data: Sequence[Example], *, card: ModelCard, seed: int
) -> Mapping[str, Questions]:
    """Probe id -> what it asks.

    A probe that fails here counts with the calls it declares: whether it fails in earnest is for the audit to show.
    """
    few = list(data[:ITEMS])
    clean: set[Question] = {("classify", example.text) for example in few}
    seen = set(clean)
    found: dict[str, Questions] = {}
    for probe in probes:
        with_data = _asked(probe, few, card=card, seed=seed) if probe.info.data else {}
        without = _asked(probe, [], card=card, seed=seed) or {}
        if with_data is None:
            declared = max(0.0, probe.info.calls - 1)
            found[probe.info.id] = Questions(own=declared, new=declared)
            continue
        varying, per = {q: cost for q, cost in with_data.items() if q not in without}, max(1, len(few))
        found[probe.info.id] = Questions(
            own=_cost(varying, clean) / per, new=_cost(varying, seen) / per, fixed=round(_cost(without, seen))
        )
        seen |= with_data.keys() | without.keys()
    return found


def _cost(asked: Asked, known: set[Question]) -> float:
    """Of the questions that are not known yet."""
    return sum(cost for question, cost in asked.items() if question not in known)


def _asked(probe: Probe, data: Sequence[Example], *, card: ModelCard, seed: int) -> Asked | None:
    """The probe's questions about these items; None when it fails."""
    recorder = Recorder(card)
    try:
        for _ in probe.run(recorder, data, Context(probe=probe.info.id, seed=seed)):
            pass
    except Exception:  # a stranger's code may fail in any way
        return None
    return recorder.asked
