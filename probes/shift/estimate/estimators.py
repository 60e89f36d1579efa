"""Ways to estimate the mean quality of answers without right answers, for many resamples at once.

Each takes what is known of n in-domain items and of m items of another domain, and gives an `Estimator`. Quality is a
number from 0 to 1 for each item, higher is better: 1 for a right answer and 0 for a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from probes.core.answers import Floats, Ints
from probes.core.metrics import ratio
from probes.shift.estimate import temperature

Estimator = Callable[[Floats, Floats], Floats]
"""(B, n) weights of the in-domain items, (B, m) weights of the others -> (B,) mean quality of the others."""


def thresholded(scores: Floats, quality: Floats, others: Floats) -> Estimator:
    """Average thresholded confidence: Garg et al. (2022), ICLR, equations 1 and 2.

    The threshold leaves as large a share of the in-domain items below as is wrong there; estimated is the share of the
    other items that are not below. Of items whose score equals the threshold in both, as large a part counts as below
    in one as in the other, which makes the estimate for the in-domain items themselves exact.

    Args:
        scores: (n,) of the in-domain items, higher for surer answers.
        quality: (n,) of the same.
        others: (m,) scores.
    """
    _, code = np.unique(np.concatenate([scores, others]), return_inverse=True)
    distinct = int(code.max()) + 1

    def estimate(home: Floats, other: Floats) -> Floats:
        rows = np.arange(len(home))
        mine = _by_code(home, code[: len(scores)], distinct)
        theirs = _by_code(other, code[len(scores) :], distinct)
        wrong = home @ (1 - quality)
        reached = np.cumsum(mine, axis=1)
        beyond = reached > wrong[:, None] + 1e-9
        at = np.where(beyond.any(axis=1), beyond.argmax(axis=1), distinct - 1)
        below = reached[rows, at] - mine[rows, at]
        part = np.where(beyond.any(axis=1), ratio(wrong - below, mine[rows, at]), 1.0)
        lost = np.cumsum(theirs, axis=1)[rows, at] - (1 - np.clip(part, 0.0, 1.0)) * theirs[rows, at]
        return np.asarray(np.where(mine.any(axis=1), 1 - ratio(lost, theirs.sum(axis=1)), np.nan))

    return estimate


def difference(confidence: Floats, quality: Floats, others: Floats) -> Estimator:
    """Difference of confidences: Guillory et al. (2021), ICCV, with slope one as in Garg et al. (2022).

    In-domain mean quality, plus by how much the mean confidence is higher elsewhere; cut to 0 and 1.

    Args:
        confidence, quality: (n,) of the in-domain items.
        others: (m,) confidences.
    """

    def estimate(home: Floats, other: Floats) -> Floats:
        gap = ratio(home @ (quality - confidence), home.sum(axis=1))
        return np.clip(gap + ratio(other @ others, other.sum(axis=1)), 0.0, 1.0)

    return estimate


def calibrated(logits: Floats, gold: Ints, others: Floats) -> Estimator:
    """Mean confidence after temperature scaling on the in-domain items: Guo et al. (2017), ICML.

    Args:
        logits: (n, K) of the in-domain items.
        gold: (n,) column of the right label of each.
        others: (m, K) logits.
    """
    slopes, confidences = temperature.slopes(logits, gold), temperature.confidences(others)

    def estimate(home: Floats, other: Floats) -> Floats:
        place = temperature.fitted(home @ slopes)
        return ratio(temperature.at(other @ confidences, place), other.sum(axis=1))

    return estimate


def _by_code(weights: Floats, code: Ints, distinct: int) -> Floats:
    """(B, distinct): sums of the columns of (B, n) weights with each code."""
    order = np.argsort(code, kind="stable")
    present, first = np.unique(code[order], return_index=True)
    sums = np.zeros((len(weights), distinct))
    sums[:, present] = np.add.reduceat(weights[:, order], first, axis=1)
    return sums
