"""What is attacked: a model of some kind together with its items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from probes.core.answers import Floats
from probes.core.examples import Example, Text
from probes.core.model import Capability, Model
from probes.core.records import Shown
from probes.robustness.adversarial.gradients import Slope
from probes.robustness.search import Oracle

BROKEN = "that are broken"
"""What became of an answer that is now another one."""


@dataclass(frozen=True)
class Told:
    """n answers as people read them.

    Attributes:
        names: (n,) what was answered.
        scores: (n,) how sure the model is of it, or the score of a regression; NaN where neither is known.
        sure: these are probabilities.
    """

    names: Sequence[str]
    scores: Floats
    sure: bool = True

    def shown(self, row: int, text: Text) -> Shown:
        """A text and the answer to it."""
        score = float(self.scores[row])
        return Shown(
            texts=(text,) if isinstance(text, str) else text,
            answer=self.names[row],
            confidence=score if self.sure and np.isfinite(score) else None,
        )


class Subject(Protocol):
    """A model and n items.

    Attributes:
        model: the model.
        examples: (n,) the items.
        part: of items that are pairs, the text that is attacked.
        graded: whether an answer that is broken is a wrong one, so that there is an accuracy.
        ungraded: why not, in a sentence; empty where nobody would ask.
        targets: (n,) the label that each attack leads away from, where there is one.
        labels: (n,) right labels, or the model's own, by which success is shown apart; None for no labels.
        golds: (n,) right answers as people read them, None where not known.
        reachable: (n,) is there an answer at all that reaches the goal; None for always.
        reaching: what became of an answer where the goal is reached, to go on "share of attacked answers ...".
        slopes: (n,) which logit each goal pulls at; None where there are no gradients of one.
    """

    @property
    def model(self) -> Model: ...
    @property
    def examples(self) -> Sequence[Example]: ...
    @property
    def part(self) -> int: ...
    @property
    def graded(self) -> bool: ...
    @property
    def ungraded(self) -> str: ...
    @property
    def targets(self) -> Sequence[str | None]: ...
    @property
    def labels(self) -> Sequence[str] | None: ...
    @property
    def golds(self) -> Sequence[str | None]: ...
    @property
    def reachable(self) -> Sequence[bool] | None: ...
    @property
    def reaching(self) -> str: ...
    @property
    def slopes(self) -> Sequence[Slope] | None: ...

    def victim(self) -> Oracle:
        """The model, judged by the goal of each item."""
        ...

    def told(self, texts: Sequence[Text]) -> Told:
        """The answers to n texts, one of each item."""
        ...


def offered(subject: Subject) -> Mapping[Capability, Any]:
    """What attacks on it may ask of the model besides its answers."""
    found = subject.model.card.capabilities & {Capability.ATTRIBUTE, Capability.NEIGHBOURS}
    return {each: subject.model for each in found if each is Capability.NEIGHBOURS or subject.slopes is not None}
