"""Token sequences of different lengths in columns: no Python object is kept per token."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from probes.core.answers import Bools, Ints

Ids = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequences:
    """n token sequences, one after another.

    Attributes:
        ids: (tokens,) of all sequences.
        types: (tokens,) token type ids, or None for a model that reads none.
        starts: (n + 1,) sequence i is ids[starts[i]:starts[i + 1]].
        words: (tokens,) the word of each token, see `probes.model.pooling`, or of each word's first token only, where
            tags are asked for; the marks of `probes.model.windows`, where answers are; where tokens are scored, 0 for
            those and SPECIAL for all others; None for questions that need no words.
        targets: (n,) the label each sequence is asked about, or of a prompt the number of the sample; None for
            questions about all labels.
        goals: (tokens,) what of the answer about each token is explained, see `probes.model.aims`, 0 for nothing; None
            where all of an answer is meant.
    """

    ids: Ids
    types: Ids | None
    starts: Ints
    words: Ids | None = None
    targets: Ids | None = None
    goals: Ids | None = None

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Ints:
        """(n,): tokens in each sequence."""
        return np.diff(self.starts)

    def words_of(self, row: int) -> Ids:
        """(tokens,): the word of each token of one sequence."""
        assert self.words is not None
        return self.words[self.starts[row] : self.starts[row + 1]]

    def take(self, rows: Ints) -> Sequences:
        """The sequences of `rows`, in that order."""
        lengths = self.starts[rows + 1] - self.starts[rows]  # of these rows alone: there may be many others
        starts = np.concatenate(([0], np.cumsum(lengths)))
        places = np.repeat(self.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
        return Sequences(
            ids=self.ids[places],
            types=None if self.types is None else self.types[places],
            starts=starts,
            words=None if self.words is None else self.words[places],
            targets=None if self.targets is None else self.targets[rows],
            goals=None if self.goals is None else self.goals[places],
        )

    def where(self, wanted: Bools) -> Sequences:
        """The same sequences without the tokens that are not wanted (tokens,)."""
        before = np.concatenate(([0], np.cumsum(wanted)))
        return Sequences(
            ids=self.ids[wanted],
            types=None if self.types is None else self.types[wanted],
            starts=before[self.starts].astype(np.int64),
            words=None if self.words is None else self.words[wanted],
            targets=self.targets,
            goals=None if self.goals is None else self.goals[wanted],
        )

    def keys(self, scope: bytes) -> list[bytes]:
        """BLAKE2b-128 of each sequence under `scope` (at most 64 bytes): what decides the answer, and nothing else."""
        columns = [part.tobytes() for part in (self.ids, self.types, self.words, self.goals) if part is not None]
        targets = [b""] * len(self) if self.targets is None else [target.tobytes() for target in self.targets]
        spans = pairwise((4 * self.starts).tolist())
        blake2b = hashlib.blake2b
        if len(columns) == 1:
            ids = columns[0]
            return [
                blake2b(ids[a:b] + target, digest_size=16, key=scope).digest()
                for (a, b), target in zip(spans, targets, strict=True)
            ]
        return [
            blake2b(b"".join([*(column[a:b] for column in columns), target]), digest_size=16, key=scope).digest()
            for (a, b), target in zip(spans, targets, strict=True)
        ]


def packed(ids: list[list[int]], types: list[list[int]] | None = None) -> Sequences:
    """Sequences from lists of ids."""
    starts = np.zeros(len(ids) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, ids), dtype=np.int64, count=len(ids)), out=starts[1:])
    total = int(starts[-1])
    return Sequences(ids=flat(ids, total), types=None if types is None else flat(types, total), starts=starts)


def flat(rows: Sequence[list[int]], total: int) -> Ids:
    """The `total` numbers of all rows, one after another."""
    return np.fromiter(chain.from_iterable(rows), dtype=np.int32, count=total)
