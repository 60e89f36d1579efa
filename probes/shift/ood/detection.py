"""How well scores tell texts of another kind, the positive class, from in-domain ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np

from probes.core.answers import Bools, Floats
from probes.core.records import Estimate, SkipReason
from probes.core.stats.clusters import FEW, Clusters
from probes.core.stats.derived import UnmeasurableError
from probes.core.stats.intervals import estimate, no_spread
from probes.core.stats.resampling import Resamples
from probes.core.stats.separation import AREA, PRECISION, RocCurve
from probes.shift.ood.false_alarms import false_alarms

AUROC, AUPR = AREA, PRECISION


@dataclass(frozen=True, kw_only=True)
class Detection:
    """k scores of the in-domain items and those of one other domain, n together, all resampled together.

    Attributes:
        scores: (n, k); NaN where an item is not scored.
        shifted: (n,) which items are of the other domain.
        clusters: (n,).
        rng: for the resamples.
    """

    scores: Floats
    shifted: Bools
    clusters: Sequence[str]
    rng: np.random.Generator
    resamples: int

    def estimate(self, score: int, measure: int) -> Estimate:
        """AUROC or AUPR of the score in one column, with a cluster bootstrap interval.

        Never surer than the scarcer side allows: a kind of text it does not hold cannot be resampled.

        Raises:
            UnmeasurableError: where no interval can be given.
        """
        scored, fewest = self._scored(score)
        codes = self._groups.codes[scored]
        try:
            column = 2 * score + measure
            found = self._drawn.estimate(column, limits=(0.0, 1.0), groups=Clusters(codes, fewest))
        except ValueError as error:
            raise UnmeasurableError(SkipReason.TOO_FEW, f"No interval can be given: {error}.") from error
        unseen = no_spread(found.value, clusters=fewest, limits=(0.0, 1.0))

        def wider(alpha: float, low: float, high: float) -> tuple[float, float]:
            below, above = unseen(alpha)
            return min(low, below), max(high, above)

        return estimate(
            found.value,
            bounds=lambda alpha: wider(alpha, found.tail(alpha).low, found.tail(alpha).high),
            shown=lambda alpha: wider(alpha, found.low, found.high),
            n=found.n,
            clusters=len(np.unique(codes)),
            method=found.method,
            limits=(0.0, 1.0),
        )

    def false_alarms(self, score: int) -> Estimate:
        """FPR at 95 % TPR of the score in one column; see `false_alarms`.

        Raises:
            UnmeasurableError: where no interval can be given.
        """
        scored, _ = self._scored(score)
        keys = list(compress(self.clusters, scored))
        return false_alarms(self.scores[scored, score], self.shifted[scored], clusters=keys)

    def _scored(self, score: int) -> tuple[Bools, int]:
        """(n,) items with the score in one column, and how many independent ones of the scarcer side are among them."""
        scored = np.isfinite(self.scores[:, score])
        sides = (scored & self.shifted, scored & ~self.shifted)
        fewest = min(len(np.unique(self._groups.codes[side])) for side in sides)
        if fewest < FEW:
            detail = f"The score could be compared on {fewest} independent texts of one side, of the {FEW} needed."
            raise UnmeasurableError(SkipReason.TOO_FEW, detail)
        return scored, fewest

    @cached_property
    def _groups(self) -> Clusters:
        return Clusters.of(self.clusters, n=len(self.clusters))

    @cached_property
    def _drawn(self) -> Resamples:
        curves = [RocCurve(column, self.shifted) for column in self.scores.T]
        return Resamples.of(
            lambda weights: np.concatenate([each.measures(weights) for each in curves], axis=1),
            n=len(self.shifted),
            rng=self.rng,
            clusters=self.clusters,
            resamples=self.resamples,
        )
