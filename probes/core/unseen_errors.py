"""What a metric of labels would be if there were errors that the items at hand do not show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from probes.core.metrics import Bools, Floats

BatchedMetric = Callable[[Bools, Bools, Floats | None], Floats]
"""(n, K) answers, (n, K) golds and (B, n) weights -> (B,) values."""


def with_unseen(metric: BatchedMetric, predicted: Bools, gold: Bools, rate: float) -> float:
    """A metric of flawless (or wholly wrong) answers if a share `rate` of them were wrong (or right).

    The unseen ones fall where they weigh most in an average over labels: on the rarest labels first.
    """
    flawless = bool((predicted == gold).all())
    rarity = np.argsort(np.argsort(gold.sum(axis=0), kind="stable"), kind="stable")
    own = np.where(gold, rarity, len(rarity)).min(axis=1)
    fractions = _rarest_first(own, budget=rate * len(own))
    other = _one_error(gold, rarity=rarity) if flawless else gold
    weights = np.concatenate([1 - fractions, fractions])[None, :]
    return float(metric(np.concatenate([predicted, other]), np.concatenate([gold, gold]), weights)[0])


def _rarest_first(own: NDArray[np.int64], *, budget: float) -> Floats:
    """(n,): what fraction of each item is wrong, when `budget` items are, in the order of `own`."""
    fractions = np.zeros(len(own))
    for rank in np.unique(own):
        members = own == rank
        fractions[members] = min(1.0, budget / members.sum())
        budget = max(0.0, budget - float(members.sum()))
    return fractions


def _one_error(gold: Bools, *, rarity: NDArray[np.int64]) -> Bools:
    """(n, K): the golds with each item's rarest label missed, and, where it was the only one, another one answered."""
    wrong = gold.copy()
    ranked = np.argsort(rarity)
    for row, labels in enumerate(gold):
        missed = int(np.argmin(np.where(labels, rarity, len(rarity)))) if labels.any() else None
        if missed is not None:
            wrong[row, missed] = False
        other = int(ranked[-1] if missed != ranked[-1] else ranked[max(len(ranked) - 2, 0)])
        if not wrong[row].any() and other != missed:
            wrong[row, other] = True
    return wrong
