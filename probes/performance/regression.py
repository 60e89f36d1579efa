"""Regression metrics as plain functions of arrays, weighted and batched like those in `metrics`.

Predictions and golds are (n,) numbers; `weights` is (B, n) or None; results are (B,). A correlation with a constant is
undefined and NaN.
"""

from __future__ import annotations

import numpy as np

from probes.core.metrics import Floats, average, ratio, unit_weights


def mae(predicted: Floats, gold: Floats, weights: Floats | None = None) -> Floats:
    """(B,): mean absolute error, in the units of the gold."""
    return average(np.abs(predicted - gold), weights)


def rmse(predicted: Floats, gold: Floats, weights: Floats | None = None) -> Floats:
    """(B,): root of the mean squared error, in the units of the gold."""
    return np.sqrt(average(np.square(predicted - gold), weights))


def rmse_of_mean(gold: Floats, weights: Floats | None = None) -> Floats:
    """(B,): the RMSE of always answering the mean gold, which is the golds' standard deviation."""
    centred = gold - gold.mean()  # or the difference of squares would lose the digits of a small spread
    return np.sqrt(np.maximum(average(np.square(centred), weights) - average(centred, weights) ** 2, 0.0))


def pearson(predicted: Floats, gold: Floats, weights: Floats | None = None) -> Floats:
    """(B,): linear correlation."""
    rows = unit_weights(len(gold), weights)
    return _correlation(np.broadcast_to(predicted, rows.shape), np.broadcast_to(gold, rows.shape), rows)


def spearman(predicted: Floats, gold: Floats, weights: Floats | None = None) -> Floats:
    """(B,): correlation of the mid-ranks, which are taken anew within each row of weights."""
    rows = unit_weights(len(gold), weights)
    return _correlation(midranks(predicted, rows), midranks(gold, rows), rows)


def midranks(values: Floats, weights: Floats) -> Floats:
    """(B, n): rank of each of (n,) values when item i occurs weights[b, i] times; ties share their mean rank."""
    _, tie = np.unique(values, return_inverse=True)
    order = np.argsort(tie, kind="stable")
    starts = np.flatnonzero(np.diff(tie[order], prepend=-1))
    block = np.add.reduceat(weights[:, order], starts, axis=1)
    return np.asarray((np.cumsum(block, axis=1) - block + (block + 1) / 2)[:, tie])


def _correlation(first: Floats, second: Floats, weights: Floats) -> Floats:
    total = weights.sum(axis=1, keepdims=True)
    x = first - (weights * first).sum(axis=1, keepdims=True) / total
    y = second - (weights * second).sum(axis=1, keepdims=True) / total
    spread = (weights * x * x).sum(axis=1) * (weights * y * y).sum(axis=1)
    # A constant leaves rounding errors of its mean behind, whose correlation means nothing.
    scale = (weights * first * first).sum(axis=1) * (weights * second * second).sum(axis=1)
    return ratio((weights * x * y).sum(axis=1), np.sqrt(np.where(spread > 1e-24 * scale, spread, 0.0)))
