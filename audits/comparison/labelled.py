"""Numbers that are made of counts of labels: F1, balanced accuracy and their like, of two runs on the same items."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from audits.comparison.items import Row
from audits.comparison.reasons import NOT_THE_SAME, PLACES
from probes.core import metrics
from probes.core.records import Estimate
from probes.core.rng import generator
from probes.core.stats.clusters import Clusters
from probes.core.stats.resampling import Resamples

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

METRICS: Mapping[str, Callable[[metrics.Counts], Floats]] = {
    "balanced_accuracy": lambda counts: metrics.over_labels(counts.recall()),
    "balanced_accuracy_over_chance": lambda counts: (
        metrics.over_labels(counts.recall()) - 1 / np.maximum((counts.gold > 0).sum(axis=1), 1)
    ),
    "macro_f1": lambda counts: metrics.over_labels(counts.f1()),
    "mcc": metrics.Counts.mcc,
    "accuracy_over_majority": lambda counts: (counts.hits.sum(axis=1) - counts.gold.max(axis=1)) / counts.total[:, 0],
}
"""Name of a number of all items of a single-label model -> how it comes from counts, (B,)."""

OF_LABEL: Mapping[str, Callable[[metrics.Counts], Floats]] = {
    "precision": metrics.Counts.precision,
    "f1": metrics.Counts.f1,
}
"""Likewise of each label, (B, K)."""


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Answers of both runs to the same items with one right label each, and everything that counts give of them."""

    labels: tuple[str, ...]
    gold: Bools
    answers: tuple[Bools, Bools]
    clusters: tuple[str, ...]

    @classmethod
    def of(cls, rows: Sequence[tuple[Row, Row]]) -> Labelled | None:
        """None where there are variants, or no right answers."""
        graded = [(old, new) for old, new in rows if old.correct is not None and new.correct is not None]
        if not graded or any(new.variant or new.gold is None for _, new in graded):
            return None
        labels = sorted({str(name) for old, new in graded for name in (old.answer, new.answer, new.gold)})
        place = {label: k for k, label in enumerate(labels)}

        def matrix(names: Sequence[str]) -> Bools:
            return metrics.one_hot(np.array([place[name] for name in names]), labels=len(labels))

        return cls(
            labels=tuple(labels),
            gold=matrix([str(new.gold) for _, new in graded]),
            answers=(matrix([old.answer for old, _ in graded]), matrix([new.answer for _, new in graded])),
            clusters=tuple(new.cluster for _, new in graded),
        )

    @cached_property
    def names(self) -> list[tuple[str, str]]:
        """Each number with the label it is about, in the order of the columns."""
        return [*((name, "") for name in METRICS), *((name, label) for name in OF_LABEL for label in self.labels)]

    def difference(self, name: tuple[str, str], old: Estimate, new: Estimate) -> Estimate | str:
        which = self.names.index(name)
        values = (float(values[0, which]) for values in self._both(np.ones((1, len(self.clusters)))))
        if not all(math.isclose(a, b.value, abs_tol=PLACES) for a, b in zip(values, (old, new), strict=True)):
            return NOT_THE_SAME
        try:
            farthest = 2.0 if name[0] == "mcc" else 1.0
            return self._resamples.estimate(which, limits=(-farthest, farthest), groups=self._resting(name[1]))
        except ValueError as error:
            return str(error)

    @cached_property
    def _resamples(self) -> Resamples:
        """One pass for all numbers; the same draws for both runs are what pairs them."""

        def differences(weights: Floats) -> Floats:
            old, new = self._both(weights)
            return new - old

        rng = generator(0, "side by side", *self.labels)
        return Resamples.of(differences, n=len(self.clusters), rng=rng, clusters=self.clusters)

    def _both(self, weights: Floats) -> tuple[Floats, Floats]:
        old, new = (self._all(metrics.Counts.of(answers, self.gold, weights)) for answers in self.answers)
        return old, new

    @staticmethod
    def _all(counts: metrics.Counts) -> Floats:
        whole = [metric(counts)[:, None] for metric in METRICS.values()]
        return np.concatenate([*whole, *(of_label(counts) for of_label in OF_LABEL.values())], axis=1)

    def _resting(self, label: str) -> Clusters | None:
        """The clusters that a number of one label rests on; None for those of all items."""
        if not label:
            return None
        column = self.labels.index(label)
        rows = self.gold[:, column] | self.answers[0][:, column] | self.answers[1][:, column]
        kept = [cluster for cluster, member in zip(self.clusters, rows, strict=True) if member]
        return Clusters.of(kept, n=len(kept))
