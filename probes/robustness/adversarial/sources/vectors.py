"""Word vectors from a file: text as GloVe, fastText and word2vec write it, word2vec's .bin, or numpy's .npz.

What is large stays where it is, as far as that is simple: float32 vectors in an .npz that was not compressed
(`np.savez`) are mapped into memory and read as they are needed, so the file must not be changed during a run; those of
a .bin, where words stand between them, are copied once.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from probes.core.answers import Floats
from probes.core.errors import DataError
from probes.core.nearest import Matrix, Nearest

Read = tuple[list[str], Matrix]
"""Words as they stand in the file, and (n, width) their vectors."""

_HINT = "give GloVe or word2vec text (.txt, .vec), word2vec .bin, or .npz with the arrays words and vectors"
_PIECE = 1 << 20
_ROWS = 1 << 14
"""Vectors that are measured at once."""
_LARGEST = 1e30
"""Squared length of a vector: products of a longer one may not fit into float32."""
_LONGEST = 10_000
"""Bytes of a word; a longer one is none."""
_BROKEN = (
    OSError, ValueError, KeyError, EOFError, RuntimeError, MemoryError, OverflowError, struct.error,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What reading a damaged file may raise; RuntimeError where it is encrypted, or packed in an unknown way."""


@dataclass(frozen=True)
class Vectors:
    """Words with a vector each.

    Attributes:
        name: of the file.
        digest: SHA-256 of its bytes.
        words: (n,) none twice, in the order of the file.
        matrix: (n, width) float32, as in the file.
        lengths: (n,) float32 of the rows, 1 where a row is 0.
    """

    name: str
    digest: str
    words: tuple[str, ...] = field(repr=False)
    matrix: Matrix = field(repr=False, compare=False)
    lengths: Matrix = field(repr=False, compare=False)

    @property
    def parameter(self) -> str:
        """What they are, for the record."""
        return f"word vectors {self.name} {self.digest[:12]} ({len(self.words):,} words)"

    @cached_property
    def nearest(self) -> Nearest:
        """Their neighbours by cosine."""
        return Nearest(self.words, self.matrix, self.lengths)

    def similarity(self, one: str, other: str) -> float | None:
        """The cosine of two words; None where one of them has no vector."""
        first, second = self.nearest.row(one), self.nearest.row(other)
        if first is None or second is None:
            return None
        both = self.nearest.directions([first, second])
        return float(both[0] @ both[1])


def load_vectors(path: Path) -> Vectors:
    """Read a file of word vectors, or map it into memory.

    Raises:
        DataError: it is missing, of another kind, or broken.
    """
    if not path.is_file():
        raise DataError(f"no file of word vectors {path}", hint=_HINT)
    if path.suffix not in _READERS:
        raise DataError(f"{path.name} is no file of word vectors that can be read", hint=_HINT)
    try:
        words, matrix = _distinct(*_READERS[path.suffix](path))
        lengths = _lengths(words, matrix)
    except _BROKEN as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise DataError(f"{path.name} cannot be read as word vectors: {reason}", hint=_HINT) from None
    return Vectors(path.name, _digest(path), tuple(words), matrix, lengths)


def _distinct(words: list[str], matrix: Matrix) -> Read:
    """Of a word that stands twice the first vector counts."""
    if not words:
        raise ValueError("it holds no word")
    first = {word: row for row, word in reversed(list(enumerate(words)))}
    if len(first) == len(words):
        return words, matrix
    rows = sorted(first.values())
    return [words[row] for row in rows], matrix[rows]


def _lengths(words: list[str], matrix: Matrix) -> Matrix:
    """(n,) of the rows; 1 for a row of zeros, which then is near nothing."""
    squares = np.concatenate([_squares(matrix[start : start + _ROWS]) for start in range(0, len(matrix), _ROWS)])
    usable = squares < _LARGEST  # which what is no number is not
    if not usable.all():
        raise ValueError(f"the vector of {words[int(np.argmin(usable))]!r} is not finite, or too large")
    if not squares.any():
        raise ValueError("all its vectors are zero")
    return np.where(squares > 0, np.sqrt(squares), 1.0).astype(np.float32)


def _squares(rows: Matrix) -> Floats:
    """(n,) sums of the squares, in twice the precision, so that no finite vector has an infinite one."""
    wide = rows.astype(np.float64)
    return np.asarray(np.einsum("ij,ij->i", wide, wide))


def _npz(path: Path) -> Read:
    if not zipfile.is_zipfile(path):  # for which numpy advises to unpickle it
        raise ValueError("it is no archive of arrays")
    with np.load(path, allow_pickle=False) as held:
        names, mapped = _array(held, "words", "U"), _mapped(path)
        matrix = _array(held, "vectors", "fiu").astype(np.float32) if mapped is None else mapped
    if matrix.ndim != 2 or names.shape != matrix.shape[:1]:
        raise ValueError(f"words of the shape {names.shape} for vectors of the shape {matrix.shape}")
    return [str(word) for word in names.tolist()], matrix


def _array(held: Mapping[str, Any], name: str, kinds: str) -> NDArray[Any]:
    """An array of an archive, of one of numpy's kinds of data."""
    if name not in held:
        raise ValueError(f"it has no array {name}")
    try:
        found = held[name]
    except ValueError:  # in words of numpy's, which advise to unpickle it
        found = None
    if not isinstance(found, np.ndarray) or found.dtype.kind not in kinds:
        raise ValueError(f"its array {name} does not hold {'texts' if kinds == 'U' else 'numbers'}")
    return found


def _mapped(path: Path) -> Matrix | None:
    """The vectors of an archive where they are; None where they are packed, or other than float32 row by row."""
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        entry = archive.getinfo("vectors.npy")
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            return None
        file.seek(entry.header_offset)
        local = file.read(30)  # of the local header, which may hold more than the directory says
        file.seek(sum(struct.unpack("<HH", local[26:30])), 1)
        shape, by_column, dtype = _header(file)
        if by_column or dtype != np.dtype("<f4") or len(shape) != 2 or 0 in shape:
            return None
        return np.memmap(file, dtype="<f4", mode="r", offset=file.tell(), shape=shape)


def _header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Shape, whether it is stored by columns, and kind of numbers of an array in numpy's format."""
    read = npy.read_array_header_1_0 if npy.read_magic(file) == (1, 0) else npy.read_array_header_2_0
    return read(file)


def _text(path: Path) -> Read:
    try:
        rows = list(_lines(path))
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    return [word for word, _ in rows], np.stack([vector for _, vector in rows]) if rows else np.zeros((0, 0), "<f4")


def _lines(path: Path) -> Iterator[tuple[str, Matrix]]:
    """A word may hold blanks itself; a first line of two whole numbers says how many words there are."""
    width = 0
    with path.open(encoding="utf-8", newline="\n") as lines:
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


def _bin(path: Path) -> Read:
    """How many words and numbers, in text; then of each word its bytes, a blank, and little-endian float32 numbers."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        line, newline, _ = held[:100].partition(b"\n")
        head = line.split()
        if not newline or len(head) != 2 or not all(part.isdigit() for part in head) or not int(head[1]):
            raise ValueError("its first line does not say how many words and numbers there are")
        count, width = int(head[0]), int(head[1])
        at, size = len(line) + 1, 4 * width
        words: list[str] = []
        matrix = np.empty((min(count, len(held) // size), width), dtype=np.float32)
        for row in range(count):
            blank = held.find(b" ", at, at + _LONGEST)
            if blank < 0 or blank + 1 + size > len(held):
                raise ValueError(f"it ends after {row} of {count} words")
            words.append(held[at:blank].decode(errors="replace").lstrip("\n"))
            matrix[row] = np.frombuffer(held, "<f4", width, blank + 1)
            at = blank + 1 + size
        return words, matrix


_READERS: Mapping[str, Callable[[Path], Read]] = {".txt": _text, ".vec": _text, ".bin": _bin, ".npz": _npz}


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
