"""Words that a model holds to be alike: neighbours in its own table of word embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.core.nearest import Nearest
from probes.model.tokens import Encoder

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class WholeWords:
    """The tokens of a vocabulary that are words by themselves, as they stand within a text.

    Attributes:
        words: (n,) none twice.
        ids: (n,) their tokens.
        table: (vocabulary, width) float32, of all tokens.
    """

    encoder: Encoder
    words: tuple[str, ...]
    ids: NDArray[np.int64]
    table: Matrix
    nearest: Nearest

    @classmethod
    def of(cls, network: Any, encoder: Encoder) -> WholeWords:
        """Those of a network, letters only."""
        table = network.get_input_embeddings().weight.detach().float().cpu().numpy()
        ids = _whole(encoder, rows=len(table))
        vectors = _unit(table[list(ids.values())])
        return cls(
            encoder, tuple(ids), np.array(list(ids.values()), dtype=np.int64), table, Nearest(tuple(ids), vectors)
        )

    def neighbours(self, words: Sequence[str], *, count: int) -> list[list[tuple[str, float]]]:
        """The `count` nearest whole words of each of n words, with cosines; a word of several tokens is their mean."""
        vectors = (
            np.stack([self._vector(pieces) for pieces in within_text(self.encoder, words)]) if words else self.table[:0]
        )
        return self.nearest.to(_unit(vectors), count=count)

    def _vector(self, pieces: list[int]) -> Matrix:
        mean: Matrix = self.table[pieces].mean(axis=0) if pieces else np.zeros_like(self.table[0])
        return mean


def within_text(encoder: Encoder, words: Sequence[str]) -> list[list[int]]:
    """The tokens of each word as it stands behind a blank."""
    return encoder.encode_bare([f" {word}" for word in words])


def _whole(encoder: Encoder, *, rows: int) -> dict[str, int]:
    """{word: its token}: the words that a token spells, and that are cut into this one token behind a blank."""
    spelt = encoder.decode([[token] for token in range(min(rows, len(encoder.tokenizer)))])
    words = list(dict.fromkeys(text.strip() for text in spelt))
    words = [word for word in words if word.isalpha()]
    cut = within_text(encoder, words)
    return {word: pieces[0] for word, pieces in zip(words, cut, strict=True) if len(pieces) == 1 and pieces[0] < rows}


def _unit(matrix: Matrix) -> Matrix:
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0))
