"""Conditions on a text that a reader can check: the parts of the data that a search for weak slices may name.

What depends on data (thresholds, frequent terms, clusters) is chosen on the items marked as known, and then holds or
does not hold for every item.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from probes.core.answers import Bools, Floats
from probes.core.examples import Example
from probes.core.groups import group_columns, group_values
from probes.text.kinds import kinds
from probes.text.lexicon import rows
from probes.text.perturbations.perturbation import WORD
from probes.text.signs import SIGNS, shows

TERM_SHARE = 0.05
"""A term is frequent when at least this share of the known items hold it."""
TERMS = 100
"""At most so many terms, the most frequent ones."""
VALUES = 20
"""At most so many values of a group column, the most frequent ones."""

CLUSTER_SIZE = 40
"""Known items to a cluster of embeddings, on average, at least."""
KINDS = ("positive", "negative")

_SENTENCE_END = re.compile(r"[.!?…]+(?:\s|$)")
_VOWELS = re.compile(r"[aeiouyà-öø-ÿ]+")


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Something that holds for some of the items.

    Attributes:
        name: to read after "texts", such as "of more than 30 words" or "that contain 'movie'".
        feature: what it is about; two conditions on one feature are never combined.
        holds: (n,).
    """

    name: str
    feature: str
    holds: Bools


@dataclass(frozen=True, kw_only=True)
class Texts:
    """n texts taken apart, and which of them conditions may be chosen on.

    Attributes:
        texts: (n,), the two texts of a pair joined.
        known: (n,).
    """

    texts: Sequence[str]
    known: Bools

    @classmethod
    def of(cls, examples: Sequence[Example], *, known: Bools) -> Texts:
        return cls(texts=[" ".join(example.texts) for example in examples], known=known)

    @cached_property
    def words(self) -> list[list[str]]:
        """(n,) lists of lower-case words."""
        return [[word.lower().replace("’", "'") for word in WORD.findall(text)] for text in self.texts]

    @cached_property
    def sets(self) -> list[frozenset[str]]:
        """(n,) sets of words."""
        return [frozenset(words) for words in self.words]

    @cached_property
    def frequent(self) -> list[str]:
        """Words in at least TERM_SHARE of the known texts but not in nearly all, most frequent first."""
        total = int(self.known.sum())
        kept = [word for word, count in self.known_counts.items() if TERM_SHARE <= count / total <= 1 - TERM_SHARE]
        return sorted(kept, key=lambda word: (-self.known_counts[word], word))

    @cached_property
    def known_counts(self) -> Counter[str]:
        """Word -> known texts that hold it."""
        return Counter(word for row in np.flatnonzero(self.known) for word in self.sets[row])

    def holding(self, words: frozenset[str]) -> Bools:
        """(n,): has the text any of these words."""
        return np.array([not words.isdisjoint(found) for found in self.sets], dtype=bool)


def conditions(texts: Texts, *, examples: Sequence[Example], vectors: Floats | None, seed: int) -> list[Condition]:
    """Every condition there is for these texts; those of clusters only where there are (n, width) vectors of them."""
    found = [*_lengths(texts), *_readability(texts), *_sentiment(texts), *_signs(texts), *_groups(texts, examples)]
    found += _terms(texts)
    if vectors is not None:
        found += _clusters(texts, vectors, seed=seed)
    return found


def _lengths(texts: Texts) -> Iterator[Condition]:
    lengths = np.array([len(words) for words in texts.words])
    low, high = (int(cut) for cut in np.quantile(lengths[texts.known], [1 / 3, 2 / 3], method="inverted_cdf"))
    yield Condition(name=f"of at most {low} words", feature="length", holds=lengths <= low)
    if low < high:
        yield Condition(
            name=f"of {low + 1} to {high} words", feature="length", holds=(lengths > low) & (lengths <= high)
        )
    yield Condition(name=f"of more than {high} words", feature="length", holds=lengths > high)


def _readability(texts: Texts) -> Iterator[Condition]:
    ease = np.array([reading_ease(words, text) for words, text in zip(texts.words, texts.texts, strict=True)])
    hard, easy = (round(float(cut)) for cut in np.quantile(ease[texts.known], [1 / 3, 2 / 3]))
    yield Condition(name=f"hard to read (Flesch score below {hard})", feature="readability", holds=ease < hard)
    yield Condition(name=f"easy to read (Flesch score of {easy} or more)", feature="readability", holds=ease >= easy)


def reading_ease(words: Sequence[str], text: str) -> float:
    """Flesch (1948), J. Applied Psychology 32:221: about 100 for very easy English, below 30 for very hard.

    Syllables are counted as groups of vowels, without a silent final e.
    """
    if not words:
        return 100.0
    sentences = max(1, len(_SENTENCE_END.findall(text.strip())))
    syllables = sum(_syllables(word) for word in words)
    return 206.835 - 1.015 * len(words) / sentences - 84.6 * syllables / len(words)


@lru_cache(maxsize=100_000)
def _syllables(word: str) -> int:
    count = len(_VOWELS.findall(word))
    silent = word.endswith("e") and not word.endswith("le") and count > 1
    return max(1, count - silent)


def _sentiment(texts: Texts) -> Iterator[Condition]:
    listed = {kind: frozenset(word for word, given in rows("sentiment_words") if given == kind) for kind in KINDS}
    has = {kind: texts.holding(words) for kind, words in listed.items()}
    for kind, other in (KINDS, KINDS[::-1]):
        yield Condition(
            name=f"with {kind} and without {other} words", feature="sentiment words", holds=has[kind] & ~has[other]
        )
    yield Condition(
        name="with both positive and negative words", feature="sentiment words", holds=has[KINDS[0]] & has[KINDS[1]]
    )
    yield Condition(
        name="without positive or negative words", feature="sentiment words", holds=~has[KINDS[0]] & ~has[KINDS[1]]
    )


def _signs(texts: Texts) -> Iterator[Condition]:
    for name in SIGNS:
        holds = np.array([shows(text, name) for text in texts.texts], dtype=bool)
        yield Condition(name=f"with {name}", feature=name, holds=holds)
    small = np.array([text == text.lower() for text in texts.texts], dtype=bool)
    yield Condition(name="without any capital letter", feature="a word in capitals", holds=small)


def _groups(texts: Texts, examples: Sequence[Example]) -> Iterator[Condition]:
    for column in group_columns(examples):
        found = np.array(group_values(examples, column))
        counts = Counter(found[texts.known].tolist())
        for value in sorted(set(counts) - {""}, key=lambda value: (-counts[value], value))[:VALUES]:
            yield Condition(name=f"where {column} is {value}", feature=f"group {column}", holds=found == value)


def _terms(texts: Texts) -> Iterator[Condition]:
    listed = frozenset(word for (word,) in rows("function_words"))
    for word in [word for word in texts.frequent if word not in listed and len(word) > 1][:TERMS]:
        yield Condition(name=f"that contain '{word}'", feature=f"term {word}", holds=texts.holding(frozenset([word])))


def _clusters(texts: Texts, vectors: Floats, *, seed: int) -> Iterator[Condition]:
    for described, members in kinds(texts.sets, vectors, known=texts.known, size=CLUSTER_SIZE, seed=seed):
        yield Condition(name=f"like those with {described}", feature="cluster", holds=members)
