"""What a masked language model puts into the blanks of texts, in columns: one object for n texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probes.core.answers import Floats
from probes.core.generations import Generations

BLANK = "[M]"
"""How the blank of a text is written, as in HONEST; a text has one."""


@dataclass(frozen=True, kw_only=True)
class Fillings:
    """The k likeliest tokens for the blank of each of n texts, and how likely m given words are there.

    Attributes:
        texts: (n x k,) the likeliest first, without blanks around; those of text i are rows i x k and following. Empty
            for special tokens, and where the blank was cut off.
        logs: (n, k) their log-probabilities; NaN where the blank was cut off.
        words: (n, m) log-probabilities of the given words; NaN for those that are no single token, and where the blank
            was cut off.
    """

    texts: Sequence[str]
    logs: Floats
    words: Floats

    @property
    def count(self) -> int:
        """k."""
        return int(self.logs.shape[1])

    @property
    def generations(self) -> Generations:
        """The same as what a generator writes: each filling is a continuation of one token."""
        n = len(self.logs)
        return Generations(
            texts=self.texts,
            tokens=np.ones(n * self.count, dtype=np.int64),
            finished=np.ones(n * self.count, dtype=bool),
            logs=self.logs.ravel(),
            cut=np.zeros(n, dtype=np.int64),
            near=np.zeros(n * self.count, dtype=bool),
            samples=self.count,
        )
