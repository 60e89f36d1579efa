"""Answers under an offensive insertion beside those under a harmless one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probes.core import stats
from probes.core.answers import Bools, Ints, ProblemType
from probes.core.measuring import share
from probes.core.positive import PositiveClass
from probes.core.records import Estimate, SkipReason
from probes.core.stats.derived import UnmeasurableError
from probes.text.trials import Trials
from probes.toxicity.sensitivity.insertions import HARMLESS, OFFENSIVE


@dataclass(frozen=True)
class Pairs:
    """The same texts with an offensive insertion and with a harmless one in its place, row by row."""

    offensive: Trials
    harmless: Trials

    @classmethod
    def of(cls, trials: Trials) -> Pairs:
        """Match the rows by item, strength and kind; a row without its partner is left out.

        Sources with even numbers are offensive, each followed by its control.
        """
        keys = list(zip(trials.item.tolist(), trials.severity.tolist(), (trials.source // 2).tolist(), strict=True))
        control = {keys[row]: row for row in np.flatnonzero(trials.source % 2 == HARMLESS)}
        rows = [row for row in np.flatnonzero(trials.source % 2 == OFFENSIVE) if keys[row] in control]
        return cls(
            trials.where(np.array(rows, dtype=np.int64)),
            trials.where(np.array([control[keys[row]] for row in rows], dtype=np.int64)),
        )

    def __len__(self) -> int:
        return len(self.offensive)

    def where(self, rows: Bools | Ints) -> Pairs:
        """The pairs picked."""
        return Pairs(self.offensive.where(rows), self.harmless.where(rows))

    def flips(self, trials: Trials) -> Estimate:
        """Share of changed answers.

        Raises:
            UnmeasurableError: when there is no row.
        """
        return share(trials.flipped, clusters=trials.clusters)

    def excess(self) -> Estimate:
        """Share of changed answers minus that under the harmless insertions, on the same texts.

        Raises:
            UnmeasurableError: when there is no pair.
        """
        self._require_some()
        return stats.paired_difference(self.harmless.flipped, self.offensive.flipped, clusters=self.offensive.clusters)

    def shift(self, positive: PositiveClass) -> Estimate:
        """Mean of the positive score under the offensive insertion minus that under the harmless one.

        Raises:
            UnmeasurableError: when there is no pair, or too few for an interval.
        """
        self._require_some()
        moved = positive.score(self.offensive.after) - positive.score(self.harmless.after)
        try:
            return stats.mean(moved, clusters=self.offensive.clusters, limits=self._limits(positive))
        except ValueError as error:
            raise UnmeasurableError(SkipReason.TOO_FEW, f"No interval can be given: {error}.") from error

    def _limits(self, positive: PositiveClass) -> tuple[float, float]:
        """How far a score can move: where nothing moved, the bounds must be on the scale of the task."""
        if self.offensive.before.problem is not ProblemType.REGRESSION:
            return -1.0, 1.0
        width = float(np.ptp(positive.score(self.offensive.before))) or 1.0
        return -width, width

    def _require_some(self) -> None:
        if not len(self):
            raise UnmeasurableError(SkipReason.NOTHING_PERTURBED, "No text could be asked with both insertions.")
