"""The labelled part of the data together with the answers, as the probes of this package use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from probes.core.answers import Classifications, ProblemType, correct, gold_matrix
from probes.core.examples import Example, Gold
from probes.core.model import Classifier
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Outcomes, Shown, Skip, SkipReason

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Labelled:
    """n labelled items and their answers, sorted by item id: the order of the rows changes nothing, intervals included.

    Attributes:
        unlabelled: how many items had no gold and are not among these.
    """

    examples: tuple[Example, ...]
    answers: Classifications
    unlabelled: int = 0

    @classmethod
    def ask(cls, model: Classifier, data: Sequence[Example]) -> Labelled:
        """Ask about every labelled item, in one call."""
        examples = tuple(sorted((e for e in data if e.gold is not None), key=lambda example: example.id))
        answers = model.classify([example.text for example in examples]) if examples else _no_answers(model)
        return cls(examples, answers, unlabelled=len(data) - len(examples))

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, kept: Bools) -> Labelled:
        rows = np.flatnonzero(kept)
        return Labelled(tuple(self.examples[row] for row in rows), self.answers[rows])

    @property
    def labels(self) -> tuple[str, ...]:
        return self.answers.labels

    @property
    def problem(self) -> ProblemType:
        return self.answers.problem

    @cached_property
    def clusters(self) -> list[str]:
        return [example.cluster for example in self.examples]

    @cached_property
    def gold(self) -> Bools:
        """(n, K): which labels are right."""
        return gold_matrix([example.gold for example in self.examples], labels=self.labels)

    @cached_property
    def correct(self) -> Bools:
        """(n,): the answer, or the whole set of answers, is right."""
        return correct(self.answers, [example.gold for example in self.examples])

    @cached_property
    def values(self) -> tuple[Floats, Floats]:
        """(n,) predicted and (n,) gold scores of a regression."""
        gold = [float(example.gold) for example in self.examples if isinstance(example.gold, int | float)]
        return self.answers.logits[:, 0], np.array(gold, dtype=np.float64)

    @cached_property
    def badness(self) -> Floats:
        """(n,): how bad each answer is: confidence of a wrong one, absolute error of a score; 0 for a right one."""
        if self.problem is ProblemType.REGRESSION:
            predicted, gold = self.values
            return np.abs(predicted - gold)
        return np.where(self.correct, 0.0, self.answers.confidence)


def accounting(items: Labelled) -> Accounting:
    """Everything labelled was scored; unlabelled items were not, and are no errors either."""
    n = len(items)
    return Accounting(eligible=n, scored=n, unscored=items.unlabelled, tied=int(items.answers.tied.sum()) if n else 0)


def no_gold() -> Skip:
    """When no item has a gold label."""
    return Skip(
        reason=SkipReason.NO_GOLD,
        detail="No item has a right answer to compare with.",
        enable="name the label column with --label-column",
    )


def cases(items: Labelled, ctx: Context, *, note: Callable[[int], str]) -> Iterator[Evidence]:
    """Random items, then the worst ones; `note` says a sentence about the item in a row. No item is shown twice."""
    drawn = sorted(range(len(items)), key=lambda row: ctx.rng("evidence", items.examples[row].id).random())
    ordinary = drawn[: ctx.random_cases]
    ranked = sorted(range(len(items)), key=lambda row: (-items.badness[row], items.examples[row].id))
    worst = [row for row in ranked if items.badness[row] > 0 and row not in ordinary][: ctx.worst_cases]
    names = items.answers.names()
    for chosen, rows in (("random", ordinary), ("worst", worst)):
        for row in rows:
            yield _case(items, row, answer=names[row], chosen=chosen, note=note(row))


def outcomes(items: Labelled) -> Outcomes:
    """One row for each labelled item."""
    regression = items.problem is ProblemType.REGRESSION
    n = len(items)
    score = items.answers.logits[:, 0] if regression else items.answers.confidence
    return Outcomes(
        example_id=[example.id for example in items.examples],
        cluster=items.clusters,
        variant=[""] * n,
        after=items.answers.names(),
        before=[None] * n,
        gold=[gold_text(example.gold) for example in items.examples],
        correct=[None] * n if regression else [bool(right) for right in items.correct],
        changed=[None] * n,
        score=[float(value) for value in score],
    )


def gold_text(gold: Gold) -> str | None:
    """A gold as a reader sees it."""
    if isinstance(gold, tuple):
        return " + ".join(gold) or "(none)"
    return f"{gold:g}" if isinstance(gold, float) else gold


def _case(items: Labelled, row: int, *, answer: str, chosen: str, note: str) -> Evidence:
    example, confidence = items.examples[row], float(items.answers.confidence[row])
    return Evidence(
        example_id=example.id,
        chosen="random" if chosen == "random" else "worst",
        shown=(Shown(texts=example.texts, answer=answer, confidence=None if np.isnan(confidence) else confidence),),
        gold=gold_text(example.gold),
        note=note,
    )


def _no_answers(model: Classifier) -> Classifications:
    labels = model.card.labels
    return Classifications(logits=np.zeros((0, len(labels))), labels=labels, problem=model.card.problem)
