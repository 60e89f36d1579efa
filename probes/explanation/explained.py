"""Items, the answers to them, and what pushed each answer: what every probe of this package starts from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from probes.core.answers import Bools, Classifications, Floats, Ints, ProblemType, correct
from probes.core.attributions import Attribution, Method
from probes.core.attributors import Attributor
from probes.core.counts import plural
from probes.core.examples import Example
from probes.core.labelled import gold_text
from probes.core.records import Accounting, Shown, WordWeight
from probes.explanation.method import instead

NOT_CAUSAL = (
    "An attribution describes what one model computes from one text. It is not causal, and not a reason that may be "
    "given to a person."
)
"""Belongs in the limits of every probe of this package."""
LEAST_EFFECT = 0.01
"""How far a probability must move, as a share of how far it can, for a word to have an effect: with many texts, or with
texts that all react alike, the smallest effect is beyond chance."""


class Weighed(Protocol):
    """n items that are explained: what numbers about explanations need of them."""

    @property
    def method(self) -> Method: ...

    @property
    def attributions(self) -> tuple[Attribution, ...]: ...

    @property
    def clusters(self) -> list[str]: ...


@dataclass(frozen=True, kw_only=True)
class Explained:
    """n items with their answers, sorted by item id: the order of the rows changes nothing.

    Attributes:
        method: by which all of them were explained.
        targets: (n,) the label whose logit was explained: the answer given.
        attributions: (n,).
        unscored: items that are not among these: their answer was not finite, or no word of them was read.
    """

    examples: tuple[Example, ...]
    answers: Classifications
    method: Method
    targets: tuple[str, ...]
    attributions: tuple[Attribution, ...]
    unscored: int = 0

    @classmethod
    def ask(cls, model: Attributor, data: Iterable[Example], *, method: Method) -> Explained:
        """Ask for the answers, then why, each in one bulk."""
        examples = tuple(sorted(data, key=lambda example: example.id))
        answers = model.classify([example.text for example in examples])
        finite = np.flatnonzero(np.isfinite(answers.logits).all(axis=1))
        kept = [examples[row] for row in finite]
        targets = answered(answers[finite])
        found = model.attribute([example.text for example in kept], targets, method=method) if kept else []
        read = np.array([row for row, each in enumerate(found) if each.words], dtype=np.int64)
        return cls(
            examples=tuple(kept[row] for row in read),
            answers=answers[finite[read]],
            method=method,
            targets=tuple(targets[row] for row in read),
            attributions=tuple(found[row] for row in read),
            unscored=len(examples) - len(read),
        )

    def __len__(self) -> int:
        return len(self.examples)

    def take(self, rows: Ints) -> Explained:
        """The items at these positions; `unscored` stays with the whole."""
        return Explained(
            examples=tuple(self.examples[row] for row in rows),
            answers=self.answers[rows],
            method=self.method,
            targets=tuple(self.targets[row] for row in rows),
            attributions=tuple(self.attributions[row] for row in rows),
        )

    @cached_property
    def clusters(self) -> list[str]:
        """(n,)."""
        return [example.cluster for example in self.examples]

    @cached_property
    def probabilities(self) -> Floats:
        """(n,): of the target; of a regression, its value."""
        return target_scores(self.answers, self.targets)

    @cached_property
    def labelled(self) -> Bools:
        """(n,): is the right answer known."""
        return np.array([example.gold is not None for example in self.examples], dtype=bool)

    @cached_property
    def right(self) -> Bools:
        """(n,): is the answer right; False where that is unknown, or undefined (regression)."""
        right = np.zeros(len(self), dtype=bool)
        if self.labelled.any() and self.answers.problem is not ProblemType.REGRESSION:
            golds = [example.gold for example in self.examples if example.gold is not None]
            right[self.labelled] = correct(self.answers[self.labelled], golds)
        return right


def answered(answers: Classifications) -> list[str]:
    """(n,): the label that was answered; with several at once the most probable; of a regression its only label."""
    return [answers.labels[index] for index in answers.logits.argmax(axis=1)]


def target_scores(answers: Classifications, targets: Sequence[str]) -> Floats:
    """(n,): the probability of each target; of a regression its value."""
    return np.asarray(answers.scores[np.arange(len(targets)), _columns(answers, targets)])


def target_logits(answers: Classifications, targets: Sequence[str]) -> Floats:
    """(n,): the logit of each target; of a regression its value."""
    return np.asarray(answers.logits[np.arange(len(targets)), _columns(answers, targets)])


def _columns(answers: Classifications, targets: Sequence[str]) -> Ints:
    return np.array([answers.labels.index(target) for target in targets], dtype=np.int64)


def accounting(items: Explained, *, asked: Method, total: int | None = None, note: str = "") -> Accounting:
    """What became of the items, and by which method they were explained where it is not the one asked for.

    Args:
        total: how many items there were, where only a sample of them was explained.
    """
    n, explained = len(items), len(items) + items.unscored
    parts = (sampled(explained, total), instead(items.method, asked=asked), note, unread(items.attributions))
    return Accounting(
        eligible=explained if total is None else total,
        scored=n,
        unscored=items.unscored,
        tied=int(items.answers.tied.sum()) if n else 0,
        note="; ".join(part for part in parts if part),
    )


def sampled(explained: int, total: int | None) -> str:
    """How many of all items are left out, in words; nothing where none is."""
    if total is None or explained >= total:
        return ""
    return (
        f"{total - explained} of {total} items are left out: a sample of {explained} is explained, the most that the "
        "parameter items allows"
    )


def unread(attributions: Iterable[Attribution]) -> str:
    """How many words of these texts the model did not read, in words; nothing where it read all."""
    words = sum(each.unread for each in attributions)
    return f"{plural(words, 'word lies', 'words lie')} beyond the model's length limit" if words else ""


def shown(attribution: Attribution, *, answer: str, confidence: float | None) -> Shown:
    """The text with the weight of each of its words, as evidence shows it."""
    text = attribution.text
    return Shown(
        texts=(text,) if isinstance(text, str) else text,
        answer=answer,
        confidence=None if confidence is None or np.isnan(confidence) else confidence,
        words=tuple(
            WordWeight(part=span.part, start=span.start, end=span.end, weight=float(weight))
            for span, weight in zip(attribution.words, attribution.scores, strict=True)
        ),
    )


def gold_of(example: Example) -> str | None:
    """The right answer as a reader sees it."""
    return gold_text(example.gold)
