"""What a language model says of texts, in columns: the log-probability of each token of n texts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

import numpy as np

from probes.core.answers import Floats, Ints
from probes.core.examples import Text


class Scoring(StrEnum):
    """What the probability of a token is conditioned on."""

    LEFT_TO_RIGHT = "left_to_right"
    """The tokens before it: the log-probabilities of a text add up to that of the text."""
    ONE_MASKED = "one_masked"
    """All other tokens, with a mask in its place (pseudo-log-likelihood; Salazar et al. 2020)."""
    NONE_MASKED = "none_masked"
    """The whole text, itself included (AUL; Kaneko and Bollegala 2022)."""
    ATTENDED = "attended"
    """The same, each log-probability times the attention that its token gets (AULA; likewise): no probabilities."""
    WORD_FROM_LEFT = "word_from_left"
    """All tokens that are not counted, and the counted ones before it, with one mask for it and all counted ones behind
    it: how a word is filled into a blank (Nadeem et al. 2021)."""


MASKING = frozenset({Scoring.ONE_MASKED, Scoring.NONE_MASKED, Scoring.ATTENDED, Scoring.WORD_FROM_LEFT})
"""Rules for masked language models; the other one is for causal ones."""


def passage(text: Text) -> tuple[str, tuple[int, int]]:
    """What is read, and the characters [start, end) of it that are scored: of a pair a blank and the second text."""
    if isinstance(text, str):
        return text, (0, len(text))
    given = text[0].rstrip()
    whole = f"{given} {text[1].lstrip()}"
    return whole, (len(given), len(whole))


@dataclass(frozen=True, kw_only=True)
class Likelihoods:
    """n scored texts, in the order they were asked.

    Attributes:
        logs: (tokens,) natural logarithm of the probability of each scored token, one text after another.
        ids: (tokens,) which tokens these are.
        starts: (n + 1,) the tokens of text i are rows starts[i]:starts[i + 1].
        spans: (n, 2) characters [start, end) of what was read that the scored tokens of each text cover.
        unscored: (n,) tokens that were asked for and have no score: those beyond the length the model reads, and the
            first one of a text for a model without a token to begin with.
        tolerance: a difference in a log-probability below this may be numerical noise of the dtype.
    """

    logs: Floats
    ids: Ints
    starts: Ints
    spans: Ints
    unscored: Ints
    tolerance: float = 1e-4

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, rows: Ints) -> Likelihoods:
        """The texts of `rows`, in that order."""
        lengths = self.counts[rows]
        starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        places = np.repeat(self.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
        return replace(
            self,
            logs=self.logs[places],
            ids=self.ids[places],
            starts=starts,
            spans=self.spans[rows],
            unscored=self.unscored[rows],
        )

    def tokens_of(self, row: int) -> slice:
        """Where the tokens of a text are in the columns."""
        return slice(int(self.starts[row]), int(self.starts[row + 1]))

    @cached_property
    def counts(self) -> Ints:
        """(n,): scored tokens."""
        return np.diff(self.starts)

    @cached_property
    def totals(self) -> Floats:
        """(n,): log-probability of all scored tokens of each text; NaN for a text without any, never 0."""
        owner = np.repeat(np.arange(len(self)), self.counts)
        sums = np.bincount(owner, weights=self.logs, minlength=len(self))
        return np.where(self.counts > 0, sums, np.nan)

    @cached_property
    def means(self) -> Floats:
        """(n,): mean log-probability of a token; NaN for a text without a scored one."""
        return np.asarray(self.totals / np.maximum(self.counts, 1))
