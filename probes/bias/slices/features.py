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
from probes.text.lexicon import rows

TERM_SHARE = 0.05
"""A term is frequent when at least this share of the known items hold it."""
TERMS = 100
"""At most so many terms, the most frequent ones."""
VALUES = 20
"""At most so many values of a group column, the most frequent ones."""

CLUSTERS = 8
"""At most so many clusters of embeddings."""
CLUSTER_SIZE = 40
"""Known items to a cluster, on average, at least."""
DESCRIBED_BY = 3
"""Words that name a cluster."""
KINDS = ("positive", "negative")

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"[.!?…]+(?:\s|$)")
_VOWELS = re.compile(r"[aeiouyà-öø-ÿ]+")
_SIGNS = (
    ("an exclamation mark", re.compile(r"!")),
    ("a question mark", re.compile(r"\?")),
    ("quotation marks", re.compile(r'["“”«»]')),
    ("brackets", re.compile(r"[()\[\]]")),
    ("a digit", re.compile(r"\d")),
    ("a web address", re.compile(r"https?://|www\.", re.IGNORECASE)),
    ("an @handle", re.compile(r"(?<!\w)@\w")),
    ("a #hashtag", re.compile(r"(?<!\w)#\w")),
    ("a word in capitals", re.compile(r"\b[A-Z]{3,}\b")),
    ("letters outside ASCII", re.compile(r"[^\W\d_](?<![A-Za-z])")),
    ("an emoji", re.compile(r"[\U0001F300-\U0001FAFF\u2600-\u27BF]")),
)


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
        return [[word.lower().replace("’", "'") for word in _WORD.findall(text)] for text in self.texts]

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
        return self.counts(self.known)

    def counts(self, members: Bools) -> Counter[str]:
        """Word -> texts among the members (n,) that hold it."""
        return Counter(word for row in np.flatnonzero(members) for word in self.sets[row])

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
    for name, pattern in _SIGNS:
        holds = np.array([pattern.search(text) is not None for text in texts.texts], dtype=bool)
        yield Condition(name=f"with {name}", feature=name, holds=holds)
    small = np.array([text == text.lower() for text in texts.texts], dtype=bool)
    yield Condition(name="without any capital letter", feature="a word in capitals", holds=small)


def _groups(texts: Texts, examples: Sequence[Example]) -> Iterator[Condition]:
    for column in sorted({column for example in examples for column in example.groups}):
        values = np.array([(example.groups.get(column) or "").strip() for example in examples])
        counts = Counter(values[texts.known].tolist())
        for value in sorted(set(counts) - {""}, key=lambda value: (-counts[value], value))[:VALUES]:
            yield Condition(name=f"where {column} is {value}", feature=f"group {column}", holds=values == value)


def _terms(texts: Texts) -> Iterator[Condition]:
    listed = _function_words()
    for word in [word for word in texts.frequent if word not in listed and len(word) > 1][:TERMS]:
        yield Condition(name=f"that contain '{word}'", feature=f"term {word}", holds=texts.holding(frozenset([word])))


def _clusters(texts: Texts, vectors: Floats, *, seed: int) -> Iterator[Condition]:
    """Texts that are alike in the model's own eyes: k-means (Lloyd 1982) of unit vectors, fitted on the known ones."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    points = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    known = points[texts.known]
    k = min(CLUSTERS, len(known) // CLUSTER_SIZE, len(np.unique(known.round(6), axis=0)))
    if k < 2 or not np.isfinite(points).all():
        return
    from sklearn.cluster import KMeans

    codes = KMeans(n_clusters=k, n_init=4, random_state=seed).fit(known).predict(points)
    for code in range(k):
        members = np.asarray(codes == code)
        described = _distinctive(texts, members & texts.known)
        if described:
            quoted = " and ".join(f"'{word}'" for word in described)
            yield Condition(name=f"like those with {quoted}", feature="cluster", holds=members)


def _distinctive(texts: Texts, members: Bools) -> list[str]:
    """The words that these known texts hold most often compared with the other known ones, by the lift in share."""
    inside, size = texts.counts(members), int(members.sum())
    others = int(texts.known.sum()) - size
    if not size or not others:
        return []
    listed = _function_words()
    lifts = {
        word: count / size - (texts.known_counts[word] - count) / others
        for word, count in inside.items()
        if len(word) > 2 and word not in listed
    }
    ranked = sorted(lifts, key=lambda word: (-lifts[word], word))
    return [word for word in ranked[:DESCRIBED_BY] if lifts[word] > 0]


def _function_words() -> frozenset[str]:
    return frozenset(word for (word,) in rows("function_words"))
