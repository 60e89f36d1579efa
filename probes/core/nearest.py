"""Which words are nearest to a word, by the cosine of vectors that somebody gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

DECIMALS = 5
"""Cosines are compared after rounding, so that the order does not depend on how many words are asked about at once."""

_AT_ONCE = 256


@dataclass(frozen=True)
class Nearest:
    """Words with vectors.

    Attributes:
        words: (n,) none twice; of equally near ones the first is taken first.
        matrix: (n, width) float32.
        lengths: (n,) of its rows, none 0; None where all are of length 1.
    """

    words: tuple[str, ...]
    matrix: Matrix
    lengths: Matrix | None = None

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {word: row for row, word in enumerate(self.words)}

    def row(self, word: str) -> int | None:
        """Where a word stands: as it is written, else in small letters; None for one that is not there."""
        found = self._rows.get(word)
        return self._rows.get(word.lower()) if found is None else found

    def of(self, words: Sequence[str], *, count: int) -> list[list[tuple[str, float]]]:
        """The `count` nearest to each of n words, with cosines, the nearest first; none for an unknown word."""
        rows = [self.row(word) for word in words]
        known = [row for row in rows if row is not None]
        found = iter(self.to(self.directions(known), count=count))
        return [[] if row is None else next(found) for row in rows]

    def directions(self, rows: Sequence[int]) -> Matrix:
        """The vectors of some rows, of length 1."""
        vectors = self.matrix[list(rows)]
        return vectors if self.lengths is None else np.asarray(vectors / self.lengths[list(rows), None])

    def to(self, vectors: Matrix, *, count: int) -> list[list[tuple[str, float]]]:
        """The `count` nearest to each of (n, width) vectors of length 1, a word with that very vector left out."""
        found: list[list[tuple[str, float]]] = []
        for start in range(0, len(vectors), _AT_ONCE):
            products = vectors[start : start + _AT_ONCE] @ self.matrix.T
            cosines = np.round(products if self.lengths is None else products / self.lengths, DECIMALS)
            found += [self._best(row, count) for row in cosines]
        return found

    def _best(self, cosines: Matrix, count: int) -> list[tuple[str, float]]:
        """Of the words as near as the last that is wanted all are looked at, so that the order decides among them."""
        wanted = min(count + 1, len(cosines))
        least = np.partition(cosines, len(cosines) - wanted)[len(cosines) - wanted]
        rows = np.flatnonzero(cosines >= least)
        rows = rows[np.argsort(-cosines[rows], kind="stable")]
        best = [(self.words[row], round(float(cosines[row]), DECIMALS)) for row in rows.tolist() if cosines[row] < 1.0]
        return best[:count]
