"""Questions with accepted answers together with the answers given, as probes of readers use them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answer_scores import exact_match, f1
from probes.core.answers import Bools, Floats
from probes.core.examples import Accepted, Example, Gold
from probes.core.model import Reader
from probes.core.probe import Context
from probes.core.readings import NONE, Answers
from probes.core.records import Evidence, Outcomes, Shown

NO_ANSWER = "(no answer)"
"""How NONE is shown to people."""


@dataclass(frozen=True)
class Answered:
    """n questions with accepted answers, and what was answered, sorted by item id: the order of rows changes nothing.

    Attributes:
        unlabelled: how many items had no gold and are not among these.
    """

    examples: tuple[Example, ...]
    answers: Answers
    unlabelled: int = 0

    @classmethod
    def ask(cls, model: Reader, data: Sequence[Example]) -> Answered:
        """Ask about every item with a gold, in one call."""
        examples = tuple(sorted((e for e in data if e.gold is not None), key=lambda example: example.id))
        answers = model.answer([example.text for example in examples]).abstaining(may_abstain(examples))
        return cls(examples, answers, unlabelled=len(data) - len(examples))

    def __len__(self) -> int:
        return len(self.examples)

    def where(self, kept: Bools) -> Answered:
        """Those picked by an (n,) mask."""
        rows = np.flatnonzero(kept)
        return Answered(tuple(self.examples[row] for row in rows), self.answers[rows])

    @cached_property
    def clusters(self) -> list[str]:
        return [example.cluster for example in self.examples]

    @cached_property
    def golds(self) -> list[Accepted]:
        """(n,): the accepted texts, none where the context has no answer."""
        return [accepted(example.gold) for example in self.examples]

    @cached_property
    def answerable(self) -> Bools:
        """(n,): does the context hold an answer."""
        return np.array([bool(gold) for gold in self.golds], dtype=bool)

    @cached_property
    def f1(self) -> Floats:
        """(n,): words shared with the best accepted answer, 0 to 1."""
        return f1_of(self.answers.given, self.golds)

    @cached_property
    def exact(self) -> Bools:
        """(n,): equal to an accepted answer after normalisation."""
        return exact_of(self.answers.given, self.golds)


def accepted(gold: Gold) -> Accepted:
    """The accepted texts of a labelled item.

    Raises:
        ValueError: for another kind of gold.
    """
    if not isinstance(gold, tuple):
        raise ValueError(f"not the accepted answers to a question: {gold!r}")
    return Accepted(gold)


def may_abstain(data: Sequence[Example]) -> bool:
    """Can "no answer" be right: is it, for any of the items."""
    return any(example.gold == () for example in data)


def f1_of(answers: Sequence[str], golds: Sequence[Sequence[str]]) -> Floats:
    """(n,) F1 of n answers against n golds."""
    return np.array([f1(answer, gold) for answer, gold in zip(answers, golds, strict=True)], dtype=np.float64)


def exact_of(answers: Sequence[str], golds: Sequence[Sequence[str]]) -> Bools:
    """(n,) exact matches of n answers with n golds."""
    return np.array([exact_match(answer, gold) for answer, gold in zip(answers, golds, strict=True)], dtype=bool)


def told(answer: str) -> str:
    """An answer as a reader sees it."""
    return NO_ANSWER if answer == NONE else answer


def gold_told(gold: Gold) -> str | None:
    """The accepted answers as a reader sees them; None where they are not known."""
    return None if gold is None else " | ".join(accepted(gold)) or NO_ANSWER


def outcomes(items: Answered) -> Outcomes:
    """One row for each question with accepted answers; right is an exact match."""
    n = len(items)
    return Outcomes(
        example_id=[example.id for example in items.examples],
        cluster=items.clusters,
        variant=[""] * n,
        after=[told(answer) for answer in items.answers.given],
        before=[None] * n,
        gold=[gold_told(gold) for gold in items.golds],
        correct=items.exact.tolist(),
        changed=[None] * n,
        score=items.answers.confidence.tolist(),
        values={"f1": items.f1.tolist()},
    )


def cases(items: Answered, ctx: Context) -> Iterator[Evidence]:
    """Random questions, then those with the lowest F1, the most confident first; none is shown twice."""
    rows = range(len(items))
    confidence, answers = items.answers.confidence, items.answers.given
    drawn = sorted(rows, key=lambda row: ctx.rng("evidence", items.examples[row].id).random())
    ordinary = drawn[: ctx.random_cases]
    ranked = sorted(rows, key=lambda row: (items.f1[row], -confidence[row], items.examples[row].id))
    worst = [row for row in ranked if items.f1[row] < 1 and row not in ordinary][: ctx.worst_cases]
    for row in (*ordinary, *worst):
        yield Evidence(
            example_id=items.examples[row].id,
            chosen="random" if row in ordinary else "worst",
            shown=(
                Shown(texts=items.examples[row].texts, answer=told(answers[row]), confidence=float(confidence[row])),
            ),
            gold=gold_told(items.golds[row]),
            note=f"F1 {items.f1[row]:.2f}",
        )
