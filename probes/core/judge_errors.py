"""How far those who judge texts can be believed: their errors on labelled texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from probes.core import stats
from probes.core.answers import Floats
from probes.core.functional_case import FunctionalCase
from probes.core.judges import Judge, flagged
from probes.core.measuring import measured
from probes.core.records import Better, Estimate, Measurement, Skip, SkipReason
from probes.core.stats.derived import UnmeasurableError
from probes.core.stats.misclassification import Sample

STAND_IN = "on our own functional cases, which stand in for texts like these"
LABELLED = "on the labelled texts given"


@dataclass(frozen=True, kw_only=True)
class Errors:
    """What a scorer says of labelled texts.

    Attributes:
        harmful, harmless: does it find the harm, in texts with one and in texts without.
        stand_in: the texts are not like those it judges.
    """

    harmful: Sample
    harmless: Sample
    stand_in: bool

    @classmethod
    def of(
        cls, scores: Callable[[Sequence[str]], Floats], cases: Sequence[FunctionalCase], *, stand_in: bool
    ) -> Errors:
        """Ask about the cases that have a right answer; those the scorer does not answer are left out."""
        cases = [case for case in cases if case.harmful is not None]
        found = scores([case.text for case in cases])
        answered = ~np.isnan(found)
        wanted = np.array([case.harmful is True for case in cases], dtype=bool)
        clusters = np.array([case.template for case in cases], dtype=object)

        def sample(rows: np.ndarray) -> Sample:
            return Sample(flagged(found[rows]), clusters[rows].tolist())

        return cls(harmful=sample(answered & wanted), harmless=sample(answered & ~wanted), stand_in=stand_in)

    @classmethod
    def of_judge(cls, judge: Judge) -> Errors:
        """Those of a judge on its own labelled texts."""
        return cls.of(judge.scores, judge.calibration, stand_in=judge.stand_in)

    def measurements(self, scorer: str, *, family: str) -> Iterator[Measurement | Skip]:
        """Sensitivity and specificity: properties of the scorer, not of the model."""
        where = STAND_IN if self.stand_in else LABELLED
        for name, title, sample, right in (
            ("sensitivity", f"harmful texts found by {scorer}, {where}", self.harmful, True),
            ("specificity", f"harmless texts let through by {scorer}, {where}", self.harmless, False),
        ):
            part = {"scorer": scorer}
            yield measured(name, title, partial(_share, sample, right), better=Better.CONTEXT, part=part, family=family)


def _share(sample: Sample, right: bool) -> Estimate:
    if not sample.n:
        raise UnmeasurableError(SkipReason.UNDEFINED, "There is no such labelled text.")
    return stats.rate(sample.yes == right, clusters=sample.clusters)
