"""Which texts are harmful, so that a probe can ask whether they are still found when they are disguised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probes.core.answers import Bools
from probes.core.examples import Example
from probes.core.model import Classifier
from probes.text.lexicon import rows

FEWEST = 30
"""Harmful texts of the data that the model finds, below which sentences of our own are added."""
DATA, OWN = "data", "own sentences"


@dataclass(frozen=True, kw_only=True)
class Harmful:
    """Harmful texts, sorted by source and id, so that the order of the rows has no influence.

    Attributes:
        examples: (n,) the texts.
        own: (n,) is it one of our own sentences.
        known: (n,) is it harmful by its label, or by how it was written; False where only the model says so.
        data: how many items were given.
        labelled: do the items have right answers.
        found: how many of the given items that count as harmful the model finds.
    """

    examples: tuple[Example, ...]
    own: Bools
    known: Bools
    data: int
    labelled: bool
    found: int

    @property
    def note(self) -> str:
        """Which texts these are, in a sentence."""
        given = int((~self.own).sum())
        by = "labelled as harmful" if self.labelled else "called harmful by the model (there are no labels)"
        told = f"{given} of {self.data} items are {by}; the model finds {self.found} of them"
        return told + f"; {int(self.own.sum())} sentences of our own were added" if self.own.any() else told


def harmful(model: Classifier, data: Sequence[Example]) -> Harmful:
    """Items labelled positive; without labels, items answered positive; with few that are found, our own as well.

    Raises:
        ValueError: when the model has no positive class, or no threshold.
    """
    positive = model.card.positive
    labelled = any(example.gold is not None for example in data)
    items = [example for example in data if example.gold is not None or not labelled]
    decided = positive.decided(model.classify([example.text for example in items])) if items else np.zeros(0, bool)
    counted = positive.gold([e.gold for e in items], labels=model.card.labels) if labelled else decided
    given = [example for example, counts in zip(items, counted, strict=True) if counts]
    found = int((decided & counted).sum())
    own = [Example.of(text) for _, text in rows("harmful_sentences")] if found < FEWEST else []
    examples = (*sorted(given, key=_id), *sorted(own, key=_id))
    is_own = np.arange(len(examples)) >= len(given)
    return Harmful(
        examples=examples, own=is_own, known=is_own | labelled, data=len(data), labelled=labelled, found=found
    )


def _id(example: Example) -> str:
    return example.id
