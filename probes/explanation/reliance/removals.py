"""What a model answers when words are taken out of its texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answers import Bools, Classifications, Floats, ProblemType, changed
from probes.core.examples import Text
from probes.core.model import Classifier
from probes.core.words import without
from probes.explanation.explained import Explained, target_scores
from probes.text.trials import regression_step

Cut = tuple[int, tuple[int, ...]]
"""(row of the item, positions of the words taken out)."""


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What k cuts did.

    Attributes:
        answers: (k,) after the cut.
        flipped: (k,) did the answer change.
        change: (k,) of the probability of the answer first given (of a regression: of its value).
    """

    answers: Classifications
    flipped: Bools
    change: Floats


@dataclass(frozen=True, kw_only=True)
class Removals:
    """The answers to texts with words taken out, as far as they are finite.

    Attributes:
        items: the texts themselves.
        texts: cut -> what was asked.
        answers: to these, in their order.
    """

    items: Explained
    texts: Mapping[Cut, Text]
    answers: Classifications

    @classmethod
    def ask(cls, model: Classifier, items: Explained, cuts: Iterable[Cut]) -> Removals:
        """Ask about all cuts in one bulk."""
        texts = {cut: _cut(items, cut) for cut in sorted(set(cuts))}
        answers = model.classify(list(texts.values())) if texts else items.answers[:0]
        finite = np.asarray(np.isfinite(answers.logits).all(axis=1))
        kept = {cut: text for (cut, text), good in zip(texts.items(), finite, strict=True) if good}
        return cls(items=items, texts=kept, answers=answers[finite])

    def answered(self, *cuts: Cut) -> bool:
        """Is there an answer to each of these cuts."""
        return all(cut in self.texts for cut in cuts)

    def of(self, cuts: Sequence[Cut]) -> Moved:
        """What these cuts did, in their order.

        Raises:
            KeyError: for a cut without an answer.
        """
        rows = np.array([row for row, _ in cuts], dtype=np.int64)
        before = self.items.answers[rows]
        after = self.answers[np.array([self._places[cut] for cut in cuts], dtype=np.int64)]
        targets = [self.items.targets[row] for row in rows]
        return Moved(
            answers=after,
            flipped=changed(before, after, step=self._step),
            change=target_scores(after, targets) - self.items.probabilities[rows],
        )

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Smallest and largest change there can be."""
        if self.items.answers.problem is not ProblemType.REGRESSION:
            return -1.0, 1.0
        width = float(np.ptp(np.concatenate([self.items.answers.logits, self.answers.logits]))) or 1.0
        return -width, width

    @cached_property
    def _step(self) -> float:
        return regression_step(self.items.answers)

    @cached_property
    def _places(self) -> Mapping[Cut, int]:
        return {cut: place for place, cut in enumerate(self.texts)}


def _cut(items: Explained, cut: Cut) -> Text:
    row, taken = cut
    words = items.attributions[row].words
    return without(items.examples[row].text, {words[at] for at in taken})
