"""The AUCs of subgroups with their intervals, all from one bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.bias.identity_terms.auc import Separation, SubgroupAucs, final_score, power_mean
from probes.bias.identity_terms.subgroups import AUCS, GAPS, Sides, Subgroups, require
from probes.core.answers import Floats
from probes.core.records import Estimate, SkipReason, Tail
from probes.core.stats.clusters import Clusters
from probes.core.stats.derived import UnmeasurableError
from probes.core.stats.intervals import Bounds, no_spread
from probes.core.stats.resampling import Resamples

_OVERALL, _FINAL = -5, -1
"""Columns of what is resampled, counted from the end; the three power means stand between."""


@dataclass(frozen=True, kw_only=True)
class AucIntervals:
    """Each measure of `SubgroupAucs`, and what sums them up, as an estimate.

    Attributes:
        parts: the items and their subgroups.
        rng: for the resamples, which all measures share.
    """

    parts: Subgroups
    rng: np.random.Generator
    resamples: int = 2000

    def measure(self, measure: str, group: int) -> Estimate:
        """One of AUCS (0 to 1) or GAPS (-0.5 to 0.5) of one subgroup.

        Raises:
            UnmeasurableError: for fewer than FEW clusters on either side of the comparison.
        """
        limits = (0.0, 1.0) if measure in AUCS else (-0.5, 0.5)
        return self._estimate(self._column(measure, group), sides=self.parts.sides(measure, group), limits=limits)

    def overall(self) -> Estimate:
        """AUC of all items.

        Raises:
            UnmeasurableError: for fewer than FEW clusters on either side.
        """
        return self._estimate(_OVERALL, sides=(self.parts.harmful, ~self.parts.harmful))

    def mean(self, measure: str) -> Estimate:
        """Power mean of one of AUCS over the subgroups with enough items for all of them.

        Raises:
            UnmeasurableError: when there are fewer than two.
        """
        found = self._estimate(_OVERALL + 1 + AUCS.index(measure), sides=self.parts.of_ranked())
        return _at_least(found, self._one_unlike(measure))

    def final(self) -> Estimate:
        """Jigsaw's score of 2019 over the same subgroups.

        Raises:
            UnmeasurableError: when there are fewer than two.
        """
        found = self._estimate(_FINAL, sides=self.parts.of_ranked())
        overall, means = float(self._drawn.values[_OVERALL]), [self._one_unlike(measure) for measure in AUCS]

        def bounds(alpha: float) -> tuple[float, float]:
            low, high = np.sum([mean(alpha) for mean in means], axis=0)
            return 0.25 * (overall + float(low)), 0.25 * (overall + float(high))

        return _at_least(found, bounds)

    @cached_property
    def _drawn(self) -> Resamples:
        parts = self.parts
        separation = Separation(parts.scores, parts.harmful, parts.members)
        return Resamples.of(
            lambda weights: self._columns(separation.compare(weights)),
            n=len(parts.scores),
            rng=self.rng,
            clusters=parts.clusters,
            resamples=self.resamples,
        )

    def _columns(self, found: SubgroupAucs) -> Floats:
        """(B, 5 k + 5): each measure of each subgroup, then overall AUC, three power means, final score."""
        measures = [getattr(found, name) for name in (*AUCS, *GAPS)]
        means = np.full((len(found.overall), len(AUCS)), np.nan)
        if self.parts.ranked:
            means = np.stack([power_mean(each[:, self.parts.ranked]) for each in measures[: len(AUCS)]], axis=1)
        last = (found.overall[:, None], means, final_score(found.overall, means)[:, None])
        return np.concatenate([*measures, *last], axis=1)

    def _column(self, measure: str, group: int) -> int:
        subgroups: int = self.parts.members.shape[1]
        return (*AUCS, *GAPS).index(measure) * subgroups + group

    def _estimate(self, column: int, *, sides: Sides, limits: tuple[float, float] = (0.0, 1.0)) -> Estimate:
        """Never surer than the scarcer side allows: a kind of text it does not hold cannot be resampled."""
        fewest, both = self.parts.scarcer(sides), sides[0] | sides[1]
        require(fewest)
        try:
            found = self._drawn.estimate(column, limits=limits, groups=Clusters(self.parts.codes[both], fewest))
        except ValueError as error:
            raise UnmeasurableError(SkipReason.TOO_FEW, f"No interval can be given: {error}.") from error
        wide = _at_least(found, no_spread(found.value, clusters=fewest, limits=limits))
        return wide.model_copy(update={"clusters": self.parts.independent(both)})

    def _one_unlike(self, measure: str) -> Bounds:
        """The power mean if one of its groups, whichever matters most, were as its scarcer side alone would allow."""
        ranked = self.parts.ranked
        values = np.array([self._drawn.values[self._column(measure, group)] for group in ranked])
        counts = [self.parts.scarcer(self.parts.sides(measure, group)) for group in ranked]
        each = [no_spread(float(v), clusters=c, limits=(0.0, 1.0)) for v, c in zip(values, counts, strict=True)]

        def bounds(alpha: float) -> tuple[float, float]:
            moved = np.tile(values, (2, len(values), 1))
            for place, reach in enumerate(each):
                moved[:, place, place] = reach(alpha)
            means = power_mean(moved)
            return float(means.min()), float(means.max())

        return bounds


def _at_least(found: Estimate, bounds: Bounds) -> Estimate:
    """The estimate with bounds at least as wide as these."""
    low, high = bounds((1 - found.level) / 2)
    tails = []
    for tail in found.tails:
        below, above = bounds(tail.alpha)
        tails.append(Tail(alpha=tail.alpha, low=min(tail.low, below), high=max(tail.high, above)))
    return found.model_copy(update={"low": min(found.low, low), "high": max(found.high, high), "tails": tuple(tails)})
