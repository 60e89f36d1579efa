"""Generators under attack: a prompt of the same meaning, another reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answered import accepted, f1_of, gold_told
from probes.core.answers import Floats
from probes.core.examples import Example, Text
from probes.core.generations import Decoding
from probes.core.model import Generator
from probes.core.replies import Replies
from probes.robustness.adversarial.gradients import Slope
from probes.robustness.adversarial.parts import Judged, shared_out
from probes.robustness.adversarial.subject import BROKEN, Told
from probes.robustness.search import Oracle, Request

SHARED = 0.5
"""F1 of words below which two replies count as different ones."""


def prompt(text: Text) -> str:
    """What a generator is given: the text, or the two of a pair with an empty line between them."""
    return text if isinstance(text, str) else "\n\n".join(text)


@dataclass(frozen=True)
class GeneratorVictim:
    """A generator as an oracle.

    Attributes:
        golds: (items,) the replies that each is held against.
    """

    model: Generator
    golds: Sequence[Sequence[str]]
    decoding: Decoding

    def __call__(self, requests: Sequence[Request]) -> list[Judged]:
        """Judge the prompts of n requests. Score: one minus the F1 of the words of the reply; none where it is empty.

        Where numerical noise decided between two tokens, the reply reaches nothing.
        """
        prompts = [prompt(text) for request in requests for text in request.questions]
        golds = [self.golds[request.item] for request in requests for _ in request.questions]
        replies = Replies(self.model.generate(prompts, self.decoding))
        shared = f1_of(replies.given, golds)
        scores: Floats = np.where(replies.empty, -np.inf, 1.0 - shared)
        reached = (shared < SHARED) & ~replies.tied & ~replies.empty
        return shared_out(requests, scores, reached)


@dataclass(frozen=True)
class Writing:
    """A generator and its items, as `Subject` describes them."""

    model: Generator
    examples: Sequence[Example]
    decoding: Decoding
    part: int = 1
    graded: bool = False
    ungraded: str = "A reply is not simply right or wrong: success is counted, not accuracy."
    labels: None = None
    slopes: Sequence[Slope] | None = None
    reachable: None = None
    reaching: str = BROKEN

    @property
    def targets(self) -> list[str | None]:
        """None."""
        return [None] * len(self.examples)

    @cached_property
    def golds(self) -> list[str | None]:
        """(n,) accepted replies."""
        return [gold_told(example.gold) for example in self.examples]

    def victim(self) -> Oracle:
        """The model, judged by the accepted replies, or where those are not known, by its own first one."""
        own = self._replies([example.text for example in self.examples]).given
        golds: list[Sequence[str]] = [
            [reply] if example.gold is None else accepted(example.gold)
            for example, reply in zip(self.examples, own, strict=True)
        ]
        return GeneratorVictim(self.model, golds, self.decoding)

    def told(self, texts: Sequence[Text]) -> Told:
        """The replies to n prompts."""
        replies = self._replies(texts)
        return Told(replies.given, replies.confidence)

    def _replies(self, texts: Sequence[Text]) -> Replies:
        return Replies(self.model.generate([prompt(text) for text in texts], self.decoding))
