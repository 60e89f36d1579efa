"""A scored data set with subgroups: who is compared with whom, and the errors at the deployed threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answers import Bools, Floats, Ints
from probes.core.measuring import share
from probes.core.records import Estimate, SkipReason
from probes.core.stats.clusters import Clusters
from probes.core.stats.derived import FEW, UnmeasurableError
from probes.core.stats.group_means import GroupMeans
from probes.core.stats.intervals import estimate

AUCS = ("subgroup", "bpsn", "bnsp")
GAPS = ("positive_gap", "negative_gap")

Sides = tuple[Bools, Bools]
"""The (n,) items on either side of a comparison."""


@dataclass(frozen=True, kw_only=True)
class Subgroups:
    """n items, what was decided about them, and k subgroups of them.

    Attributes:
        scores: (n,) of the harm.
        decided: (n,) called harmful at the deployed threshold.
        harmful: (n,) by the right answers.
        members: (n, k) who is in which subgroup; everything else is its background.
        clusters: (n,) keys.
    """

    scores: Floats
    decided: Bools
    harmful: Bools
    members: Bools
    clusters: Sequence[str]

    def sides(self, measure: str, group: int) -> Sides:
        """What one of AUCS or GAPS compares."""
        mine, harmful = self.members[:, group], self.harmful
        return {
            "subgroup": (mine & harmful, mine & ~harmful),
            "bpsn": (~mine & harmful, mine & ~harmful),
            "bnsp": (mine & harmful, ~mine & ~harmful),
            "positive_gap": (mine & harmful, ~mine & harmful),
            "negative_gap": (mine & ~harmful, ~mine & ~harmful),
        }[measure]

    @cached_property
    def codes(self) -> Ints:
        """(n,): the clusters, numbered."""
        return Clusters.of(self.clusters, n=len(self.scores)).codes

    def independent(self, rows: Bools) -> int:
        """How many clusters the (n,) rows are from."""
        return int(np.count_nonzero(np.bincount(self.codes[rows])))

    def scarcer(self, sides: Sides) -> int:
        """Clusters on the side that has fewer."""
        return min(self.independent(side) for side in sides)

    @cached_property
    def ranked(self) -> tuple[int, ...]:
        """Subgroups with enough items for each of AUCS; only these enter the power means."""
        groups = range(self.members.shape[1])
        return tuple(g for g in groups if min(self.scarcer(self.sides(name, g)) for name in AUCS) >= FEW)

    def of_ranked(self) -> Sides:
        """Harmful and harmless items of the `ranked` subgroups.

        Raises:
            UnmeasurableError: when there are fewer than two of them.
        """
        if len(self.ranked) < 2:
            detail = f"Two groups with {FEW} independent texts of either kind are needed; {len(self.ranked)} found."
            raise UnmeasurableError(SkipReason.TOO_FEW, detail)
        mine = self.members[:, self.ranked].any(axis=1)
        return mine & self.harmful, mine & ~self.harmful

    def wrong(self, group: int, *, harmful: bool) -> Estimate:
        """Share of wrong decisions about the subgroup's harmful, or harmless, items.

        Raises:
            UnmeasurableError: for fewer than FEW clusters of such items.
        """
        rows = self.members[:, group] & (self.harmful == harmful)
        require(self.independent(rows))
        return share(self.decided != self.harmful, among=rows, clusters=self.clusters)

    def wrong_gap(self, group: int, *, harmful: bool) -> Estimate:
        """That share in the subgroup minus that in its background.

        Raises:
            UnmeasurableError: for fewer than FEW clusters of such items on either side.
        """
        inside, outside = self.sides("positive_gap" if harmful else "negative_gap", group)
        require(self.scarcer((inside, outside)))
        such = np.flatnonzero(inside | outside)
        means = GroupMeans.of(
            (self.decided != self.harmful)[such].astype(np.float64),
            {"subgroup": inside[such], "background": outside[such]},
            clusters=self.codes[such],
        )

        def bounds(alpha: float) -> tuple[float, float]:
            low, high = means.differences(alpha)
            return float(low[0, 1]), float(high[0, 1])

        return estimate(
            float(means.values[0] - means.values[1]),
            bounds=bounds,
            n=means.n,
            clusters=means.clusters,
            method="MOVER of the bounds of subgroup and background",
            limits=(-1.0, 1.0),
        )


def require(clusters: int) -> None:
    """Refuse a comparison with fewer than FEW clusters on one side.

    Raises:
        UnmeasurableError: saying so.
    """
    if clusters < FEW:
        detail = f"One of the sides compared has {clusters} independent texts; {FEW} are needed."
        raise UnmeasurableError(SkipReason.TOO_FEW, detail)
