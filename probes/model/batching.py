"""Which sequences share a batch: decided by the set of sequences alone, so the same set gives the same batches.

The composition of a batch changes the last bits of its answers. For a resumed run to give the same bits as one that was
never interrupted, the batches must not depend on what the interrupted run had already answered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.core.answers import Ints
from probes.model.pooling import SPECIAL
from probes.model.sequences import Sequences

Block = NDArray[np.int64]


def ask_id(keys: Iterable[bytes]) -> int:
    """A signed 63-bit name for the set of keys of one call; the order of the keys has no influence."""
    digest = hashlib.blake2b(b"".join(sorted(keys)), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def canonical_order(lengths: Ints, keys: Sequence[bytes]) -> Ints:
    """Row numbers, longest first, equal lengths by key (of 16 bytes)."""
    high, low = np.frombuffer(b"".join(keys), dtype=">u8").reshape(-1, 2).T
    return np.lexsort((low, high, -lengths))


def cut(lengths: Ints, *, budget: int, same_length: bool = False) -> list[tuple[int, int]]:
    """Split rows sorted longest first into batches (first, last + 1) with rows x longest <= budget.

    A row longer than the budget makes a batch of its own. With `same_length`, no batch needs padding.
    """
    batches = []
    start = 0
    while start < len(lengths):
        longest = int(lengths[start])
        stop = min(start + max(1, budget // longest), len(lengths))
        if same_length:
            stop = start + int(np.searchsorted(-lengths[start:stop], -longest, side="right"))
        batches.append((start, stop))
        start = stop
    return batches


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows to be sent through the model together."""

    rows: Sequences

    @property
    def tokens(self) -> int:
        """What it costs: rows x longest, padding included."""
        return len(self.rows) * int(self.rows.lengths.max())

    def halves(self) -> Iterator[Batch]:
        """Its first and its second half."""
        middle = len(self.rows) // 2
        yield Batch(self.rows.take(np.arange(middle)))
        yield Batch(self.rows.take(np.arange(middle, len(self.rows))))

    def blocks(self, *, pad: int, left: bool = False) -> tuple[Block, Block, Block | None]:
        """(rows, longest) token ids, attention mask, and token types where the model reads them.

        Padding is on the right, or with `left` on the left.
        """
        lengths = self.rows.lengths
        places = np.arange(lengths.max())
        real = (places[::-1] if left else places) < lengths[:, None]
        return (
            _filled(real, self.rows.ids, pad),
            real.astype(np.int64),
            None if self.rows.types is None else _filled(real, self.rows.types, 0),
        )

    def words(self) -> Block:
        """(rows, longest): the word of each token; padding counts as special tokens."""
        assert self.rows.words is not None
        return _filled(np.arange(self.rows.lengths.max()) < self.rows.lengths[:, None], self.rows.words, SPECIAL)


def _filled(real: NDArray[np.bool_], values: NDArray[np.int32], pad: int) -> Block:
    block = np.full(real.shape, pad, dtype=np.int64)
    block[real] = values
    return block
