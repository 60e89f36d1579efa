"""Goals against classifiers: when an answer counts as broken, and how near another answer is to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probes.core.answers import Bools, Classifications, Floats
from probes.core.positive import PositiveClass
from probes.robustness.adversarial.parts import Judged


@dataclass(frozen=True, slots=True)
class Untargeted:
    """Any other label than the right one.

    Args:
        label: position of the right label among the model's.
    """

    label: int

    def judge(self, answers: Classifications) -> Judged:
        """Score: one minus the probability of the label."""
        scores = 1.0 - answers.scores[:, self.label]
        best = np.asarray(answers.logits.argmax(axis=1))
        return _answered(answers, scores, np.asarray((best != self.label) & ~answers.tied))


@dataclass(frozen=True, slots=True)
class Targeted:
    """One label of the attacker's choice.

    Args:
        label: its position among the model's.
    """

    label: int

    def judge(self, answers: Classifications) -> Judged:
        """Score: the probability of the label."""
        best = np.asarray(answers.logits.argmax(axis=1))
        return _answered(answers, answers.scores[:, self.label], np.asarray((best == self.label) & ~answers.tied))


@dataclass(frozen=True, slots=True)
class AnyLabel:
    """Of several labels at once: one that is not set as it should be.

    Args:
        right: (labels,) which of them should be set.
    """

    right: Bools

    def judge(self, answers: Classifications) -> Judged:
        """Score: the probability of the wrong side, of the label where that is highest."""
        wrong = np.where(self.right, 1.0 - answers.scores, answers.scores).max(axis=1)
        reached = (answers.chosen != self.right).any(axis=1) & ~answers.tied
        return _answered(answers, wrong, np.asarray(reached))


@dataclass(frozen=True, slots=True)
class Moved:
    """Another score of a regression.

    Args:
        value: the score of the text itself.
        step: how far from it.
    """

    value: float
    step: float

    def judge(self, answers: Classifications) -> Judged:
        """Score: how far."""
        moved = np.abs(answers.logits[:, 0] - self.value)
        return _answered(answers, moved, np.asarray(moved > max(self.step, answers.tolerance)))


@dataclass(frozen=True, slots=True)
class Shifted:
    """A higher or a lower score of the positive class: of a harm, say, that is to be hidden or to be feigned.

    Args:
        positive: which class.
        value: its score for the text itself.
        by: how much higher; lower where it is negative.
    """

    positive: PositiveClass
    value: float
    by: float

    @property
    def within(self) -> bool:
        """Is there a probability so far away; a score that is not finite is for the search to tell."""
        return not np.isfinite(self.value) or 0.0 <= self.value + self.by <= 1.0

    def judge(self, answers: Classifications) -> Judged:
        """Score: how far it moved that way."""
        moved = np.copysign(1.0, self.by) * (self.positive.score(answers) - self.value)
        return _answered(answers, moved, np.asarray(moved >= abs(self.by)))


def _answered(answers: Classifications, scores: Floats, reached: Bools) -> Judged:
    """Answers that are not finite reach nothing."""
    finite = np.isfinite(answers.logits).all(axis=1)
    return Judged(np.where(finite, scores, -np.inf), np.asarray(reached & finite))
