"""How many in-domain texts are flagged when nearly all texts of another kind are to be caught."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import compress

import numpy as np
from scipy.stats import binom

from probes.core.answers import Bools, Floats
from probes.core.records import Estimate
from probes.core.stats.clusters import Clusters, effective_n
from probes.core.stats.intervals import estimate
from probes.core.stats.proportions import clopper_pearson

CAUGHT = 0.95
"""True positive rate at which false positives are counted."""


def false_alarms(scores: Floats, positive: Bools, *, clusters: Sequence[str]) -> Estimate:
    """Share of the negatives flagged by the highest threshold that flags at least CAUGHT of the positives.

    Two things are uncertain. Where the threshold lies: its bounds are order statistics of the positives, which hold for
    any distribution (David and Nagaraja 2003, Order Statistics, 7.1). And what share of the negatives is beyond it:
    exact bounds (Clopper and Pearson 1934, Biometrika 26:404). The distances to the bounds add in squares, as in MOVER
    (Zou and Donner 2008, Statistics in Medicine 27:1693). With fewer than 72 independent positives no lower bound of
    the threshold has an error of 2.5 %, so that the upper bound shown is 1.

    For normal scores of 40 to 1000 items of each kind, and true shares of 1 to 96 %, the interval of 95 % covers the
    truth in 97 to 100 % of 400 samples, and bounds of 5 % fail in at most 4 % (a BCa bootstrap: 92 to 99 %, and up to
    11 %).

    Args:
        scores: (n,) finite, larger for the (n,) positives if all is well; equal ones are flagged together.
        positive: (n,), some and not all.
        clusters: (n,) keys; those that repeat count by the effective sample size, in the positives and in the negatives
            each on their own.
    """
    caught, rest = np.sort(scores[positive]), scores[~positive]
    threshold = caught[math.floor((1 - CAUGHT) * len(caught) + 1e-9)]
    flagged = (rest >= threshold).astype(np.float64)
    value = float(flagged.mean())
    fewer = effective_n((scores[positive] < threshold).astype(np.float64), _clusters(clusters, positive))
    size = effective_n(flagged, _clusters(clusters, ~positive))

    def share_beyond(missed: float) -> float:
        """Of the negatives, with the threshold below which this share of the positives lies; below 0 is below all."""
        if not 0 <= missed < 1:
            return float(missed < 0)
        return float((rest >= caught[int(missed * len(caught) + 1e-9)]).mean())

    def bounds(alpha: float) -> tuple[float, float]:
        low, high = clopper_pearson(value, n=size(alpha), alpha=alpha)
        strict, lenient = (share_beyond(missed) for missed in _missed(math.floor(fewer(alpha)), alpha)[::-1])
        return value - math.hypot(value - low, value - strict), value + math.hypot(high - value, lenient - value)

    everything = Clusters.of(clusters, n=len(scores))
    return estimate(
        value,
        bounds=bounds,
        n=len(scores),
        clusters=everything.count,
        method="order statistics for the threshold and exact bounds for the share beyond it (MOVER)",
        limits=(0.0, 1.0),
    )


@lru_cache(maxsize=1 << 10)
def _missed(n: int, alpha: float) -> tuple[float, float]:
    """Shares of n positives below the least and the largest threshold that may be the true one.

    Each is wrong in at most alpha of all samples; below 0 or 1 where n are too few for that.
    """
    least, most = int(binom.ppf(alpha, n, 1 - CAUGHT)), int(binom.isf(alpha, n, 1 - CAUGHT))
    if binom.cdf(least, n, 1 - CAUGHT) > alpha:
        least -= 1
    return least / n, most / n


def _clusters(keys: Sequence[str], rows: Bools) -> Clusters:
    kept = list(compress(keys, rows))
    return Clusters.of(kept, n=len(kept))
