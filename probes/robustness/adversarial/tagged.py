"""Taggers under attack: a wrong label for a word that had the right one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answers import Bools, Ints
from probes.core.entities import Tagset
from probes.core.examples import Example, Text
from probes.core.model import Tagger
from probes.core.tagged import entities_of, gold_tags, mean_confidence
from probes.core.tagged import told as entities_told
from probes.core.taggings import Taggings
from probes.robustness.adversarial.gradients import Slope
from probes.robustness.adversarial.parts import Judged, shared_out
from probes.robustness.adversarial.subject import BROKEN, Told
from probes.robustness.search import Oracle, Request

NONE = -1
"""Instead of a label: what is answered to this word does not matter."""


@dataclass(frozen=True)
class OtherTags:
    """Another label for any word of which the model first gave the right one.

    Args:
        right: (words,) positions of the labels, NONE for words that it had wrong.
    """

    right: Ints

    def judge(self, answers: Taggings, row: int) -> tuple[float, bool]:
        """Score of one text, the highest probability that a label is not the right one; and is the goal reached.

        A text that has become more words, or fewer, cannot be compared, and is as far from the goal as can be.
        """
        place = answers.words_of(row)
        counted = self.right != NONE
        if len(answers.top[place]) != len(self.right):
            return -np.inf, False
        if not counted.any():
            return 1.0, True  # there was nothing to break
        counted &= answers.read[place]
        rows, right = np.flatnonzero(counted), self.right[counted]
        lost = 1.0 - answers.scores[place][rows, right]
        reached = (answers.top[place][rows] != right) & ~answers.tied[place][rows]
        return float(lost.max(initial=0.0)), bool(reached.any())


@dataclass(frozen=True)
class TaggerVictim:
    """A tagger as an oracle: the texts of all searches in one bulk, each judged by its own item's goal."""

    model: Tagger
    goals: Sequence[OtherTags]

    def __call__(self, requests: Sequence[Request]) -> list[Judged]:
        """Judge the texts of n requests."""
        asked = [(request.item, text) for request in requests for text in request.questions]
        answers = self.model.tag([text for _, text in asked])
        judged = [self.goals[item].judge(answers, row) for row, (item, _) in enumerate(asked)]
        scores, reached = np.array([score for score, _ in judged]), np.array([each for _, each in judged], dtype=bool)
        return shared_out(requests, scores, reached)


@dataclass(frozen=True)
class TaggedSubject:
    """A tagger and its items, as `Subject` describes them."""

    model: Tagger
    examples: Sequence[Example]
    part: int = 1
    graded: bool = False
    ungraded: str = "Of a tagger hardly any text has all words right: success is counted, not accuracy."
    labels: None = None
    slopes: Sequence[Slope] | None = None
    reachable: None = None
    reaching: str = BROKEN

    @property
    def targets(self) -> list[str | None]:
        """None."""
        return [None] * len(self.examples)

    @cached_property
    def clean(self) -> Taggings:
        """(n,) answers to the items themselves."""
        return self.model.tag([example.text for example in self.examples])

    @cached_property
    def goals(self) -> list[OtherTags]:
        """(n,) of each item: the labels it had right, or where those are not known, all it gave."""
        return [OtherTags(self._right(row)) for row in range(len(self.examples))]

    def _right(self, row: int) -> Ints:
        place = self.clean.words_of(row)
        clear: Bools = self.clean.read[place] & ~self.clean.tied[place]
        own = self.clean.top[place]
        if self.examples[row].gold is not None:
            index = {label: number for number, label in enumerate(self.clean.labels)}
            clear = clear & (own == np.array([index[tag] for tag in gold_tags(self.examples[row])], dtype=np.int64))
        return np.where(clear, own, NONE)

    @cached_property
    def _tagset(self) -> Tagset:
        golds = [gold_tags(example) for example in self.examples if example.gold is not None]
        return Tagset.of(self.model.card.labels, golds)

    @cached_property
    def golds(self) -> list[str | None]:
        """(n,) right entities."""
        return [
            None
            if example.gold is None
            else entities_told(example.text, self._tagset.entities(list(gold_tags(example))))
            for example in self.examples
        ]

    def victim(self) -> Oracle:
        """The model, judged by the goal of each item."""
        return TaggerVictim(self.model, self.goals)

    def told(self, texts: Sequence[Text]) -> Told:
        """The entities found in n texts."""
        answers = self.model.tag(texts)
        found = entities_of(answers, answers.top, self._tagset)
        sure = [np.nan if each is None else each for each in mean_confidence(answers)]
        names = [entities_told(text, entities) for text, entities in zip(texts, found, strict=True)]
        return Told(names, np.array(sure, dtype=np.float64))
