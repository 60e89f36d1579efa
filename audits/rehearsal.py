"""What a probe will really ask: each one is run on a few items against a model that answers nothing and remembers.

Counting questions this way sees what arithmetic does not: variants that equal their text, texts that several probes
share, probes that only ask again what others asked before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from probes.core.answers import Classifications
from probes.core.examples import Example, Text
from probes.core.model import ModelCard
from probes.core.probe import Context, Probe

ITEMS = 8
"""Enough to see how often a perturbation applies, few enough to cost seconds for all probes together."""


@dataclass(slots=True)
class Recorder:
    """Answers every text with equal scores, and keeps what it was asked."""

    card: ModelCard
    asked: set[Text] = field(default_factory=set)

    def classify(self, texts: Sequence[Text]) -> Classifications:
        self.asked.update(texts)
        logits = np.zeros((len(texts), len(self.card.labels)))
        return Classifications(logits=logits, labels=self.card.labels, problem=self.card.problem)


class Questions(NamedTuple):
    """For each item: `own`, texts a probe asks beyond the item itself; `new`, those that no earlier probe asks."""

    own: float
    new: float


def rehearse(
    probes: Sequence[Probe], data: Sequence[Example], *, card: ModelCard, seed: int
) -> Mapping[str, Questions]:
    """Probe id -> what it asks.

    A probe that fails here counts with the calls it declares: whether it fails in earnest is for the audit to show.
    """
    few = list(data[:ITEMS])
    clean: set[Text] = {example.text for example in few}
    seen = set(clean)
    found: dict[str, Questions] = {}
    for probe in probes:
        recorder = Recorder(card)
        try:
            for _ in probe.run(recorder, few, Context(probe=probe.info.id, seed=seed)):
                pass
        except Exception:  # a stranger's code may fail in any way
            found[probe.info.id] = Questions(*[max(0.0, probe.info.calls - 1)] * 2)
            continue
        found[probe.info.id] = Questions(
            own=len(recorder.asked - clean) / max(1, len(few)), new=len(recorder.asked - seen) / max(1, len(few))
        )
        seen |= recorder.asked
    return found
