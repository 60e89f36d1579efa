"""Simple yes-or-no properties of a text and its answer, by which in-domain items are weighted.

Edges are those of the in-domain items. A property that hardly any in-domain item has, or hardly any lacks, cannot be
weighted; where the other domain differs in it, that is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from probes.core.answers import Bools, Classifications, Floats
from probes.core.examples import Text
from probes.text.lexicon import rows
from probes.text.signs import shows

RARE = 0.02
"""A property that a smaller share of the in-domain items has, or lacks, is not used."""
FEWEST = 5
"""Nor is one that fewer in-domain items than this have, or lack."""
TELLING = 0.1
"""By how much the share must differ elsewhere for that to be mentioned."""
LENGTHS, CONFIDENCES = 4, 5
"""Bins, with equally many in-domain items."""

_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_SIGNS = {
    "a digit": ("a digit",),
    "a web address, @handle or #hashtag": ("a web address", "an @handle", "a #hashtag"),
    "a question mark": ("a question mark",),
    "an exclamation mark": ("an exclamation mark",),
    "a word in capitals": ("a word in capitals",),
}
"""Name of a property -> the signs any of which a text must hold (`probes.text.signs`)."""


@dataclass(frozen=True)
class Slices:
    """Properties as columns of zeros and ones.

    Attributes:
        home: (n, d) of the in-domain items.
        other: (m, d) of the others.
        unmatched: properties that the others often have, or lack, and hardly any in-domain item.
    """

    home: Floats
    other: Floats
    unmatched: tuple[str, ...]

    @classmethod
    def of(cls, home: tuple[Sequence[Text], Classifications], other: tuple[Sequence[Text], Classifications]) -> Slices:
        """Take the texts, and the answers to them, of both domains apart."""
        columns, unmatched = [], []
        for (name, here), (_, there) in zip(_properties(*home, *home), _properties(*other, *home), strict=True):
            scarce = min(int(here.sum()), int((~here).sum()))
            if scarce >= max(FEWEST, RARE * len(here)):
                columns.append((here, there))
            elif abs(float(there.mean() - here.mean())) >= TELLING:
                unmatched.append(name)
        first, second = (
            np.array([pair[side] for pair in columns], dtype=np.float64).reshape(len(columns), len(texts)).T
            for side, (texts, _) in enumerate((home, other))
        )
        return cls(first, second, tuple(unmatched))


def _properties(
    texts: Sequence[Text], answers: Classifications, home_texts: Sequence[Text], home: Classifications
) -> Iterator[tuple[str, Bools]]:
    """(name, (n,) holds) of each property of the texts, in the same order for all domains with this home."""
    edges = _edges(_lengths(home_texts), LENGTHS)
    yield from _bins("length", _lengths(texts), edges)
    yield from _bins("confidence", answers.confidence, _edges(home.confidence, CONFIDENCES))
    for column, label in enumerate(answers.labels):
        yield f"the answer {label}", answers.top == column
    strings = [_joined(text) for text in texts]
    for name, signs in _SIGNS.items():
        yield name, np.array([shows(string, *signs) for string in strings], dtype=bool)
    words = [{word.lower().replace("’", "'") for word in _WORD.findall(string)} for string in strings]
    yield "a word that negates or contrasts", np.array([_negated(found) for found in words], dtype=bool)


def _edges(values: Floats, bins: int) -> Floats:
    return np.unique(np.quantile(values, np.arange(1, bins) / bins))


def _bins(name: str, values: Floats, edges: Floats) -> Iterator[tuple[str, Bools]]:
    columns = np.searchsorted(edges, values, side="left")
    for column in range(len(edges) + 1):
        yield f"{name} bin {column + 1}", columns == column


def _lengths(texts: Sequence[Text]) -> Floats:
    return np.array([len(_WORD.findall(_joined(text))) for text in texts], dtype=np.float64)


def _joined(text: Text) -> str:
    return text if isinstance(text, str) else " ".join(text)


def _negated(words: set[str]) -> bool:
    return not words.isdisjoint(_negations()) or any(word.endswith("n't") for word in words)


@cache
def _negations() -> frozenset[str]:
    return frozenset(word for (word,) in rows("negations"))
