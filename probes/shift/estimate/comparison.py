"""The estimates for one domain, their intervals, and their errors where the truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from probes.core.answers import Floats
from probes.core.counts import plural
from probes.core.metrics import ratio
from probes.core.records import Estimate, Skip, SkipReason
from probes.core.stats.clusters import FEW, Clusters
from probes.core.stats.derived import UnmeasurableError
from probes.core.stats.resampling import Resamples
from probes.shift.estimate.answered import Answered
from probes.shift.estimate.estimators import Estimator, calibrated, difference, thresholded
from probes.shift.estimate.reweighting import Reweighting
from probes.shift.estimate.slices import Slices

THRESHOLD = "average thresholded confidence"
ENTROPY = "average thresholded entropy"
DIFFERENCE = "difference of confidences"
CALIBRATED = "calibrated confidence"
REWEIGHTED = "reweighted in-domain items"


@dataclass(frozen=True)
class Comparison:
    """In-domain items whose right answers are known, and those of another domain.

    Attributes:
        home: (n,) all labelled.
        other: (m,) labelled or not.
        rng: for the resamples.
        penalty: of the reweighting.
    """

    home: Answered
    other: Answered
    rng: np.random.Generator = field(repr=False)
    resamples: int
    penalty: float

    @cached_property
    def slices(self) -> Slices:
        return Slices.of((self.home.texts, self.home.answers), (self.other.texts, self.other.answers))

    @cached_property
    def reweighting(self) -> Reweighting:
        return Reweighting.of(self.slices.home, self.slices.other, penalty=self.penalty)

    @cached_property
    def effective_n(self) -> float:
        """Independent in-domain items that the weighted ones are worth."""
        if not self.slices.home.shape[1]:
            return 0.0
        return self.reweighting.effective_n(Clusters.of(self.home.domain.clusters, n=len(self.home)))

    @cached_property
    def estimators(self) -> Mapping[str, Estimator]:
        """By name, those that can be used for this domain."""
        home, other = self.home, self.other
        found = {THRESHOLD: thresholded(home.answers.confidence, home.quality, other.answers.confidence)}
        if len(home.answers.labels) > 2:  # with two, entropy sorts texts as confidence does
            found[ENTROPY] = thresholded(home.entropy_score, home.quality, other.entropy_score)
        found[DIFFERENCE] = difference(home.answers.confidence, home.quality, other.answers.confidence)
        found[CALIBRATED] = calibrated(home.answers.logits, home.gold, other.answers.logits)
        if self.refused is None:
            found[REWEIGHTED] = self.reweighting.estimator(home.quality)
        return found

    @cached_property
    def refused(self) -> Skip | None:
        """Why in-domain items cannot be weighted to look like this domain; None when they can."""
        if not self.slices.home.shape[1]:
            why = "no simple property tells some in-domain texts from others"
        elif np.isnan(self.effective_n):
            why = "the fit of the weights has not ended"
        elif self.effective_n < FEW:
            why = (
                f"weighted to look like these texts, the in-domain items are worth {self.effective_n:.0f} of the {FEW} "
                "independent ones needed, because hardly any in-domain text is like these"
            )
        else:
            return None
        return Skip(
            reason=SkipReason.TOO_FEW,
            detail=f"In-domain items cannot stand for these: {why}.",
            enable="give more in-domain texts, and such as are more like these",
            name="estimated_accuracy",
            slice={**self.other.domain.slice, "estimate": REWEIGHTED},
        )

    @cached_property
    def truth_known(self) -> bool:
        """Right answers of at least two kinds are known for FEW independent items or more."""
        labelled = self.other.domain.labelled
        kinds = {example.gold for example in labelled.examples}
        return len(kinds) > 1 and len(set(labelled.clusters)) >= FEW

    @property
    def missing(self) -> str:
        """Why the truth is not known, in words; of no meaning where it is."""
        labelled = self.other.domain.labelled
        if not len(labelled):
            return "no item has a right answer"
        if len({example.gold for example in labelled.examples}) == 1:
            return "all items have the same right answer"
        return f"only {plural(len(set(labelled.clusters)), 'independent item')} with a right answer"

    @cached_property
    def _drawn(self) -> Resamples:
        keys = [*self.home.domain.clusters, *self.other.domain.clusters]
        return Resamples.of(self._statistics, n=len(keys), rng=self.rng, clusters=keys, resamples=self.resamples)

    def _statistics(self, weights: Floats) -> Floats:
        """(B, 1 + 3k): mean quality elsewhere, then of each estimator its estimate, error and the loss it tells of."""
        home, other = weights[:, : len(self.home)], weights[:, len(self.home) :]
        here, there = _mean(home, self.home.quality), _mean(other, self.other.quality)
        estimates = np.column_stack([estimator(home, other) for estimator in self.estimators.values()])
        return np.column_stack([there, estimates, estimates - there[:, None], here[:, None] - estimates])

    def value(self, name: str) -> float:
        """The estimate alone, 0 to 1."""
        return float(self._drawn.values[1 + list(self.estimators).index(name)])

    @property
    def truth(self) -> float:
        """Mean quality of the other domain's items whose right answer is known; NaN where none is."""
        return float(self._drawn.values[0])

    def error(self, name: str) -> float:
        """The estimate minus the truth, without an interval."""
        return self.value(name) - self.truth

    def estimate(self, name: str) -> Estimate:
        """Mean quality of the other domain as estimated.

        Raises:
            UnmeasurableError: where no interval can be given.
        """
        return self._interval(0, name, limits=(0.0, 1.0))

    def estimation_error(self, name: str) -> Estimate:
        """The estimate minus the mean quality of the items whose right answer is known.

        Raises:
            UnmeasurableError: where no interval can be given.
        """
        return self._interval(1, name, limits=(-1.0, 1.0))

    def loss(self, name: str) -> Estimate:
        """In-domain mean quality minus the estimate.

        Raises:
            UnmeasurableError: where no interval can be given.
        """
        return self._interval(2, name, limits=(-1.0, 1.0))

    def _interval(self, kind: int, name: str, *, limits: tuple[float, float]) -> Estimate:
        column = 1 + kind * len(self.estimators) + list(self.estimators).index(name)
        smaller = min((self.home, self.other), key=lambda side: len(set(side.domain.clusters)))
        few = Clusters.of(smaller.domain.clusters, n=len(smaller))
        try:
            found = self._drawn.estimate(column, limits=limits, groups=few)
        except ValueError as error:
            raise UnmeasurableError(SkipReason.TOO_FEW, f"No interval can be given: {error}.") from error
        both = self._drawn.groups
        return found.model_copy(update={"n": len(both.codes), "clusters": both.count})


def _mean(weights: Floats, quality: Floats) -> Floats:
    """(B,): weighted mean of the quality that is known; NaN where none is."""
    known = np.isfinite(quality)
    return ratio(weights @ np.where(known, quality, 0.0), weights @ known.astype(np.float64))
