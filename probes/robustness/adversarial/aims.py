"""What an attack on a classifier is after, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probes.core.answers import SEQUENCE_HEADS, Classifications, ProblemType, gold_matrix
from probes.core.errors import UsageError, did_you_mean
from probes.core.examples import Example
from probes.core.model import ModelCard
from probes.core.positive import PositiveClass
from probes.robustness.adversarial.goals import AnyLabel, Moved, Shifted, Targeted, Untargeted
from probes.robustness.adversarial.gradients import Slope
from probes.robustness.adversarial.parts import Goal
from probes.text.trials import regression_step

OTHER, RAISE, LOWER, LABEL = "other", "raise", "lower", "label:"
"""Another answer; a higher or a lower score of the positive class; a label of the attacker's choice."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What the attack on one item is after.

    Attributes:
        goal: when it is reached.
        slope: which logit it pulls at.
        target: the label it leads away from, where there is one.
        reachable: is there an answer that reaches it.
    """

    goal: Goal
    slope: Slope
    target: str | None = None
    reachable: bool = True


def check(goal: str) -> None:
    """Refuse what is no goal.

    Raises:
        UsageError: with the closest names.
    """
    if goal not in (OTHER, RAISE, LOWER) and not goal.removeprefix(LABEL) != goal:
        raise UsageError(
            f"robustness.adversarial: no goal {goal!r}", hint=did_you_mean(goal, (OTHER, RAISE, LOWER, f"{LABEL}NAME"))
        )


def require(goal: str, card: ModelCard, *, by: float) -> None:
    """Refuse a goal that no answer of a model reaches.

    Raises:
        UsageError: for a label that it has not, a score of a positive class where there is none, or a shift that no
            probability makes; and for a model that is no classifier, every goal but another answer.
    """
    if goal == OTHER:
        return
    if card.problem not in SEQUENCE_HEADS:
        raise UsageError(
            f"robustness.adversarial: the goal {goal!r} is for classifiers, and this model is none",
            hint=f"leave it at {OTHER!r}",
        )
    if goal.startswith(LABEL):
        label = goal.removeprefix(LABEL)
        if label not in card.labels or card.problem is not ProblemType.SINGLE_LABEL:
            raise UsageError(
                f"robustness.adversarial: {label!r} is no label that an answer of this model could become",
                hint=did_you_mean(label, card.labels),
            )
    elif not set(card.positive.labels) & set(card.labels):
        raise UsageError(
            "robustness.adversarial: the goal is a score of the positive class, and this model has none",
            hint="name it with --positive-label",
        )
    elif card.problem is not ProblemType.REGRESSION and by >= 1:
        raise UsageError(
            f"robustness.adversarial: no probability moves by {by}", hint="name a shift `by` between 0 and 1"
        )


def aims(
    goal: str, examples: Sequence[Example], clean: Classifications, *, positive: PositiveClass, by: float
) -> list[Aim]:
    """What to be after for each of n items; `require` has let the goal pass.

    Args:
        clean: (n,) answers to the items themselves.
        by: how far the score of the positive class is to move.
    """
    if goal.startswith(LABEL):
        label = goal.removeprefix(LABEL)
        return [Aim(Targeted(clean.labels.index(label)), Slope(label, -1.0))] * len(examples)
    if goal != OTHER:
        return _shifted(-by if goal == LOWER else by, clean, positive)
    if clean.problem is ProblemType.REGRESSION:
        step = regression_step(clean)
        return [Aim(Moved(float(value), step), Slope(clean.labels[0])) for value in clean.logits[:, 0]]
    if clean.problem is ProblemType.MULTI_LABEL:
        return _any_label(examples, clean)
    return [_untargeted(label, clean) for label in right_labels(examples, clean)]


def _untargeted(label: str, clean: Classifications) -> Aim:
    return Aim(Untargeted(clean.labels.index(label)), Slope(label), label)


def right_labels(examples: Sequence[Example], clean: Classifications) -> list[str]:
    """(n,) the right label of each item, where it is not known the model's own; of one label an item."""
    golds = [example.gold for example in examples]
    return [gold if isinstance(gold, str) else own for gold, own in zip(golds, clean.names(), strict=True)]


def _any_label(examples: Sequence[Example], clean: Classifications) -> list[Aim]:
    right = clean.chosen.copy()
    labelled = [row for row, example in enumerate(examples) if example.gold is not None]
    right[labelled] = gold_matrix([examples[row].gold for row in labelled], labels=clean.labels)
    margins = np.abs(clean.scores - 0.5)
    return [
        Aim(AnyLabel(row), Slope(clean.labels[nearest], 1.0 if row[nearest] else -1.0))
        for row, nearest in zip(right, np.nan_to_num(margins, nan=1.0).argmin(axis=1).tolist(), strict=True)
    ]


def _shifted(by: float, clean: Classifications, positive: PositiveClass) -> list[Aim]:
    columns = [column for column, label in enumerate(clean.labels) if label in positive.labels]
    scores = np.nan_to_num(clean.scores[:, columns], nan=-1.0)
    highest = [clean.labels[columns[best]] for best in scores.argmax(axis=1)]
    goals = [Shifted(positive, float(value), by) for value in positive.score(clean)]
    return [
        Aim(goal, Slope(label, -np.sign(by)), reachable=clean.problem is ProblemType.REGRESSION or goal.within)
        for goal, label in zip(goals, highest, strict=True)
    ]
