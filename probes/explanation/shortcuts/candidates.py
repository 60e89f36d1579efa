"""Words that drive an answer on the searched half of the items, and words to compare them with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress

import numpy as np

from probes.core.answers import Bools, Floats, gold_matrix
from probes.explanation.explained import Explained
from probes.explanation.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A word that pushes towards a label.

    Attributes:
        word: its name in the vocabulary.
        spelling: how it is commonly written.
        label: the answer.
        excess: what it is ranked by: its mean push per item, times the part that the right answers leave unexplained.
        mass: its mean push per item, in logits.
        controls: words to compare it with, one or more, as they are commonly written.
    """

    word: str
    spelling: str
    label: str
    excess: float
    mass: float
    controls: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Search:
    """What the searched half yields.

    Attributes:
        considered: how many words were looked at.
        candidates: the most suspicious first.
        quiet: names of the words that hardly push at all: the quieter half of the vocabulary.
    """

    considered: int
    candidates: tuple[Candidate, ...]
    quiet: frozenset[str]


def search(items: Explained, *, minimum: int, most: int, controls: int) -> Search:
    """The words whose push the right answers explain least.

    Candidates come from the louder half of the vocabulary and controls from the quieter one, so that no word is both.

    Args:
        items: those that may be looked at.
        minimum: independent items with the answer that must hold a candidate.
        most: candidates.
        controls: words for each candidate, alike in frequency and length.
    """
    whole = Vocabulary.of(items.attributions, clusters=items.clusters, minimum=minimum)
    if not whole.words:
        return Search(considered=0, candidates=(), quiet=frozenset())
    loud = whole.strength > np.median(whole.strength)
    labels = items.answers.labels
    found = [
        each for label in labels for each in _towards(items, label, whole, loud, minimum=minimum, controls=controls)
    ]
    found.sort(key=lambda each: (-each.excess, -each.mass, each.word, each.label))
    return Search(
        considered=len(whole.words),
        candidates=tuple(found[:most]),
        quiet=frozenset(compress(whole.words, ~loud)),
    )


def golds(items: Explained, label: str) -> Bools:
    """(labelled,): is the label right, for the items whose right answer is known."""
    known = [example.gold for example in items.examples if example.gold is not None]
    labels = items.answers.labels
    return np.asarray(gold_matrix(known, labels=labels)[:, labels.index(label)])


def _towards(
    items: Explained, label: str, words: Vocabulary, loud: Bools, *, minimum: int, controls: int
) -> Iterator[Candidate]:
    targeted = np.array([target == label for target in items.targets], dtype=bool)
    if not targeted.any():
        return
    masses = words.pushes[targeted].mean(axis=0)
    explained = _explained(items, label, words)
    clusters = list(compress(items.clusters, targeted))
    for column in np.flatnonzero(loud & (masses > 0)):
        if len(set(compress(clusters, words.held[targeted, column]))) >= minimum:
            mass = float(masses[column])
            yield Candidate(
                word=words.words[column],
                spelling=words.spellings[column],
                label=label,
                excess=mass * (1 - float(explained[column])),
                mass=mass,
                controls=_controls(words, ~loud, like=int(column), count=controls),
            )


def _explained(items: Explained, label: str, words: Vocabulary) -> Floats:
    """(V,): how far the label is commoner among items with the word, as a part of how far it could be; 0 to 1.

    0 where nothing is known: without right answers, every push is unexplained.
    """
    if not items.labelled.any():
        return np.zeros(len(words.words))
    right, held = golds(items, label).astype(np.float64), words.held[items.labelled].astype(np.float64)
    base, count = float(right.mean()), held.sum(axis=0)
    shares = np.divide(right @ held, count, out=np.full(len(count), base), where=count > 0)
    return np.clip((shares - base) / (1 - base), 0.0, 1.0) if base < 1 else np.zeros(len(count))


def _controls(words: Vocabulary, quiet: Bools, *, like: int, count: int) -> tuple[str, ...]:
    """The quiet words nearest to the word in column `like` in frequency and length, by the sum of two log ratios."""
    shares = words.held.sum(axis=0)

    def distance(column: int) -> float:
        length = len(words.spellings[column]) / len(words.spellings[like])
        return abs(math.log(shares[column] / shares[like])) + abs(math.log(length))

    nearest = sorted(np.flatnonzero(quiet).tolist(), key=lambda column: (distance(column), words.words[column]))
    return tuple(words.spellings[column] for column in nearest[:count])
