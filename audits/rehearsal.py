"""What a probe will really ask: each one is run on a few items against a model that answers nothing and remembers.

Counting questions this way sees what arithmetic does not: variants that equal their text, texts that several probes
share, probes that only ask again what others asked before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from probes.core.answers import Classifications, Floats
from probes.core.examples import Example, Text
from probes.core.model import ModelCard
from probes.core.probe import Context, Probe

ITEMS = 8
"""Enough to see how often a perturbation applies, few enough to cost seconds for all probes together."""


Question = tuple[str, Text]
"""What is asked, and about which text: a classification and an embedding are two passes through the model."""


@dataclass(slots=True)
class Recorder:
    """Answers every text with equal scores, and keeps what it was asked."""

    card: ModelCard
    asked: set[Question] = field(default_factory=set)

    def classify(self, texts: Sequence[Text]) -> Classifications:
        self.asked.update(("classify", text) for text in texts)
        logits = np.zeros((len(texts), len(self.card.labels)))
        return Classifications(logits=logits, labels=self.card.labels, problem=self.card.problem)

    def embed(self, texts: Sequence[Text]) -> Floats:
        self.asked.update(("embed", text) for text in texts)
        return np.zeros((len(texts), 2))


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
    seen: set[Question] = {("classify", example.text) for example in few}
    clean = set(seen)
    found: dict[str, Questions] = {}
    for probe in probes:
        with_data = _asked(probe, few, card=card, seed=seed) if probe.info.data else set()
        without = _asked(probe, [], card=card, seed=seed) or set()
        if with_data is None:
            declared = max(0.0, probe.info.calls - 1)
            found[probe.info.id] = Questions(own=declared, new=declared)
            continue
        varying, per = with_data - without, max(1, len(few))
        found[probe.info.id] = Questions(
            own=len(varying - clean) / per, new=len(varying - seen) / per, fixed=len(without - seen)
        )
        seen |= with_data | without
    return found


def _asked(probe: Probe, data: Sequence[Example], *, card: ModelCard, seed: int) -> set[Question] | None:
    """The probe's questions about these items; None when it fails."""
    recorder = Recorder(card)
    try:
        for _ in probe.run(recorder, data, Context(probe=probe.info.id, seed=seed)):
            pass
    except Exception:  # a stranger's code may fail in any way
        return None
    return recorder.asked
