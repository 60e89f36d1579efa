"""How well a score tells positive items from negative ones, for many weightings of the items at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class RocCurve:
    """The receiver operating characteristic of n scored items, higher scores speaking for positive ones.

    Attributes:
        order: (n,) the items, highest score first.
        ends: (k,) where in that order each run of equal scores ends: a threshold lies between two runs.
        positive: (n,) in that order.
    """

    order: Ints
    ends: Ints
    positive: Bools

    @classmethod
    def of(cls, scores: Floats, positive: Bools) -> RocCurve:
        """Sort (n,) scores once."""
        order = np.argsort(-scores, kind="stable")
        ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
        return cls(order=order, ends=ends.astype(np.int64), positive=np.asarray(positive, dtype=bool)[order])

    def rates(self, weights: Floats) -> tuple[Floats, Floats]:
        """(B, k + 1) true and false positive rates of each threshold, the strictest first, for (B, n) weights; NaN
        where a side has no weight."""
        ordered = weights[:, self.order]
        return self._share(np.where(self.positive, ordered, 0.0)), self._share(np.where(self.positive, 0.0, ordered))

    def _share(self, weights: Floats) -> Floats:
        sums = np.cumsum(weights, axis=1)[:, self.ends]
        total = sums[:, -1:]
        shares = np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0)
        return np.concatenate([np.zeros_like(total), shares], axis=1)

    def area(self, weights: Floats) -> Floats:
        """(B,): chance that a positive item has the higher score of the two, ties counting half."""
        true, false = self.rates(weights)
        return np.asarray(((true[:, 1:] + true[:, :-1]) / 2 * np.diff(false, axis=1)).sum(axis=1))

    def true_positive_rate(self, false_positive_rate: float) -> Callable[[Floats], Floats]:
        """(B, n) weights -> (B,): the largest true positive rate of a threshold with at most this false positive
        rate."""

        def rate(weights: Floats) -> Floats:
            true, false = self.rates(weights)
            allowed = np.where(false <= false_positive_rate + 1e-12, true, 0.0)
            return np.where(np.isnan(true[:, -1] + false[:, -1]), np.nan, np.asarray(allowed.max(axis=1)))

        return rate
