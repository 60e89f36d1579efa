"""A part of the items against all other items: the gap in quality, the largest of many gaps, and a trend in time.

Quality is one number for each item, higher is better: 1 for a right answer and 0 for a wrong one, or minus the absolute
error of a score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress

import numpy as np

from probes.core import stats
from probes.core.answers import Bools, Floats
from probes.core.records import Estimate
from probes.core.stats.clusters import FEW, Clusters
from probes.core.stats.derived import resampled
from probes.core.stats.group_means import GroupMeans, largest_gap
from probes.core.stats.intervals import UNLIMITED

RESAMPLES = 2000


@dataclass(frozen=True, kw_only=True)
class Quality:
    """One number for each of n items.

    Attributes:
        values: (n,), higher is better.
        clusters: (n,) keys; items with equal ones are not independent.
        binary: values are 1 for right and 0 for wrong, so that means are rates.
        limits: the smallest and the largest value an item can have.
    """

    values: Floats
    clusters: Sequence[str]
    binary: bool = True
    limits: tuple[float, float] = (0.0, 1.0)

    @property
    def negated(self) -> Quality:
        """Lower is better: the error of which quality is the negative."""
        low, high = self.limits
        return Quality(values=-self.values, clusters=self.clusters, binary=False, limits=(-high, -low))

    def where(self, members: Bools) -> Quality:
        """The items (n,) where `members`."""
        return replace(self, values=self.values[members], clusters=list(compress(self.clusters, members)))

    @cached_property
    def groups(self) -> Clusters:
        """The clusters, numbered."""
        return Clusters.of(self.clusters, n=len(self.values))

    def independent(self, members: Bools) -> int:
        """How many independent items there are among these (n,)."""
        return len(np.unique(self.groups.codes[members]))

    def enough(self, members: Bools) -> bool:
        """Are there as many independent items as a comparison needs, among these and among all others."""
        return min(self.independent(members), self.independent(~members)) >= FEW


def mean_of(quality: Quality, members: Bools) -> Estimate:
    """Mean quality of the items (n,) where `members`."""
    keys = list(compress(quality.clusters, members))
    if quality.binary:
        return stats.rate(quality.values[members] == 1.0, clusters=keys)
    return stats.mean(quality.values[members], clusters=keys, limits=quality.limits)


def lost(quality: Quality, members: Bools) -> Estimate:
    """Mean quality of all other items minus that of the items (n,) where `members`; unpaired."""
    if quality.binary:
        return stats.rate_difference(quality.values == 1.0, ~members, clusters=quality.clusters)
    return most_lost(quality, [members])


def most_lost(quality: Quality, parts: Sequence[Bools]) -> Estimate:
    """The largest of the k losses of parts (n,), which may overlap (`largest_gap`).

    Raises:
        ValueError: for no parts.
    """
    if not parts:
        raise ValueError("the largest of no losses is undefined")
    reach = quality.limits[1] - quality.limits[0]
    kind = "exact bounds" if quality.binary else "t intervals"
    return largest_gap([_both(quality, members) for members in parts], method=kind, limits=(-reach, reach))


def trend(quality: Quality, at: Floats, rng: np.random.Generator) -> Estimate:
    """Change of quality from the first to the last moment along the straight line of least squares.

    Args:
        at: (n,) from 0, the first moment, to 1, the last one; no NaN.

    Raises:
        UnmeasurableError: for fewer than ten independent items, or where quality is the same everywhere.
    """

    def slope(weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        mean_at, mean_value = weights @ at / total, weights @ quality.values / total
        joint = weights @ (at * quality.values) / total - mean_at * mean_value
        spread = weights @ at**2 / total - mean_at**2
        slopes = np.divide(joint, spread, out=np.full_like(joint, np.nan), where=spread > 1e-12)
        return np.asarray(slopes, dtype=np.float64)

    return resampled(slope, clusters=quality.clusters, rng=rng, resamples=RESAMPLES, limits=UNLIMITED)


def _both(quality: Quality, members: Bools) -> GroupMeans:
    """The means of all other items and of the part, in this order."""
    groups = {"rest": ~members, "part": members}
    return GroupMeans.of(quality.values, groups, clusters=quality.groups.codes, limits=quality.limits)
