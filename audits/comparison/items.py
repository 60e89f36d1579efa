"""What a finished step kept of single items, and whether two steps can be paired by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow.parquet as pq

from probes.core.answers import LANGUAGE_HEADS
from probes.core.errors import IntegrityError
from probes.core.manifest import PlannedStep
from probes.core.model import Capability, ModelCard
from probes.core.records import VALUE
from probes.core.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class Row:
    """What happened to one variant of one item.

    Attributes:
        answer: to this variant; `first` that to the text itself, where there is a variant.
        error: how far a predicted number is from the right one; None for answers that are right or wrong.
        values: further numbers by name, see `probes.core.records.Outcomes`.
    """

    cluster: str
    variant: str
    answer: str
    first: str | None
    gold: str | None
    correct: bool | None
    changed: bool | None
    error: float | None
    score: float | None = None
    values: Mapping[str, float | None] = field(default_factory=dict)


Key = tuple[str, str]
"""Example id, variant."""
Rows = Mapping[Key, Row]

MOST_MISSING = 0.1
"""Share of the items of a generator that may have no score in one of two runs, because nothing was written. With more
of them the two would not be asked the same, and what is missing is not missing by chance."""

_COLUMNS = ("example_id", "cluster", "variant", "after", "before", "gold", "correct", "changed", "score")


def incomparable(new: PlannedStep, old: PlannedStep | None) -> str:
    """Why a step cannot be paired with that of the baseline, from what was planned; "" where it can."""
    if old is None:
        return "the baseline did not run this test"
    if old.version != new.version:
        return f"the test has changed (version {old.version}, now {new.version})"
    if dict(old.parameters) != dict(new.parameters):
        return "the test was run with other settings"
    if old.sample != new.sample:
        return "the baseline was tested on other items"
    return ""


def of_other_kind(new: ModelCard, old: ModelCard) -> str:
    """Why likelihoods of two models are not of a kind; "" where they are, or the models have none."""
    if {new.problem, old.problem} <= LANGUAGE_HEADS and new.scoring is not old.scoring:
        return "one model guesses masked words and the other goes on from the left: their likelihoods are not of a kind"
    return ""


def unpaired(before: Rows | None, after: Rows | None, *, most_missing: float = 0.0) -> str:
    """Likewise, from what is on disk.

    Args:
        most_missing: share of the rows of either run that the other one may lack.
    """
    if after is None or before is None:
        return f"the {'baseline' if before is None else 'run'} keeps no outcomes of single items"
    shared = len(before.keys() & after.keys())
    if shared < (1 - most_missing) * max(len(before), len(after)):
        return f"the answers of the model decide which items it tests: {shared:,} of {len(after):,} are in both runs"
    return ""


def may_miss(*cards: ModelCard) -> float:
    """Share of the rows that a run may lack which the other has: generators may write nothing."""
    return MOST_MISSING if all(Capability.GENERATE in card.capabilities for card in cards) else 0.0


def outcomes(run: RunFolder, step: PlannedStep) -> Rows | None:
    """What a finished step kept of single items; None where it kept nothing.

    Raises:
        IntegrityError: when the file is damaged.
    """
    path = run.outcomes_path(step.step_id)
    if not (path.exists() and run.step_path(step.step_id).exists()):
        return None
    try:
        columns = pq.read_table(path).to_pydict()
        further = {name.removeprefix(VALUE): column for name, column in columns.items() if name.startswith(VALUE)}
        values = [dict(zip(further, row, strict=True)) for row in zip(*further.values(), strict=True)]
        rows = zip(*(columns[name] for name in _COLUMNS), values or [{} for _ in columns["variant"]], strict=True)
        return {
            (example, variant): Row(
                cluster, variant, answer, first, gold, correct, changed, _error(score, gold, correct), score, own
            )
            for example, cluster, variant, answer, first, gold, correct, changed, score, own in rows
        }
    except (OSError, KeyError, ValueError) as error:
        raise IntegrityError(
            f"damaged: {path} ({error})", hint="delete the run folder and run the audit again"
        ) from None


def _error(score: float | None, gold: str | None, correct: bool | None) -> float | None:
    """How far a predicted number is from the right one; None for answers that are right or wrong."""
    if correct is not None or score is None or gold is None:
        return None
    try:
        return abs(score - float(gold))
    except ValueError:
        return None


def setting(variant: str) -> dict[str, str] | None:
    """A variant such as "severity=2,kind=x" as a slice; {} for the text itself, None for anything else."""
    if not variant:
        return {}
    pairs = [piece.partition("=") for piece in variant.split(",")]
    if all(name.isidentifier() and equals and value for name, equals, value in pairs):
        return {name: value for name, _, value in pairs}
    return None
