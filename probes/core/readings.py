"""What a model that answers questions from a context says, in columns: one object for n answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from probes.core.answers import Bools, Floats, Ints
from probes.core.examples import Text

NONE = ""
"""How "the context does not answer the question" is written."""
NONE_THRESHOLD = 0.0
"""How far "no answer" must score above the best span to be given, in logits: the default of the SQuAD 2 reference."""


def question_and_context(text: Text) -> tuple[str, str]:
    """The two parts of an item.

    Raises:
        ValueError: for a single text.
    """
    if isinstance(text, str):
        raise ValueError("a model that answers questions reads a question and a context, not one text")
    return text


@dataclass(frozen=True, kw_only=True)
class Answers:
    """n answers, in the order in which the pairs of question and context were asked.

    Attributes:
        texts: the best span of each context, cut out of it; empty where it has none.
        starts, ends: (n,) its characters [start, end) in the context.
        scores: (n,) sum of the logits of its start and its end; -inf where there is none.
        seconds: (n,) the same of the second best span; -inf where there is none.
        totals: (n,) logarithm of the sum of exp(score) of the best spans, the best itself included.
        nulls: (n,) score of "the context does not answer it".
        may_abstain: whether that can be an answer. No configuration says whether a model was trained for it; that the
            data have such questions does.
        tolerance: a difference in probability below this may be numerical noise of the dtype.
    """

    texts: Sequence[str]
    starts: Ints
    ends: Ints
    scores: Floats
    seconds: Floats
    totals: Floats
    nulls: Floats
    may_abstain: bool = False
    tolerance: float = 1e-5

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, rows: Ints) -> Answers:
        """The answers in `rows`, in that order."""
        return replace(
            self,
            texts=[self.texts[row] for row in rows.tolist()],
            starts=self.starts[rows],
            ends=self.ends[rows],
            scores=self.scores[rows],
            seconds=self.seconds[rows],
            totals=self.totals[rows],
            nulls=self.nulls[rows],
        )

    def abstaining(self, allowed: bool) -> Answers:
        """The same where "no answer" can, or cannot, be an answer."""
        return replace(self, may_abstain=allowed)

    @cached_property
    def abstained(self) -> Bools:
        """(n,): is the answer given that there is none."""
        wins = self.nulls - self.scores > NONE_THRESHOLD
        return np.asarray((wins & self.may_abstain) | np.isneginf(self.scores))

    @cached_property
    def given(self) -> list[str]:
        """(n,): the answers, NONE for "there is none"."""
        return [NONE if none else text for text, none in zip(self.texts, self.abstained.tolist(), strict=True)]

    @cached_property
    def confidence(self) -> Floats:
        """(n,): probability of the answer given, among the best spans and, where it can be given, "no answer"."""
        own = np.where(self.abstained, self.nulls, self.scores)
        return np.where(np.isfinite(own), np.exp(np.minimum(own - self._total, 0.0)), 1.0)

    @cached_property
    def tied(self) -> Bools:
        """(n,): the answer hangs on a margin within numerical noise."""
        own = np.where(self.abstained, self.nulls, self.scores)
        next_best = np.maximum(self.seconds, self.nulls) if self.may_abstain else self.seconds
        rival = np.where(self.abstained, self.scores, next_best)
        gap = np.exp(own - self._total) - np.exp(rival - self._total)
        return np.asarray(np.isfinite(rival) & (gap < self.tolerance))

    @cached_property
    def _total(self) -> Floats:
        total = np.logaddexp(self.totals, self.nulls) if self.may_abstain else self.totals
        return np.where(np.isfinite(total), total, 0.0)

    @classmethod
    def of(cls, rows: Sequence[tuple[str, int, int, float, float, float, float]], *, tolerance: float) -> Answers:
        """From n rows of text, start, end, score, second score, total and null score."""
        texts, starts, ends, *numbers = zip(*rows, strict=True) if rows else ((),) * 7
        scores, seconds, totals, nulls = (np.array(column, dtype=np.float64) for column in numbers)
        return cls(
            texts=list(texts),
            starts=np.array(starts, dtype=np.int64),
            ends=np.array(ends, dtype=np.int64),
            scores=scores,
            seconds=seconds,
            totals=totals,
            nulls=nulls,
            tolerance=tolerance,
        )
