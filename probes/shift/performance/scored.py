"""The items of one domain, and the number that says how good the model is on each; with labels, the answers as well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answers import Bools, Floats, ProblemType
from probes.core.confidence import Decisions
from probes.core.confidence_numbers import decisions_of
from probes.core.labelled import Labelled
from probes.core.records import Better, Unit
from probes.shift.domains import Domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number that every item has and whose mean is compared between domains.

    Attributes:
        name: of the mean; `loss` is appended for what is lost.
        title: what the mean is.
        loss, lost: name and title of how much worse the mean is than in-domain.
        better: which means are good.
        limits: smallest and largest possible value of an item.
        unit, loss_unit: of the mean and of the difference of two.
        function: an increasing function of the mean that is shown and compared in its place.
        charted: whether a chart of all domains is drawn.
    """

    name: str
    title: str
    loss: str
    lost: str
    better: Better
    limits: tuple[float, float]
    unit: Unit
    loss_unit: Unit
    function: Callable[[float], float] | None = None
    charted: bool = True

    @property
    def worst(self) -> str:
        """Name of the largest loss."""
        return f"worst_{self.loss}"

    @property
    def sign(self) -> int:
        """1 where a lower mean is a loss, -1 where a higher one is."""
        return 1 if self.better is Better.HIGHER else -1


def values_of(items: Labelled) -> Floats:
    """(n,) finite numbers, whose mean is the measure: 1 if right and 0 if wrong, or the absolute error of a score."""
    if items.problem is not ProblemType.REGRESSION:
        return items.correct.astype(np.float64)
    predicted, gold = items.values
    return np.abs(predicted - gold)


def measure_for(problem: ProblemType) -> Measure:
    """Accuracy, for label sets the share of exactly right sets, for scores the mean absolute error."""
    if problem is ProblemType.REGRESSION:
        return Measure(
            name="mae",
            title="mean absolute error",
            loss="mae_added",
            lost="mean absolute error added",
            better=Better.LOWER,
            limits=(0.0, np.inf),
            unit=Unit.SCORE,
            loss_unit=Unit.SCORE,
        )
    exact = " (the exact set of labels)" if problem is ProblemType.MULTI_LABEL else ""
    return share_measure("accuracy", f"share of right answers{exact}")


def share_measure(
    name: str, title: str, *, charted: bool = True, function: Callable[[float], float] | None = None
) -> Measure:
    """A share, or a mean of numbers from 0 to 1, of which more is better."""
    return Measure(
        name=name,
        title=title,
        loss=f"{name}_lost",
        lost=f"{title} lost",
        better=Better.HIGHER,
        limits=(0.0, 1.0),
        unit=Unit.PROPORTION,
        loss_unit=Unit.DIFFERENCE,
        function=function,
        charted=charted,
    )


@dataclass(frozen=True)
class Scored:
    """The n items of one domain and what is compared of them: all that a measure without labels needs, like perplexity.

    Attributes:
        values: (n,) the measure's number of each item.
    """

    domain: Domain
    values: Floats

    def __len__(self) -> int:
        return len(self.domain)

    @property
    def name(self) -> str:
        return self.domain.name

    @property
    def slice(self) -> dict[str, str]:
        """The slice of its records."""
        return self.domain.slice

    @property
    def where(self) -> str:
        """On which texts, for titles."""
        return self.domain.where

    @property
    def clusters(self) -> list[str]:
        return self.domain.clusters

    @cached_property
    def independent(self) -> int:
        """Number of independent items."""
        return len(set(self.clusters))


@dataclass(frozen=True)
class ScoredParts(Scored):
    """The same of parts of the items, such as entities, of which an item has any number.

    Attributes:
        values: (m,) of all parts of all items.
        keys: (m,) clusters of their items: parts of one item are not independent.
    """

    keys: list[str]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def clusters(self) -> list[str]:
        return self.keys


@dataclass(frozen=True)
class ScoredLabels(Scored):
    """The same of a classifier, with the n labelled items and its answers."""

    items: Labelled

    @cached_property
    def decisions(self) -> Decisions:
        return decisions_of(self.items)

    @cached_property
    def labels(self) -> Bools:
        """(K,): labels that some right answer has."""
        return np.asarray(self.items.gold.any(axis=0))

    def named(self, kept: Bools) -> str:
        """The labels where `kept`, for a sentence."""
        return ", ".join(label for label, keep in zip(self.items.labels, kept, strict=True) if keep)
