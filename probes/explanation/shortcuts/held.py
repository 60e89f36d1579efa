"""The half of the items that the search has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answers import Bools, Ints
from probes.core.examples import Text
from probes.core.stats.derived import FEW
from probes.explanation.explained import Explained
from probes.explanation.vocabulary import names


@dataclass(frozen=True, kw_only=True)
class Held:
    """The n items that were kept apart from the search.

    Attributes:
        order: (n,) which of them are tried first, where not all are.
    """

    items: Explained
    order: Ints

    @cached_property
    def names(self) -> list[list[str]]:
        """(n,): the name of each word of an item."""
        return [names(each) for each in self.items.attributions]

    @cached_property
    def sets(self) -> list[frozenset[str]]:
        """(n,): the words of an item."""
        return [frozenset(found) for found in self.names]

    @cached_property
    def read(self) -> Bools:
        """(n,): did the model read the text to its end."""
        return np.array([each.unread == 0 for each in self.items.attributions], dtype=bool)

    def holding(self, name: str) -> Bools:
        """(n,): does the item hold the word."""
        return np.array([name in found for found in self.sets], dtype=bool)

    def targeted(self, label: str) -> Bools:
        """(n,): was the item explained towards the label."""
        return np.array([target == label for target in self.items.targets], dtype=bool)

    def answered(self, label: str) -> Bools:
        """(n,): does the answer hold the label."""
        return np.asarray(self.items.answers.chosen[:, self.column(label)])

    @cached_property
    def graded(self) -> bool:
        """Is the right answer known for enough independent items."""
        return len({key for key, known in zip(self.items.clusters, self.items.labelled, strict=True) if known}) >= FEW

    def column(self, label: str) -> int:
        """Where the label is among the answers' columns."""
        return self.items.answers.labels.index(label)

    def first(self, which: Bools, *, limit: int) -> Ints:
        """At most so many of the items where `which` (n,)."""
        rows = np.flatnonzero(which)
        return np.sort(rows[np.argsort(self.order[rows], kind="stable")][:limit])

    def text(self, row: int) -> Text:
        """As the model reads it."""
        return self.items.examples[row].text
