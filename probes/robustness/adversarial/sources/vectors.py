"""Word vectors from a file: text as GloVe, fastText and word2vec write it, word2vec's .bin, or numpy's .npz."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from probes.core.errors import DataError
from probes.core.nearest import Nearest

Matrix = NDArray[np.float32]
Row = tuple[str, Matrix]

_SUFFIXES = (".txt", ".vec", ".bin", ".npz")
_HINT = "give GloVe or word2vec text (.txt, .vec), word2vec .bin, or .npz with the arrays words and vectors"
_PIECE = 1 << 20
_LONGEST = 10_000
"""Bytes of a word; a longer one is none."""


@dataclass(frozen=True)
class Vectors:
    """Words with a vector each.

    Attributes:
        name: of the file.
        digest: SHA-256 of its bytes.
        words: (n,) none twice, in the order of the file.
        matrix: (n, width) float32, each row of length 1 or 0.
    """

    name: str
    digest: str
    words: tuple[str, ...] = field(repr=False)
    matrix: Matrix = field(repr=False, compare=False)

    @property
    def parameter(self) -> str:
        """What they are, for the record."""
        return f"word vectors {self.name} {self.digest[:12]} ({len(self.words):,} words)"

    @cached_property
    def nearest(self) -> Nearest:
        """Their neighbours by cosine."""
        return Nearest(self.words, self.matrix)

    def similarity(self, one: str, other: str) -> float | None:
        """The cosine of two words; None where one of them has no vector."""
        rows = [self.nearest.row(word) for word in (one, other)]
        if None in rows:
            return None
        first, second = (self.matrix[row] for row in rows)
        return float(first @ second)


def load_vectors(path: Path) -> Vectors:
    """Read a file of word vectors, in one pass.

    Raises:
        DataError: it is missing, of another kind, or broken.
    """
    if not path.is_file():
        raise DataError(f"no file of word vectors {path}", hint=_HINT)
    if path.suffix not in _SUFFIXES:
        raise DataError(f"{path.name} is no file of word vectors that can be read", hint=_HINT)
    try:
        words, matrix = _read(path)
    except (OSError, ValueError, KeyError, EOFError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise DataError(f"{path.name} cannot be read as word vectors: {reason}", hint=_HINT) from None
    return Vectors(path.name, _digest(path), words, _unit(matrix))


def _read(path: Path) -> tuple[tuple[str, ...], Matrix]:
    words, matrix = (
        _npz(path) if path.suffix == ".npz" else _gathered(_bin(path) if path.suffix == ".bin" else _text(path))
    )
    if not words:
        raise ValueError("it holds no word")
    if not np.isfinite(matrix).all():
        broken = int(np.flatnonzero(~np.isfinite(matrix).all(axis=1))[0])
        raise ValueError(f"the vector of {words[broken]!r} is not finite")
    return words, matrix


def _npz(path: Path) -> tuple[tuple[str, ...], Matrix]:
    with np.load(path, allow_pickle=False) as held:
        words, matrix = [str(word) for word in held["words"].tolist()], held["vectors"].astype(np.float32)
    if matrix.ndim != 2 or len(words) != len(matrix):
        raise ValueError(f"{len(words)} words for vectors of the shape {matrix.shape}")
    return _gathered(zip(words, matrix, strict=True))


def _gathered(rows: Iterable[Row]) -> tuple[tuple[str, ...], Matrix]:
    """Of a word that stands twice the first vector counts."""
    found: dict[str, Matrix] = {}
    for word, vector in rows:
        found.setdefault(word, vector)
    return tuple(found), np.stack(list(found.values())) if found else np.zeros((0, 0), dtype=np.float32)


def _text(path: Path) -> Iterator[Row]:
    """A word may hold blanks itself; a first line of two whole numbers says how many words there are."""
    width = 0
    with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            fields = line.rstrip().split(" ")
            if number == 1 and len(fields) == 2 and all(part.isdigit() for part in fields):
                width = int(fields[1])
                continue
            if len(fields) < 2:
                raise ValueError(f"line {number} is no word with numbers")
            width = width or len(fields) - 1
            try:
                vector = np.array(fields[-width:], dtype=np.float32)
            except ValueError:
                raise ValueError(f"line {number} does not end in {width} numbers") from None
            if len(fields) <= width:
                raise ValueError(f"line {number} has {len(fields) - 1} numbers where {width} were expected")
            yield " ".join(fields[:-width]), vector


def _bin(path: Path) -> Iterator[Row]:
    """How many words and numbers, in text; then of each word its bytes, a blank, and little-endian float32 numbers."""
    with path.open("rb") as file:
        head = file.readline(100).split()
        if len(head) != 2 or not all(part.isdigit() for part in head):
            raise ValueError("its first line does not say how many words and numbers there are")
        count, width = int(head[0]), int(head[1])
        for number in range(count):
            word = _until_blank(file.read)
            raw = file.read(4 * width)
            if len(raw) < 4 * width or word is None:
                raise ValueError(f"it ends after {number} of {count} words")
            yield word.decode(errors="replace").lstrip("\n"), np.frombuffer(raw, dtype="<f4")


def _until_blank(read: Callable[[int], bytes]) -> bytes | None:
    found = bytearray()
    while len(found) < _LONGEST:
        sign = read(1)
        if sign in (b" ", b""):
            return bytes(found) if sign else None
        found += sign
    return None


def _unit(matrix: Matrix) -> Matrix:
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0))


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
