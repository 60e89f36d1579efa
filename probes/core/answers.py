"""What a classifier answers, in columns: one object for n answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from probes.core.examples import Gold

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class ProblemType(StrEnum):
    """What a head can be: the three kinds of sequence classification, named as in `config.problem_type`, and others."""

    SINGLE_LABEL = "single_label_classification"
    MULTI_LABEL = "multi_label_classification"
    REGRESSION = "regression"
    TOKEN = "token_classification"
    SPAN = "question_answering"
    MASKED_LM = "masked_language_model"
    CAUSAL_LM = "causal_language_model"
    SEQ2SEQ_LM = "sequence_to_sequence_language_model"


SEQUENCE_HEADS = frozenset({ProblemType.SINGLE_LABEL, ProblemType.MULTI_LABEL, ProblemType.REGRESSION})
"""Heads that give one answer to a whole text, as `Classifications` hold them."""

LANGUAGE_HEADS = frozenset({ProblemType.MASKED_LM, ProblemType.CAUSAL_LM})
"""Heads that say how likely any text is."""

WRITING_HEADS = frozenset({ProblemType.CAUSAL_LM, ProblemType.SEQ2SEQ_LM})
"""Heads that write texts."""

UNLABELLED_HEADS = LANGUAGE_HEADS | WRITING_HEADS | {ProblemType.SPAN}
"""Heads whose outputs are no labels, whatever their configuration names."""


@dataclass(frozen=True, kw_only=True)
class Classifications:
    """n answers of one classifier, in the order the texts were asked.

    Attributes:
        logits: (n, labels) raw outputs of the head.
        labels: label names in the order of the columns.
        problem: how the logits are to be read.
        tolerance: a difference in probability below this may be numerical noise of the dtype.
    """

    logits: Floats
    labels: tuple[str, ...]
    problem: ProblemType
    tolerance: float = 1e-5

    def __len__(self) -> int:
        return len(self.logits)

    def __getitem__(self, index: NDArray[np.integer] | NDArray[np.bool_] | slice) -> Classifications:
        return Classifications(
            logits=self.logits[index], labels=self.labels, problem=self.problem, tolerance=self.tolerance
        )

    @cached_property
    def scores(self) -> Floats:
        """(n, labels): probabilities (softmax or sigmoid), or the raw value for a regression."""
        if self.problem is ProblemType.SINGLE_LABEL:
            return np.asarray(softmax(self.logits, axis=1), dtype=np.float64)
        if self.problem is ProblemType.MULTI_LABEL:
            return np.asarray(expit(self.logits), dtype=np.float64)
        return self.logits

    @cached_property
    def top(self) -> Ints:
        """(n,): index of the highest-scoring label; the lowest index wins an exact tie."""
        return np.asarray(np.argmax(self.logits, axis=1), dtype=np.int64)

    @cached_property
    def confidence(self) -> Floats:
        """(n,): probability of the answer given. Multi-label: mean over labels of max(p, 1 - p). Regression: NaN."""
        if self.problem is ProblemType.SINGLE_LABEL:
            return np.asarray(self.scores.max(axis=1))
        if self.problem is ProblemType.MULTI_LABEL:
            return np.asarray(np.maximum(self.scores, 1 - self.scores).mean(axis=1))
        return np.full(len(self), np.nan)

    @cached_property
    def chosen(self) -> Bools:
        """(n, labels): the labels each answer consists of (one-hot for single-label, p >= 0.5 for multi-label)."""
        if self.problem is ProblemType.MULTI_LABEL:
            return self.scores >= 0.5
        return np.eye(len(self.labels), dtype=bool)[self.top]

    @cached_property
    def tied(self) -> Bools:
        """(n,): the answer hangs on a margin within numerical noise, so a change of it proves nothing."""
        if self.problem is ProblemType.MULTI_LABEL:
            return np.asarray((np.abs(self.scores - 0.5) < self.tolerance).any(axis=1))
        if self.problem is ProblemType.REGRESSION or len(self.labels) < 2:
            return np.zeros(len(self), dtype=bool)
        top_two = np.partition(self.scores, -2, axis=1)[:, -2:]
        return np.asarray(top_two[:, 1] - top_two[:, 0] < self.tolerance)

    def names(self) -> list[str]:
        """The answers as text: label name, "a + b" for several labels, the number for a regression."""
        if self.problem is ProblemType.REGRESSION:
            return [f"{value:.3f}" for value in self.logits[:, 0]]
        if self.problem is ProblemType.SINGLE_LABEL:
            return [self.labels[index] for index in self.top]
        return [
            " + ".join(label for label, on in zip(self.labels, row, strict=True) if on) or "(none)"
            for row in self.chosen
        ]


def changed(before: Classifications, after: Classifications, *, step: float = 0.0) -> Bools:
    """(n,): did the answer change by more than numerical noise.

    Single-label: another label on top, and on each side the margin between the two labels concerned is above the
    tolerance. Multi-label: some label switched, and was on neither side within the tolerance of one half.
    Regression: the value moved by more than `step` (and more than the tolerance).
    """
    if before.problem is ProblemType.REGRESSION:
        moved = np.abs(before.logits[:, 0] - after.logits[:, 0])
        return np.asarray(moved > max(step, before.tolerance))
    if before.problem is ProblemType.MULTI_LABEL:
        clear = (np.abs(before.scores - 0.5) >= before.tolerance) & (np.abs(after.scores - 0.5) >= after.tolerance)
        return np.asarray(((before.chosen != after.chosen) & clear).any(axis=1))
    rows = np.arange(len(before))
    lost = before.scores[rows, before.top] - before.scores[rows, after.top]
    won = after.scores[rows, after.top] - after.scores[rows, before.top]
    different = before.top != after.top
    return np.asarray(different & (lost >= before.tolerance) & (won >= after.tolerance))


def correct(answers: Classifications, golds: Sequence[Gold]) -> Bools:
    """(n,): does each answer equal its gold label, or its whole gold set (multi-label).

    Raises:
        ValueError: for a regression, where right and wrong are not defined, or a gold that is None.
    """
    if answers.problem is ProblemType.REGRESSION:
        raise ValueError("a regression has no right or wrong answers, only errors")
    return np.asarray((answers.chosen == gold_matrix(golds, labels=answers.labels)).all(axis=1))


def gold_matrix(golds: Sequence[Gold], *, labels: Sequence[str]) -> Bools:
    """(n, labels): True where the gold names the label.

    Raises:
        ValueError: for a gold that is None or a number.
        KeyError: for a label name the model does not have.
    """
    index = {label: column for column, label in enumerate(labels)}
    matrix = np.zeros((len(golds), len(labels)), dtype=bool)
    for row, gold in enumerate(golds):
        if gold is None or isinstance(gold, float):
            raise ValueError(f"not a label: {gold!r}")
        for name in (gold,) if isinstance(gold, str) else gold:
            matrix[row, index[name]] = True
    return matrix
