"""How well a score tells positive items from negative ones within a subgroup of the items, and across its border.

The threshold-free measures of Borkan et al. (2019), arXiv:1903.04561, for one data set and for many weightings of it at
once. An AUC is the share of pairs of a positive and a negative item in which the positive one has the higher score; a
tie counts half. Pairs are counted, where `probes.core.stats.separation` follows the curve, because the border of a
subgroup parts them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

POWER = -5.0
"""Of the generalized mean over subgroups: the low ones count most (Jigsaw's competition of 2019)."""


@dataclass(frozen=True, kw_only=True)
class SubgroupAucs:
    """The measures for B weightings of the items and k subgroups; NaN where a side of a comparison has no weight.

    Attributes:
        overall: (B,) AUC of all items.
        subgroup: (B, k) AUC of the items in the subgroup.
        bpsn: (B, k) background positive, subgroup negative: low where harmless items of the subgroup score like harm.
        bnsp: (B, k) background negative, subgroup positive: low where harm in the subgroup scores like harmless items.
        positive_gap, negative_gap: (B, k) average equality gaps, -0.5 to 0.5: chance that a positive (negative) item of
            the subgroup scores higher than one of the background, minus one half.
    """

    overall: Floats
    subgroup: Floats
    bpsn: Floats
    bnsp: Floats
    positive_gap: Floats
    negative_gap: Floats


@dataclass(frozen=True, eq=False)
class _Places:
    """Where q queries stand among m sorted scores: above `left` of them, or `right` with those that are equal."""

    left: Ints
    right: Ints

    @classmethod
    def of(cls, queries: Floats, *, among: Floats) -> _Places:
        return cls(np.searchsorted(among, queries, side="left"), np.searchsorted(among, queries, side="right"))

    def below(self, running: Floats) -> Floats:
        """(B, q): how much weight stands below each query, from its (B, m + 1) running sums; equal scores count half
        (midranks)."""
        return (running[:, self.left] + running[:, self.right]) / 2


class Separation:
    """n scored items, sorted once, so that each weighting costs little more than its running sums.

    Pairs across the border of a subgroup are counted as pairs with all items minus pairs within the subgroup, so that
    the background, different for each subgroup, need not be summed again for each.
    """

    def __init__(self, scores: Floats, positive: Bools, members: Bools) -> None:
        """Sort.

        Args:
            scores: (n,).
            positive: (n,).
            members: (n, k) who is in which subgroup; the background of a subgroup is everything else.
        """
        order = np.argsort(scores, kind="stable")
        self._positives, self._negatives = order[positive[order]], order[~positive[order]]
        high, low = scores[self._positives], scores[self._negatives]
        self._negatives_at_positives, self._positives_at_negatives = (
            _Places.of(high, among=low),
            _Places.of(low, among=high),
        )
        self._positives_at_positives, self._negatives_at_negatives = (
            _Places.of(high, among=high),
            _Places.of(low, among=low),
        )
        self._high_members, self._low_members = members[self._positives], members[self._negatives]
        self._within = [
            (rows, others, _Places.of(high[rows], among=low[others]))
            for rows, others in (
                (np.flatnonzero(mine), np.flatnonzero(theirs))
                for mine, theirs in zip(self._high_members.T, self._low_members.T, strict=True)
            )
        ]

    def compare(self, weights: Floats) -> SubgroupAucs:
        """All measures for (B, n) weights."""
        positive, negative = weights[:, self._positives], weights[:, self._negatives]
        high_members, low_members = self._high_members.astype(np.float64), self._low_members.astype(np.float64)
        positives, negatives = positive.sum(axis=1), negative.sum(axis=1)
        mine, other = positive @ high_members, negative @ low_members
        beyond_mine, beyond_other = positives[:, None] - mine, negatives[:, None] - other
        high, low = _running(positive), _running(negative)
        won = positive * self._negatives_at_positives.below(low)
        lost = negative * (positives[:, None] - self._positives_at_negatives.below(high))
        higher = (positive * self._positives_at_positives.below(high)) @ high_members - mine**2 / 2
        lower = (negative * self._negatives_at_negatives.below(low)) @ low_members - other**2 / 2
        within = self._pairs_within(positive, negative)
        return SubgroupAucs(
            overall=_ratio(won.sum(axis=1), positives * negatives),
            subgroup=_ratio(within, mine * other),
            bpsn=_ratio(lost @ low_members - within, beyond_mine * other),
            bnsp=_ratio(won @ high_members - within, mine * beyond_other),
            positive_gap=_ratio(higher, mine * beyond_mine) - 0.5,
            negative_gap=_ratio(lower, other * beyond_other) - 0.5,
        )

    def _pairs_within(self, positive: Floats, negative: Floats) -> Floats:
        """(B, k): weight of the pairs that are won within each subgroup."""
        pairs = np.zeros((len(positive), len(self._within)))
        for group, (rows, others, places) in enumerate(self._within):
            pairs[:, group] = (positive[:, rows] * places.below(_running(negative[:, others]))).sum(axis=1)
        return pairs


def _running(weights: Floats) -> Floats:
    """(B, m + 1): sums of the first 0, 1 ... m of (B, m) weights."""
    sums = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


def power_mean(values: Floats, *, power: float = POWER) -> Floats:
    """Generalized mean over the last axis, which is not empty; 0 where one of the values is 0 (negative powers)."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.mean(values**power, axis=-1) ** (1 / power))


def final_score(overall: Floats, means: Floats) -> Floats:
    """Jigsaw's score of 2019: a quarter the overall AUC, a quarter each of the three power means (..., 3)."""
    return np.asarray(0.25 * overall + 0.25 * means.sum(axis=-1))


def _ratio(count: Floats, pairs: Floats) -> Floats:
    return np.asarray(np.divide(count, pairs, out=np.full(np.shape(count), np.nan), where=pairs > 0))
