"""How well a score tells positive items from negative ones, for many weightings of the items at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


AREA, PRECISION = range(2)
"""Columns of `RocCurve.measures`."""

_CACHED = 200_000
"""Weights worked on at a time, so that intermediate arrays stay in the processor's cache."""


class RocCurve:
    """The receiver operating characteristic of n scored items, sorted once, higher scores speaking for positive ones.

    Equal scores stand and fall together: a threshold lies between two runs of them. NaN is no score. Definitions and
    the handling of ties are those of scikit-learn.
    """

    def __init__(self, scores: Floats, positive: Bools) -> None:
        """Sort (n,) scores of (n,) items."""
        scored = np.flatnonzero(np.isfinite(scores))
        self._order: Ints = scored[np.argsort(-scores[scored], kind="stable")]
        self._starts: Ints = np.flatnonzero(np.diff(-scores[self._order], prepend=-np.inf))
        self._positive = positive[self._order]
        self._prevalence = float(positive.mean())

    def measures(self, weights: Floats) -> Floats:
        """(B, 2) for (B, n) weights: area under the curve and average precision; NaN where a side has no weight.

        Area: share of the pairs of a positive and a negative item in which the positive scores higher; a tie counts
        half. Average precision: without interpolation, at the prevalence of all n items whatever the weights.
        """
        return self._in_steps(self._measures, weights)

    def area(self, weights: Floats) -> Floats:
        """(B,): the area under the curve alone."""
        return self.measures(weights)[:, AREA]

    def true_positive_rate(self, false_positive_rate: float) -> Callable[[Floats], Floats]:
        """(B, n) weights -> (B,): the largest true positive rate of a threshold with at most this false positive
        rate."""

        def rate(weights: Floats) -> Floats:
            caught, flagged = self._shares(weights)
            true, false = np.cumsum(caught, axis=1), np.cumsum(flagged, axis=1)
            allowed = np.where(false <= false_positive_rate + 1e-12, true, 0.0).max(axis=1)
            return np.where(np.isnan(true[:, -1] + false[:, -1]), np.nan, np.minimum(allowed, 1.0))

        return lambda weights: self._in_steps(rate, weights)

    def _in_steps(self, measure: Callable[[Floats], Floats], weights: Floats) -> Floats:
        step = max(1, _CACHED // max(1, len(self._order)))
        return np.concatenate([measure(weights[at : at + step]) for at in range(0, len(weights), step)])

    def _measures(self, weights: Floats) -> Floats:
        caught, flagged = self._shares(weights)
        true, false = np.cumsum(caught, axis=1), np.cumsum(flagged, axis=1)
        area = (flagged * (true - caught / 2)).sum(axis=1)
        hits, alarms = self._prevalence * true, (1 - self._prevalence) * false
        precision = np.divide(hits, hits + alarms, out=np.zeros_like(hits), where=hits + alarms > 0)
        found = np.column_stack([area, (caught * precision).sum(axis=1)])
        found[np.isnan(area)] = np.nan
        return np.asarray(np.clip(found, 0.0, 1.0))

    def _shares(self, weights: Floats) -> tuple[Floats, Floats]:
        """(B, distinct scores) each: what share of the positive and of the negative items has each score."""
        drawn = weights[:, self._order]
        return self._share(drawn * self._positive), self._share(drawn * ~self._positive)

    def _share(self, drawn: Floats) -> Floats:
        sums = np.add.reduceat(drawn, self._starts, axis=1)
        total = sums.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0))
