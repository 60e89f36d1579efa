"""Classification metrics as plain functions of arrays, weighted, and in the batched form that resampling needs.

Answers and golds are (n, K) bool matrices, one column a label: one-hot for single-label, any number of True for
multi-label. `weights` is (B, n), one row a resample, counting how often each item is drawn; None means one row of ones.
Results are (B,), or (B, K) for the metrics of each label.

What is undefined is NaN, never a silent 0 or 1: the precision of a label that was never given as an answer, the recall
of a label that no gold has, the F1 of a label with neither. The F1 of a label that has gold items or answers, but no
right ones, is 0. Averages over labels leave the undefined ones out, as `zero_division=numpy.nan` does in scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Counts:
    """Weighted numbers of items, (B, K) for each label: `hits` both answered and gold; `total` is (B, 1)."""

    hits: Floats
    answered: Floats
    gold: Floats
    total: Floats

    @classmethod
    def of(cls, predicted: Bools, gold: Bools, weights: Floats | None = None) -> Counts:
        """Count (n, K) answers against golds, once for each row of weights."""
        rows = unit_weights(len(gold), weights)
        return cls(
            hits=rows @ (predicted & gold).astype(np.float64),
            answered=rows @ predicted.astype(np.float64),
            gold=rows @ gold.astype(np.float64),
            total=rows.sum(axis=1, keepdims=True),
        )

    def summed(self) -> Counts:
        """All labels pooled into one column, for micro averages."""
        hits, answered, gold = (column.sum(axis=1, keepdims=True) for column in (self.hits, self.answered, self.gold))
        return Counts(hits=hits, answered=answered, gold=gold, total=self.total)

    def precision(self) -> Floats:
        """(B, K): right answers among the answers of this label."""
        return ratio(self.hits, self.answered)

    def recall(self) -> Floats:
        """(B, K): right answers among the items whose gold has this label."""
        return ratio(self.hits, self.gold)

    def f1(self) -> Floats:
        """(B, K): harmonic mean of precision and recall, 2 hits / (answered + gold)."""
        return ratio(2 * self.hits, self.answered + self.gold)

    def mcc(self) -> Floats:
        """(B,): R_K of Gorodkin (2004), Computational Biology and Chemistry 28:367; see `mcc`."""
        right, total = self.hits.sum(axis=1), self.total[:, 0]
        covariance = right * total - (self.answered * self.gold).sum(axis=1)
        variances = [total**2 - np.square(column).sum(axis=1) for column in (self.answered, self.gold)]
        return ratio(covariance, np.sqrt(np.maximum(variances[0], 0) * np.maximum(variances[1], 0)))


def accuracy(predicted: Bools, gold: Bools, weights: Floats | None = None) -> Floats:
    """(B,): share of items answered right; for label sets the whole set must match (exact match, subset accuracy)."""
    return average((predicted == gold).all(axis=1), weights)


def hamming_loss(predicted: Bools, gold: Bools, weights: Floats | None = None) -> Floats:
    """(B,): share of the n x K decisions (item has label or not) that are wrong."""
    return average((predicted != gold).mean(axis=1), weights)


def balanced_accuracy(predicted: Bools, gold: Bools, weights: Floats | None = None) -> Floats:
    """(B,): mean recall of the labels that occur in the gold (Brodersen et al. 2010, ICPR)."""
    return over_labels(Counts.of(predicted, gold, weights).recall())


def macro_precision(predicted: Bools, gold: Bools, weights: Floats | None = None) -> Floats:
    """(B,): mean precision of the labels that were given as answers."""
    return over_labels(Counts.of(predicted, gold, weights).precision())


def macro_f1(predicted: Bools, gold: Bools, weights: Floats | None = None) -> Floats:
    """(B,): mean F1 of the labels that occur in gold or answers; not the F1 of mean precision and mean recall."""
    return over_labels(Counts.of(predicted, gold, weights).f1())


def micro_precision(predicted: Bools, gold: Bools, weights: Floats | None = None) -> Floats:
    """(B,): precision of all (item, label) decisions pooled; accuracy where every item has one label."""
    return Counts.of(predicted, gold, weights).summed().precision()[:, 0]


def micro_recall(predicted: Bools, gold: Bools, weights: Floats | None = None) -> Floats:
    """(B,): recall of all (item, label) decisions pooled."""
    return Counts.of(predicted, gold, weights).summed().recall()[:, 0]


def micro_f1(predicted: Bools, gold: Bools, weights: Floats | None = None) -> Floats:
    """(B,): F1 of all (item, label) decisions pooled."""
    return Counts.of(predicted, gold, weights).summed().f1()[:, 0]


def mcc(predicted: Bools, gold: Bools, weights: Floats | None = None) -> Floats:
    """(B,): Matthews correlation of single-label answers and golds, for any number of labels.

    Gorodkin (2004). Undefined (NaN, where scikit-learn says 0) when all answers or all golds are the same label.
    """
    return Counts.of(predicted, gold, weights).mcc()


def one_hot(indices: NDArray[np.integer], *, labels: int) -> Bools:
    """(n, labels) for (n,) label indices."""
    return np.asarray(np.asarray(indices)[:, None] == np.arange(labels))


def unit_weights(n: int, weights: Floats | None) -> Floats:
    """The weights, or one row of ones."""
    return np.ones((1, n)) if weights is None else np.asarray(weights, dtype=np.float64)


def average(values: NDArray[np.bool_] | Floats, weights: Floats | None) -> Floats:
    """(B,): weighted mean of (n,) values; NaN where all weights are 0."""
    rows = unit_weights(len(values), weights)
    return ratio(rows @ np.asarray(values, dtype=np.float64), rows.sum(axis=1))


def over_labels(values: Floats) -> Floats:
    """(B,): mean of the defined ones among (B, K) values; NaN where none is."""
    defined = np.isfinite(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=1), defined.sum(axis=1).astype(np.float64))


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Element by element; NaN where the denominator is 0."""
    undefined = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    return np.asarray(np.divide(numerator, denominator, out=undefined, where=denominator != 0))
