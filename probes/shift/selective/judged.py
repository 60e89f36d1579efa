"""The labelled items of one domain: how sure each answer is, and what it costs if it is given and wrong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answers import Bools, Floats, ProblemType
from probes.core.confidence import Decisions
from probes.core.labelled import Labelled
from probes.shift.domains import Domain


@dataclass(frozen=True)
class Judged:
    """n items of one domain, each of which is answered or left to a person as a whole.

    Attributes:
        domain: of the same items.
    """

    domain: Domain
    items: Labelled

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, kept: Bools) -> Judged:
        items = self.items[kept]
        return Judged(Domain(self.name, tuple(items.examples)), items)

    @property
    def name(self) -> str:
        return self.domain.name

    @property
    def slice(self) -> dict[str, str]:
        """The slice of its records."""
        return self.domain.slice

    @property
    def clusters(self) -> list[str]:
        return self.items.clusters

    @cached_property
    def confidence(self) -> Floats:
        """(n,): see `Classifications.confidence`."""
        return self.items.answers.confidence

    @cached_property
    def losses(self) -> Floats:
        """(n,): 1 for a wrong answer (or set of labels), 0 for a right one."""
        return np.asarray(~self.items.correct, dtype=np.float64)

    @cached_property
    def decisions(self) -> Decisions:
        """One an item; for label sets whether the whole set is right, with the mean probability of its labels."""
        if self.items.problem is ProblemType.SINGLE_LABEL:
            return Decisions.of_labels(self.items.answers.scores, self.items.gold, clusters=self.clusters)
        probabilities = np.column_stack([self.confidence, 1 - self.confidence])
        return Decisions(probabilities, np.asarray(~self.items.correct, dtype=np.int64), self.clusters)
