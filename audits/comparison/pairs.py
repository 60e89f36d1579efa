"""The paired difference of a published number between two runs, from the outcomes of the same items.

A number is paired only where the outcomes on disk give it back exactly, in both runs: the value and the number of items
are compared with what the probe published, so that no difference is ever taken of something else than what is shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from audits.comparison.baseline import Row, Rows, setting
from probes.core import metrics, stats
from probes.core.records import Estimate, Measurement
from probes.core.rng import generator
from probes.core.stats.clusters import Clusters
from probes.core.stats.resampling import Resamples

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Column = Callable[[Row], float | None]
"""What one row counts; None for a row that does not."""

PLACES = 1e-9
"""How close a number that is computed again must come to the published one."""

NOT_KEPT = "this number is not kept item by item"
NO_PART = "the items of this part are not kept apart"
NOT_THE_SAME = "the items that were kept do not give this number"


@dataclass(frozen=True)
class Pairs:
    """The rows of one step in two runs, each row of the one beside the same row of the other."""

    before: Rows
    after: Rows

    @cached_property
    def keys(self) -> list[tuple[str, str]]:
        return sorted(self.after)

    @cached_property
    def settings(self) -> Mapping[str, Mapping[str, str] | None]:
        """Variant -> the setting of the test it stands for; None where it is none."""
        return {variant: setting(variant) for variant in {variant for _, variant in self.keys}}

    def difference(self, old: Measurement, new: Measurement) -> Estimate | str:
        """The new number less the old one, or why it cannot be given."""
        if new.name in _METRICS or (new.name in _OF_LABEL and set(new.slice) == {"label"}):
            return self._resampled(old, new)
        column, part = _column(new)
        if column is None:
            return NOT_KEPT
        members = self._members(part)
        if members is None:
            return NO_PART
        pairs = [
            (before, after, self.after[key].cluster)
            for key in members
            if (before := column(self.before[key])) is not None and (after := column(self.after[key])) is not None
        ]
        first, second = (np.array([pair[side] for pair in pairs], dtype=np.float64) for side in (0, 1))
        if not (_gives(first, old.estimate) and _gives(second, new.estimate)):
            return NOT_THE_SAME
        return _of_means(first, second, [pair[2] for pair in pairs])

    def _members(self, part: Mapping[str, str]) -> list[tuple[str, str]] | None:
        """The rows of a setting; None where the variants do not name it."""
        if not part:
            return self.keys
        found = [key for key in self.keys if part.items() <= (self.settings[key[1]] or {}).items()]
        return found or None

    def _resampled(self, old: Measurement, new: Measurement) -> Estimate | str:
        wanted = (new.name, new.slice.get("label", "")) if new.name in _OF_LABEL else (new.name, "")
        if new.slice and new.name in _METRICS:
            return NO_PART
        if self._labelled is None or wanted not in self._labelled.names:
            return NOT_KEPT
        return self._labelled.difference(wanted, old.estimate, new.estimate)

    @cached_property
    def _labelled(self) -> _Labelled | None:
        return _Labelled.of([(self.before[key], self.after[key]) for key in self.keys])


def _of_means(first: Floats, second: Floats, clusters: Sequence[str]) -> Estimate | str:
    marks = {0.0, 1.0}
    if set(first) <= marks and set(second) <= marks:
        return stats.paired_difference(first.astype(bool), second.astype(bool), clusters=clusters)
    try:
        return stats.mean(second - first, clusters=clusters)
    except ValueError as error:
        return str(error)


def _gives(values: Floats, published: Estimate) -> bool:
    return len(values) == published.n and math.isclose(float(values.mean()), published.value, abs_tol=PLACES)


def _column(found: Measurement) -> tuple[Column | None, Mapping[str, str]]:
    """What the rows count, and the setting of the test that is left of the part."""
    part = dict(found.slice)
    if found.name == "recall" and set(part) == {"label"}:
        return _answered(part["label"], among=part["label"]), {}
    if found.name == "confusion" and set(part) == {"gold", "predicted"}:
        return _answered(part["predicted"], among=part["gold"]), {}
    return _COLUMNS.get(found.name), part


def _answered(label: str, *, among: str) -> Column:
    return lambda row: float(row.answer == label) if row.gold == among else None


def _correct(row: Row) -> float | None:
    return None if row.correct is None else float(row.correct)


def _changed(row: Row) -> float | None:
    return None if row.changed is None else float(row.changed)


def _lost(row: Row) -> float | None:
    """Right at first and no longer: 1; the other way round: -1."""
    if row.correct is None or row.first is None or row.gold is None:
        return None
    return float(row.first == row.gold) - float(row.correct)


_COLUMNS: Mapping[str, Column] = {
    "accuracy": _correct,
    "exact_match": _correct,
    "worst_accuracy": _correct,
    "flip_rate": _changed,
    "any_flip_rate": _changed,
    "worst_flip_rate": _changed,
    "accuracy_drop": _lost,
    "worst_accuracy_drop": _lost,
    "mae": lambda row: row.error,
}
"""Name of a number that is a mean over rows -> what it is the mean of."""

_METRICS: Mapping[str, Callable[[metrics.Counts], Floats]] = {
    "balanced_accuracy": lambda counts: metrics.over_labels(counts.recall()),
    "balanced_accuracy_over_chance": lambda counts: (
        metrics.over_labels(counts.recall()) - 1 / np.maximum((counts.gold > 0).sum(axis=1), 1)
    ),
    "macro_f1": lambda counts: metrics.over_labels(counts.f1()),
    "mcc": metrics.Counts.mcc,
    "accuracy_over_majority": lambda counts: (counts.hits.sum(axis=1) - counts.gold.max(axis=1)) / counts.total[:, 0],
}
"""Name of a number of all items of a single-label model -> how it comes from counts, (B,)."""

_OF_LABEL: Mapping[str, Callable[[metrics.Counts], Floats]] = {
    "precision": metrics.Counts.precision,
    "f1": metrics.Counts.f1,
}
"""Likewise of each label, (B, K)."""


@dataclass(frozen=True, kw_only=True)
class _Labelled:
    """Answers of both runs to the same items with one right label each, and everything that counts give of them."""

    labels: tuple[str, ...]
    gold: Bools
    answers: tuple[Bools, Bools]
    clusters: tuple[str, ...]

    @classmethod
    def of(cls, rows: Sequence[tuple[Row, Row]]) -> _Labelled | None:
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
        return [*((name, "") for name in _METRICS), *((name, label) for name in _OF_LABEL for label in self.labels)]

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
        whole = [metric(counts)[:, None] for metric in _METRICS.values()]
        return np.concatenate([*whole, *(of_label(counts) for of_label in _OF_LABEL.values())], axis=1)

    def _resting(self, label: str) -> Clusters | None:
        """The clusters that a number of one label rests on; None for those of all items."""
        if not label:
            return None
        column = self.labels.index(label)
        rows = self.gold[:, column] | self.answers[0][:, column] | self.answers[1][:, column]
        kept = [cluster for cluster, member in zip(self.clusters, rows, strict=True) if member]
        return Clusters.of(kept, n=len(kept))
