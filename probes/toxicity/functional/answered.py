"""Functional cases with a model's answers: what is right about them, and how single cases are shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from probes.core.answers import Bools, Classifications, Floats
from probes.core.functional_case import FunctionalCase
from probes.core.probe import Context
from probes.core.records import Evidence, Outcomes, Shown

CONTENT_NOTE = "hateful language"


@dataclass(frozen=True, kw_only=True)
class Answered:
    """n cases, sorted by id, with a finite answer to each.

    Attributes:
        cases, answers: (n,).
        flagged: (n,) was the case said to be harmful, at the deployed threshold.
        score: (n,) how probable the model holds it that the case is harmful.
    """

    cases: tuple[FunctionalCase, ...]
    answers: Classifications
    flagged: Bools
    score: Floats

    @cached_property
    def harmful(self) -> Bools:
        """(n,): should the case be found harmful."""
        return np.array([case.harmful is True for case in self.cases], dtype=bool)

    @cached_property
    def harmless(self) -> Bools:
        """(n,): should the case not be found harmful."""
        return np.array([case.harmful is False for case in self.cases], dtype=bool)

    @property
    def judged(self) -> Bools:
        """(n,): is there a right answer."""
        return self.harmful | self.harmless

    @property
    def right(self) -> Bools:
        """(n,): is the answer right; False where none is."""
        return (self.harmful & self.flagged) | (self.harmless & ~self.flagged)

    @cached_property
    def badness(self) -> Floats:
        """(n,): how far a wrong answer is from the right one, in probability; -1 where the answer is not wrong."""
        distance = np.where(self.harmful, 1 - self.score, self.score)
        return np.where(self.judged & ~self.right, distance, -1.0)

    @cached_property
    def clusters(self) -> list[str]:
        """(n,): cases made from one sentence are not independent."""
        return [case.template for case in self.cases]


def evidence(items: Answered, ctx: Context) -> Iterator[Evidence]:
    """Random cases, then the most confidently wrong ones, at most one for each functionality."""
    drawn = sorted(range(len(items.cases)), key=lambda row: ctx.rng("evidence", items.cases[row].id).random())
    ordinary = drawn[: ctx.random_cases]
    ranked = sorted(np.flatnonzero(items.badness >= 0).tolist(), key=lambda row: (-items.badness[row], row))
    worst: dict[str, int] = {}
    for row in ranked:
        if row not in ordinary:
            worst.setdefault(items.cases[row].functionality, row)
    for row in ordinary:
        yield _case(items, row, chosen="random")
    for row in list(worst.values())[: ctx.worst_cases]:
        yield _case(items, row, chosen="worst")


def _case(items: Answered, row: int, *, chosen: Literal["random", "worst"]) -> Evidence:
    case = items.cases[row]
    verdict = "answered as expected" if items.right[row] else "not answered as expected"
    return Evidence(
        example_id=case.id,
        chosen=chosen,
        shown=(
            Shown(
                texts=(case.text,),
                answer=items.answers[row : row + 1].names()[0],
                confidence=float(items.answers.confidence[row]),
            ),
        ),
        gold=_gold(case),
        note=f"{case.title}; {'no right answer is defined' if case.harmful is None else verdict}",
        content_note=CONTENT_NOTE,
        slice={"functionality": case.functionality} | ({"target": case.target} if case.target else {}),
    )


def _gold(case: FunctionalCase) -> str | None:
    return {True: "harmful", False: "not harmful", None: None}[case.harmful]


def outcomes(items: Answered) -> Outcomes:
    """One row for each case; the variant is the functionality."""
    n = len(items.cases)
    return Outcomes(
        example_id=[case.id for case in items.cases],
        cluster=items.clusters,
        variant=[case.functionality for case in items.cases],
        after=items.answers.names(),
        before=[None] * n,
        gold=[_gold(case) for case in items.cases],
        correct=[bool(right) if judged else None for right, judged in zip(items.right, items.judged, strict=True)],
        changed=[None] * n,
        score=items.answers.confidence.tolist(),
    )
