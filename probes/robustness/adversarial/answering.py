"""Models that answer questions from a context, under attack: another question of the same meaning, another answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answered import accepted, exact_of, gold_told, may_abstain
from probes.core.answered import told as answer_told
from probes.core.examples import Example, Text
from probes.core.model import Reader
from probes.core.readings import Answers
from probes.robustness.adversarial.gradients import Slope
from probes.robustness.adversarial.parts import Judged, shared_out
from probes.robustness.adversarial.subject import BROKEN, Told
from probes.robustness.search import Oracle, Request


@dataclass(frozen=True)
class ReaderVictim:
    """A reader as an oracle.

    Attributes:
        golds: (items,) the accepted answers of each.
        abstains: whether "no answer" can be one.
    """

    model: Reader
    golds: Sequence[Sequence[str]]
    abstains: bool

    def __call__(self, requests: Sequence[Request]) -> list[Judged]:
        """Judge the texts of n requests.

        Score: how unsure the model is of an accepted answer; 1 and how sure it is of another one.
        """
        texts = [text for request in requests for text in request.questions]
        golds = [self.golds[request.item] for request in requests for _ in request.questions]
        answers = self.model.answer(texts).abstaining(self.abstains)
        right = exact_of(answers.given, golds)
        scores = np.where(right, 1.0 - answers.confidence, 1.0 + answers.confidence)
        reached = ~right & ~answers.tied
        return shared_out(requests, scores, reached)


@dataclass(frozen=True)
class Answering:
    """A reader and its items, as `Subject` describes them. The question is attacked, so that the answer stays put."""

    model: Reader
    examples: Sequence[Example]
    part: int = 0
    graded: bool = True
    ungraded: str = ""
    labels: None = None
    slopes: Sequence[Slope] | None = None
    reachable: None = None
    reaching: str = BROKEN

    @property
    def targets(self) -> list[str | None]:
        """None."""
        return [None] * len(self.examples)

    @cached_property
    def _abstains(self) -> bool:
        return may_abstain(self.examples)

    @cached_property
    def clean(self) -> Answers:
        """(n,) answers to the items themselves."""
        return self._answers([example.text for example in self.examples])

    @cached_property
    def golds(self) -> list[str | None]:
        """(n,) accepted answers."""
        return [gold_told(example.gold) for example in self.examples]

    def victim(self) -> Oracle:
        """The model, judged by the accepted answers, or where those are not known, by its own first one."""
        golds: list[Sequence[str]] = [
            [own] if example.gold is None else accepted(example.gold)
            for example, own in zip(self.examples, self.clean.given, strict=True)
        ]
        return ReaderVictim(self.model, golds, self._abstains)

    def told(self, texts: Sequence[Text]) -> Told:
        """The answers to n questions."""
        answers = self._answers(texts)
        return Told([answer_told(answer) for answer in answers.given], answers.confidence)

    def _answers(self, texts: Sequence[Text]) -> Answers:
        return self.model.answer(texts).abstaining(self._abstains)
