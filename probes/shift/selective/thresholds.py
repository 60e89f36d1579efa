"""The confidence from which on answers are given, chosen so that not too many of them are wrong."""

from __future__ import annotations

import numpy as np

from probes.core.answers import Bools, Floats
from probes.core.confidence import coverage_and_risk
from probes.core.metrics import average

_ROUNDING = 1e-12
"""By how much a mean loss may exceed the one allowed and count as equal to it."""


def thresholds(confidence: Floats, losses: Floats, *, risk: Floats, weights: Floats | None = None) -> Floats:
    """(B,): the lowest confidence whose answers, with all surer ones, have a mean loss of at most `risk`.

    Infinite where even the surest answers lose more, so that none is given. The empirical choice of Geifman and
    El-Yaniv (2017), NeurIPS, without their bound: what it keeps elsewhere has to be measured on other items.

    Args:
        confidence: (n,).
        losses: (n,) 1 for a wrong and 0 for a right answer, or any other loss.
        risk: (B,) or (1,).
        weights: (B, n); None for one row of ones.
    """
    coverage, found = coverage_and_risk(confidence, losses, weights)
    drawn = np.diff(coverage, axis=1, prepend=0.0) > 0  # what a resample does not hold sets no threshold
    allowed = drawn & (found <= risk[:, None] + _ROUNDING)
    surest_first = np.unique(confidence)[::-1]
    last = len(surest_first) - 1 - np.argmax(allowed[:, ::-1], axis=1)
    return np.asarray(np.where(allowed.any(axis=1), surest_first[last], np.inf))


def own_threshold(confidence: Floats, losses: Floats, weights: Floats, *, share: float) -> Floats:
    """(B,): the threshold that allows `share` of the mean loss of the same items; see `thresholds`."""
    return thresholds(confidence, losses, risk=share * average(losses, weights), weights=weights)


def needed_threshold(confidence: Floats, losses: Floats, weights: Floats, *, home: Bools) -> Floats:
    """(B,): the threshold at which the items not at `home` (n,) have at most the mean loss that those at home have."""
    other = ~home
    risk = average(losses[home], weights[:, home])
    return thresholds(confidence[other], losses[other], risk=risk, weights=weights[:, other])
