"""A run beside an earlier one: what differs between the two, and by how much the same items came out differently."""

from __future__ import annotations

from typing import Literal

from probes.core.findings import BaselineUse
from probes.core.records import Frozen, Measurement
from probes.core.side_by_side import ComparedNumber

SUFFIX = "_vs_baseline"
"""How every number of a comparison ends, by which a policy knows it."""


OF_TEXTS = ("bits_per_byte", "f1", "rouge_l", "toxic_rate", "toxicity_probability", "word_perplexity")
"""Numbers about texts whose change since a baseline a policy may judge as well, by its name and SUFFIX."""


class Difference(Frozen):
    """Something about the two runs that is not the same; an empty side did not have it."""

    what: str
    before: str
    after: str


class StepComparison(Frozen):
    """One step beside that of the baseline.

    Attributes:
        step_id: of the run that is judged.
        paired: rows of outcomes that both runs have.
        refused: why the two cannot be compared; then there are no measurements.
        outcomes: False where the run keeps nothing of single items, so that no baseline could be compared with it.
    """

    step_id: str
    probe: str
    title: str
    paired: int = 0
    refused: str = ""
    outcomes: bool = True
    measurements: tuple[Measurement, ...] = ()


class Comparison(Frozen):
    """`comparison.json`: a run beside its baseline, step by step in the order of the plan."""

    kind: Literal["comparison"] = "comparison"
    schema_version: int
    run_id: str
    baseline: BaselineUse
    differences: tuple[Difference, ...]
    steps: tuple[StepComparison, ...]
    numbers: tuple[ComparedNumber, ...] = ()
    """Every number of both runs, the baseline as A and the run as B, without the statuses of checks."""
    tuned: bool = False
    """The baseline is of the model that the run's was fine-tuned from."""

    def of(self, step_id: str) -> StepComparison | None:
        """What is known of one step."""
        return next((step for step in self.steps if step.step_id == step_id), None)
