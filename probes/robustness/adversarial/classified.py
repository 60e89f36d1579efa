"""Classifiers under attack, and regressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from probes.core.answers import Classifications, ProblemType
from probes.core.examples import Example, Text
from probes.core.labelled import gold_text
from probes.core.model import Classifier
from probes.robustness.adversarial import aims
from probes.robustness.adversarial.aims import Aim
from probes.robustness.adversarial.gradients import Slope
from probes.robustness.adversarial.subject import BROKEN, Told
from probes.robustness.adversarial.victims import ClassifierVictim
from probes.text.trials import regression_step


@dataclass(frozen=True)
class Classified:
    """A classifier and its items, as `Subject` describes them.

    Attributes:
        goal, by: as of the probe.
        screen: whether it is asked in a narrower type first.
    """

    model: Classifier
    examples: Sequence[Example]
    goal: str
    by: float
    screen: bool = False
    part: int = 1

    @cached_property
    def clean(self) -> Classifications:
        """(n,) answers to the items themselves."""
        return self.model.classify([example.text for example in self.examples])

    @property
    def flat(self) -> bool:
        """Do all texts of a regression get the same score, so that nothing says how far one must move."""
        of_scores = self.clean.problem is ProblemType.REGRESSION and self.goal == aims.OTHER
        return of_scores and regression_step(self.clean) == 0

    @cached_property
    def aims(self) -> list[Aim]:
        """(n,) what each attack is after."""
        return aims.aims(self.goal, self.examples, self.clean, positive=self.model.card.positive, by=self.by)

    @property
    def graded(self) -> bool:
        """Where the goal is another label than the right one."""
        return self.goal == aims.OTHER and not self.ungraded

    @property
    def ungraded(self) -> str:
        """Of regressions."""
        regression = self.model.card.problem is ProblemType.REGRESSION
        return "A score is not simply right or wrong." if regression and self.goal == aims.OTHER else ""

    @property
    def targets(self) -> list[str | None]:
        """(n,) right labels."""
        return [aim.target for aim in self.aims]

    @cached_property
    def labels(self) -> list[str] | None:
        """(n,) right labels, or the model's own where those are not known; of one label an item."""
        return aims.right_labels(self.examples, self.clean) if self.clean.problem is ProblemType.SINGLE_LABEL else None

    @cached_property
    def golds(self) -> list[str | None]:
        """(n,) right answers."""
        return [gold_text(example.gold) for example in self.examples]

    @property
    def reachable(self) -> list[bool]:
        """(n,): a probability has nowhere to go beyond 0 and 1."""
        return [aim.reachable for aim in self.aims]

    @property
    def reaching(self) -> str:
        """By the goal."""
        if self.goal.startswith(aims.LABEL):
            return f"that become {self.goal.removeprefix(aims.LABEL)}"
        if self.goal == aims.OTHER:
            return BROKEN
        return f"of which the score is {'raised' if self.goal == aims.RAISE else 'lowered'} by {self.by:g} or more"

    @property
    def slopes(self) -> list[Slope]:
        """(n,) of the goals."""
        return [aim.slope for aim in self.aims]

    def victim(self) -> ClassifierVictim:
        """The model, judged by the goal of each item."""
        screened: Callable[[], Classifier | None] = getattr(self.model, "screened", lambda: None)
        screen = screened() if self.screen else None
        return ClassifierVictim(self.model, [aim.goal for aim in self.aims], screen)

    def told(self, texts: Sequence[Text]) -> Told:
        """The answers to n texts."""
        answers = self.model.classify(texts)
        if answers.problem is ProblemType.REGRESSION:
            return Told(answers.names(), answers.logits[:, 0], sure=False)
        return Told(answers.names(), answers.confidence)
