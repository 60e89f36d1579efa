"""How far several judges of the same items agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from probes.core.records import Estimate
from probes.core.stats.derived import resampled

Floats = NDArray[np.float64]


def alpha(answers: Floats, *, clusters: Sequence[str], rng: np.random.Generator, resamples: int = 2000) -> Estimate:
    """Krippendorff's alpha of yes-or-no answers: 1 for full agreement, 0 for that of judges who answer by chance.

    Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, with a cluster bootstrap over the items.

    Args:
        answers: (n, judges) 1 for yes, 0 for no, NaN where a judge gave none.
        clusters: (n,) keys; items with equal keys are not independent.
        rng: use a derived one, for reproducible bounds.
        resamples: number of bootstrap samples.

    Raises:
        UnmeasurableError: for too few items with two answers, or where all answers are alike.
    """
    pairable = np.count_nonzero(~np.isnan(answers), axis=1) >= 2
    answers, keys = answers[pairable], [key for key, kept in zip(clusters, pairable, strict=True) if kept]
    given = np.count_nonzero(~np.isnan(answers), axis=1).astype(np.float64)
    yes = np.nansum(answers, axis=1)
    apart = 2 * yes * (given - yes) / np.maximum(given - 1, 1)

    def statistic(weights: Floats) -> Floats:
        total, ones = weights @ given, weights @ yes
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(1 - (weights @ apart) * (total - 1) / (2 * ones * (total - ones)))

    return resampled(statistic, clusters=keys, rng=rng, resamples=resamples, limits=(-1.0, 1.0))
