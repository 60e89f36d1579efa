"""How good the model is on one kind of texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from probes.core import stats
from probes.core.confidence import equal_mass
from probes.core.confidence_numbers import PER_BIN, ConfidenceNumbers
from probes.core.measuring import measured
from probes.core.metrics import macro_f1
from probes.core.records import Better, Estimate, Measurement, Skip, SkipReason, Unit
from probes.core.stats.derived import UnmeasurableError, mapped, resampled
from probes.core.unseen_errors import with_unseen
from probes.shift.performance.scored import Measure, Scored, ScoredLabels

Found = Measurement | Skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The numbers of one domain on its own.

    Attributes:
        bins: of the calibration error; fewer than two are none.
        generator: a fresh random generator for each key.
        family: of the measurements.
    """

    scored: Scored
    measure: Measure
    bins: int
    generator: Callable[..., np.random.Generator]
    resamples: int
    family: str

    def records(self) -> list[Found]:
        """The mean of the measure; for labels also the mean F1 and the calibration error."""
        level, m = partial(measured, part=self.scored.slice, family=self.family), self.measure
        found = [level(m.name, m.title, self._mean, better=m.better, unit=m.unit)]
        scored = self.scored
        if not isinstance(scored, ScoredLabels):
            return found
        title = f"mean F1 of the {int(scored.labels.sum())} labels that occur"
        found.append(level("macro_f1", title, partial(self._macro_f1, scored), better=Better.HIGHER))
        title, calibration = "distance between confidence and share right, beyond chance", self._calibration
        found.append(
            level("ece_debiased", title, partial(calibration, scored), better=Better.LOWER, unit=Unit.DIFFERENCE)
        )
        return found

    def _mean(self) -> Estimate:
        function, found = self.measure.function, self._plain_mean()
        return found if function is None else mapped(found, function, method=f"{found.method}, mapped to F1")

    def _plain_mean(self) -> Estimate:
        values, clusters, limits = self.scored.values, self.scored.clusters, self.measure.limits
        if limits == (0.0, 1.0) and np.isin(values, limits).all():
            return stats.rate(values == 1.0, clusters=clusters)
        return stats.mean(values, clusters=clusters, limits=limits)

    def _macro_f1(self, scored: ScoredLabels) -> Estimate:
        """Mean F1 of the labels that right answers have; a wrong answer of another label costs recall only."""
        items, labels = scored.items, scored.labels
        predicted, gold = items.answers.chosen[:, labels], items.gold[:, labels]
        one_kind = bool(items.correct.all() or not items.correct.any())
        return resampled(
            partial(macro_f1, predicted, gold),
            clusters=items.clusters,
            rng=self.generator("macro_f1", scored.name),
            resamples=self.resamples,
            limits=(0.0, 1.0),
            unseen=partial(with_unseen, macro_f1, predicted, gold) if one_kind else None,
        )

    def _calibration(self, scored: ScoredLabels) -> Estimate:
        if self.bins < 2:
            detail = f"The smallest kind of texts has too few independent items for two bins of {PER_BIN}."
            raise UnmeasurableError(SkipReason.TOO_FEW, detail)
        decisions = scored.decisions
        numbers = ConfidenceNumbers(
            decisions=decisions,
            clusters=scored.clusters,
            generator=lambda name: self.generator(name, scored.name),
            resamples=self.resamples,
        )
        return numbers.debiased(equal_mass(decisions.confidence, bins=self.bins))
