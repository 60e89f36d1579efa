"""Token sequences of different lengths in columns: no Python object is kept per token."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from probes.core.answers import Ints

Ids = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequences:
    """n token sequences, one after another.

    Attributes:
        ids: (tokens,) of all sequences.
        types: (tokens,) token type ids, or None for a model that reads none.
        starts: (n + 1,) sequence i is ids[starts[i]:starts[i + 1]].
    """

    ids: Ids
    types: Ids | None
    starts: Ints

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Ints:
        """(n,): tokens in each sequence."""
        return np.diff(self.starts)

    def take(self, rows: Ints) -> Sequences:
        """The sequences of `rows`, in that order."""
        lengths = self.lengths[rows]
        starts = np.concatenate(([0], np.cumsum(lengths)))
        places = np.repeat(self.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
        return Sequences(ids=self.ids[places], types=None if self.types is None else self.types[places], starts=starts)

    def keys(self, scope: bytes) -> list[bytes]:
        """BLAKE2b-128 of each sequence under `scope` (at most 64 bytes): what decides the answer, and nothing else."""
        parts = [self.ids] if self.types is None else [self.ids, self.types]
        rows = [part.tobytes() for part in parts]
        bounds = (4 * self.starts).tolist()
        spans = pairwise(bounds)
        blake2b = hashlib.blake2b
        if len(rows) == 1:
            ids = rows[0]
            return [blake2b(ids[a:b], digest_size=16, key=scope).digest() for a, b in spans]
        ids, types = rows
        return [blake2b(ids[a:b] + types[a:b], digest_size=16, key=scope).digest() for a, b in spans]


def packed(ids: list[list[int]], types: list[list[int]] | None = None) -> Sequences:
    """Sequences from lists of ids."""
    starts = np.zeros(len(ids) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, ids), dtype=np.int64, count=len(ids)), out=starts[1:])
    total = int(starts[-1])
    return Sequences(ids=_flat(ids, total), types=None if types is None else _flat(types, total), starts=starts)


def _flat(rows: Sequence[list[int]], total: int) -> Ids:
    return np.fromiter(chain.from_iterable(rows), dtype=np.int32, count=total)
