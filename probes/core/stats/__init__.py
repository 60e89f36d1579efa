"""Estimates with their uncertainty, and the arithmetic of deciding on them. Pure functions of arrays.

Every function that returns an `Estimate` gives one-sided bounds at each of `records.ALPHAS`, monotone in alpha and
always containing the value. Items with the same cluster key are not independent, and every interval says how many
clusters it rests on.
"""

from probes.core.stats.differences import rate_difference
from probes.core.stats.means import mean
from probes.core.stats.multiplicity import benjamini_hochberg, holm
from probes.core.stats.paired import mcnemar, paired_difference
from probes.core.stats.power import (
    POWER,
    detectable_effect,
    n_for_difference,
    n_for_paired,
    n_for_rate,
    n_for_ratio,
    needed_n,
    scaled_n,
)
from probes.core.stats.proportions import rare_rate, rate
from probes.core.stats.resampling import bootstrap
from probes.core.stats.simultaneous import worst_of

__all__ = [
    "POWER",
    "benjamini_hochberg",
    "bootstrap",
    "detectable_effect",
    "holm",
    "mcnemar",
    "mean",
    "n_for_difference",
    "n_for_paired",
    "n_for_rate",
    "n_for_ratio",
    "needed_n",
    "paired_difference",
    "rare_rate",
    "rate",
    "rate_difference",
    "scaled_n",
    "worst_of",
]
