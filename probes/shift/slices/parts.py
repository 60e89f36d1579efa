"""The natural parts of the user's data: by length, by the values of its columns, and by what the texts are like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from probes.core.answers import Bools, Floats
from probes.core.examples import Example, Text
from probes.core.stats.clusters import FEW
from probes.core.words import spans, word
from probes.text.kinds import kinds
from probes.text.perturbations.perturbation import WORD

VALUES = 20
"""At most so many values of a column are compared, the most frequent ones."""
QUARTERS = 4


@dataclass(frozen=True)
class Part:
    """Some of n items.

    Attributes:
        name: of the slice: what divides the items, and which part of it this is.
        holds: (n,).
    """

    name: str
    holds: Bools

    @property
    def slice(self) -> dict[str, str]:
        """The slice of its records."""
        return {"part": self.name}


def lengths(examples: Sequence[Example]) -> Iterator[Part]:
    """Quarters by the number of words; fewer where many texts are equally long."""
    words = np.array([_words(example.text) for example in examples])
    cuts = np.quantile(words, np.arange(1, QUARTERS) / QUARTERS, method="inverted_cdf")
    edges = np.unique(np.append(cuts, words.max()))
    low = int(words.min())
    for high in edges.tolist():
        yield Part(f"length in words: {_range(low, high)}", (words >= low) & (words <= high))
        low = high + 1


def values(column: str, found: Sequence[str | None]) -> tuple[list[Part], int]:
    """The parts with the VALUES most frequent of (n,) values, by name, and how many further values there are."""
    counts = Counter(value for value in found if value)
    kept = sorted(counts, key=lambda value: (-counts[value], value))[:VALUES]
    array = np.array([value or "" for value in found])
    return [Part(f"{column}: {value}", array == value) for value in sorted(kept)], len(counts) - len(kept)


def clusters(examples: Sequence[Example], vectors: Floats, *, seed: int) -> list[Part]:
    """Texts that are alike in the model's own eyes, by (n, width) vectors of them (`probes.text.kinds`)."""
    words = [frozenset(each.lower() for text in example.texts for each in WORD.findall(text)) for example in examples]
    known = np.ones(len(words), dtype=bool)
    found = kinds(words, vectors, known=known, size=2 * FEW, seed=seed)
    return [Part(f"texts like those with {described}", members) for described, members in found]


def _words(text: Text) -> int:
    """How many words there are; runs of marks do not count."""
    return sum(any(map(str.isalnum, word(text, span))) for span in spans(text))


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"
