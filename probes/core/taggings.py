"""What a tagger answers, in columns: one object for the words of n texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import softmax

from probes.core.answers import Bools, Floats, Ints
from probes.core.examples import Text


def tagged_words(text: Text) -> list[str]:
    """The words of a text that a tagger gives labels to: what blanks separate, punctuation marks on their own included
    where the data separate them.

    Raises:
        ValueError: for a pair.
    """
    if not isinstance(text, str):
        raise ValueError("a tagger reads one text, not a pair")
    return text.split()


@dataclass(frozen=True, kw_only=True)
class Taggings:
    """n answers of one tagger, in the order the texts were asked.

    Attributes:
        logits: (words, labels) raw outputs of the head for each word of all texts, one text after another; NaN for
            words that were not read, because the text was cut off before or the tokenizer leaves nothing of them.
        starts: (n + 1,) the words of text i are rows starts[i]:starts[i + 1].
        labels: label names in the order of the columns.
        tolerance: a difference in probability below this may be numerical noise of the dtype.
    """

    logits: Floats
    starts: Ints
    labels: tuple[str, ...]
    tolerance: float = 1e-5

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, rows: Ints) -> Taggings:
        """The texts of `rows`, in that order."""
        lengths = np.diff(self.starts)[rows]
        starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        places = np.repeat(self.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
        return Taggings(logits=self.logits[places], starts=starts, labels=self.labels, tolerance=self.tolerance)

    @cached_property
    def read(self) -> Bools:
        """(words,): did the model read the word at all."""
        return np.asarray(np.isfinite(self.logits).all(axis=1))

    @cached_property
    def scores(self) -> Floats:
        """(words, labels): probabilities; NaN for words that were not read."""
        return np.asarray(softmax(self.logits, axis=1), dtype=np.float64)

    @cached_property
    def top(self) -> Ints:
        """(words,): index of the highest-scoring label, the lowest one of an exact tie; -1 for words not read."""
        return np.where(self.read, np.argmax(np.where(self.read[:, None], self.logits, 0.0), axis=1), -1)

    @cached_property
    def confidence(self) -> Floats:
        """(words,): probability of the label given; NaN for words not read."""
        return np.asarray(self.scores.max(axis=1, initial=-np.inf)) if len(self.logits) else np.zeros(0)

    @cached_property
    def tied(self) -> Bools:
        """(words,): the label hangs on a margin within numerical noise."""
        if len(self.labels) < 2:
            return np.zeros(len(self.logits), dtype=bool)
        top_two = np.partition(self.scores, -2, axis=1)[:, -2:]
        return np.asarray(self.read & (top_two[:, 1] - top_two[:, 0] < self.tolerance))

    def words_of(self, row: int) -> slice:
        """Where the words of a text are in the columns."""
        return slice(int(self.starts[row]), int(self.starts[row + 1]))

    def tags(self, row: int) -> list[str | None]:
        """The label of each word of a text; None for words not read."""
        return named(self.top[self.words_of(row)], self.labels)


def named(tops: Ints, labels: Sequence[str]) -> list[str | None]:
    """Label names of (words,) indices; None for -1."""
    return [labels[index] if index >= 0 else None for index in tops.tolist()]


def settled(before: Taggings, after: Taggings) -> Ints:
    """(words,): the labels of `after`, but where a change from `before` is within numerical noise those of `before`.

    Both must be about texts of the same numbers of words. A word that one of them did not read is -1.
    """
    read = before.read & after.read
    rows = np.flatnonzero(read & (before.top != after.top))
    old, new = before.top[rows], after.top[rows]
    lost = before.scores[rows, old] - before.scores[rows, new]
    won = after.scores[rows, new] - after.scores[rows, old]
    tops = np.where(read, before.top, -1)
    clear = (lost >= before.tolerance) & (won >= after.tolerance)
    tops[rows] = np.where(clear, new, old)
    return tops
