"""A model that gives every text the same answer, and to which no word says anything."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from probes.core.answers import Classifications
from tests.linear_model import LinearModel


@dataclass
class Indifferent(LinearModel):
    """Of any number of labels, or of a score."""

    def classify(self, texts):
        labels = self.card.labels
        return Classifications(logits=np.zeros((len(texts), len(labels))), labels=labels, problem=self.card.problem)

    def attribute(self, texts, targets, **how):
        # The double for two labels makes the attributions; without weights all of them are 0.
        card = self.card.model_copy(update={"labels": ("negative", "positive")})
        found = LinearModel({}, card=card).attribute(texts, targets, **how)
        return [replace(each, target=target) for each, target in zip(found, targets, strict=True)]
