"""From the tokens a network wrote to the texts they are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.core.answers import Ints
from probes.core.generations import Generations
from probes.model.asking import Rows
from probes.model.generation import HEAD, Write
from probes.model.tokens import Encoder


@dataclass(frozen=True, kw_only=True)
class Written:
    """n continuations, as `Write` answers.

    Attributes:
        counts: (n,) tokens of each.
        ended: (n,) did the model end it.
        ties: (n,) the place of the first near tie of each; behind its end where there is none.
        ids, logs: (n, longest) tokens and their log-probabilities.
    """

    counts: Ints
    ended: NDArray[np.bool_]
    ties: Ints
    ids: Ints
    logs: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Rows, how: Write) -> Written:
        """The columns of (n, width) answers."""
        counts, ended, ties = rows[:, :HEAD].astype(np.int64).T
        ids, logs = rows[:, HEAD : HEAD + how.longest], rows[:, HEAD + how.longest :]
        return cls(counts=counts, ended=ended > 0, ties=ties, ids=ids.astype(np.int64), logs=logs.astype(np.float64))

    def generations(
        self, encoder: Encoder, stops: Sequence[str], *, cut: Ints, samples: int, tolerance: float
    ) -> Generations:
        """The texts, each cut at the first text to stop at."""
        texts, counts = self._stopped(encoder, stops)
        inside = np.arange(self.logs.shape[1]) < counts[:, None]
        return Generations(
            texts=[text.strip() for text in texts],
            tokens=counts,
            finished=self.ended | (counts < self.counts),
            logs=np.where(inside, self.logs, 0.0).sum(axis=1),
            cut=cut,
            near=self.ties < counts,
            samples=samples,
            tolerance=tolerance,
        )

    def _stopped(self, encoder: Encoder, stops: Sequence[str]) -> tuple[list[str], Ints]:
        whole = [row[:count].tolist() for row, count in zip(self.ids, self.counts.tolist(), strict=True)]
        texts = encoder.decode(whole)
        found = [_until(encoder, ids, text, stops) for ids, text in zip(whole, texts, strict=True)]
        return [text for text, _ in found], np.array([count for _, count in found], dtype=np.int64)


def _until(encoder: Encoder, ids: list[int], text: str, stops: Sequence[str]) -> tuple[str, int]:
    """The text up to the first of `stops`, and the tokens until that stood there, as if written token by token."""
    if not _holds(text, stops):
        return text, len(ids)

    def stopped(count: int) -> bool:
        return _holds(encoder.decode([ids[:count]])[0], stops)

    count = bisect_left(range(len(ids)), True, key=stopped)
    (shorter,) = encoder.decode([ids[:count]])
    return shorter[: min(shorter.find(stop) for stop in stops if stop in shorter)], count


def _holds(text: str, stops: Sequence[str]) -> bool:
    return any(stop in text for stop in stops)
