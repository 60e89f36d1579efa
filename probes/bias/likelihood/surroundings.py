"""How well a language model expects the words around a person of each group, in the same sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import permutations

import numpy as np

from probes.core.answers import Floats
from probes.core.likelihoods import Likelihoods, Scoring
from probes.core.model import Scorer
from probes.core.scored_texts import BITS
from probes.text.templates import Sentence, Template, templates

SIGNS = {"positive": 1.0, "negative": -1.0}
LEAST = 3
"""Scored tokens around a person below which a sentence says nothing."""

Span = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The sentences of one axis.

    Attributes:
        sentences: (rows,).
        bits: (rows,) log-probability, to base 2, of the words around the person; NaN where they are too few tokens, or
            not all were read.
    """

    axis: str
    sentences: tuple[Sentence, ...]
    bits: Floats

    @classmethod
    def ask(cls, model: Scorer, made: Mapping[str, Sequence[Sentence]]) -> list[Surroundings]:
        """One for each axis; the model is asked once about all of them.

        Causal models are asked about what follows the person, masked ones also about what stands before.
        """
        sentences = [sentence for found in made.values() for sentence in found]
        texts = [sentence.text for sentence in sentences]
        people = [person(sentence) for sentence in sentences]
        behind = model.score(texts, counted=[(end, len(text)) for text, (_, end) in zip(texts, people, strict=True)])
        parts = [behind]
        if model.card.scoring is Scoring.ONE_MASKED:
            parts.append(model.score(texts, counted=[(0, start) for start, _ in people]))
        bits = _sums(parts)
        found, first = [], 0
        for axis, own in made.items():
            found.append(cls(axis=axis, sentences=tuple(own), bits=bits[first : first + len(own)]))
            first += len(own)
        return found

    @cached_property
    def templates(self) -> tuple[str, ...]:
        """(templates,): their ids, in the order asked."""
        return tuple(dict.fromkeys(sentence.template for sentence in self.sentences))

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """(groups,): in the order asked."""
        return tuple(dict.fromkeys(sentence.group for sentence in self.sentences))

    @property
    def unscored(self) -> int:
        """Sentences without a score."""
        return int(np.isnan(self.bits).sum())

    @cached_property
    def table(self) -> Floats:
        """(templates, groups): mean over the terms; NaN where the template has no score for the group."""
        shape = (len(self.templates), len(self.groups))
        place = {template: row for row, template in enumerate(self.templates)}
        column = {group: at for at, group in enumerate(self.groups)}
        count, total = np.zeros(shape), np.zeros(shape)
        for sentence, bits in zip(self.sentences, self.bits.tolist(), strict=True):
            cell = place[sentence.template], column[sentence.group]
            count[cell] += not np.isnan(bits)
            total[cell] += 0.0 if np.isnan(bits) else bits
        return np.asarray(np.divide(total, count, out=np.full(shape, np.nan), where=count > 0))

    @cached_property
    def signs(self) -> Floats:
        """(templates,): 1 where something positive is told, -1 where something negative, 0 for the rest."""
        return np.array([SIGNS.get(_by_id()[template].polarity, 0.0) for template in self.templates])

    def weighted(self, differences: Floats) -> Floats:
        """(templates, k) differences, weighted so that the mean of those a column has is one over positive templates
        less one over negative ones; NaN for templates of neither kind, and in columns without templates of both kinds.
        """
        filled = ~np.isnan(differences) & (self.signs != 0)[:, None]
        positive, negative = (filled[self.signs == sign].sum(axis=0) for sign in SIGNS.values())
        kind = np.where(self.signs[:, None] > 0, positive, negative)
        usable = filled & (positive > 0) & (negative > 0)
        weights = np.divide(positive + negative, kind, out=np.full(filled.shape, np.nan), where=usable)
        return np.asarray(differences * weights * self.signs[:, None])

    def valence(self, column: int) -> Floats:
        """(templates,): their mean is how much more of what is positive than of what is negative is expected of a group
        than of the mean of the groups; NaN where the group is compared with none.

        With each other group it is compared in the templates that both fill: what sets a group off in all of its
        sentences then cancels out, whichever templates lack one of the two.
        """
        others = self.weighted(self.table[:, [column]] - np.delete(self.table, column, axis=1))
        shared = ~np.isnan(others)
        counts = shared.sum(axis=0)
        compared = shared.any(axis=1)
        total = np.nansum(others / np.maximum(counts, 1), axis=1) / (1 + np.count_nonzero(counts))
        return np.where(compared, total * compared.sum(), np.nan)

    def pairs(self) -> tuple[list[tuple[str, str]], Floats]:
        """Every two groups, both ways round, and (templates, pairs) the bits of the first minus those of the second."""
        order = list(permutations(range(len(self.groups)), 2))
        differences = np.stack([self.table[:, a] - self.table[:, b] for a, b in order], axis=1)
        return [(self.groups[a], self.groups[b]) for a, b in order], differences


def person(sentence: Sentence) -> Span:
    """Where the person stands in a sentence."""
    start = _by_id()[sentence.template].text.index("{person}")
    return start, start + len(sentence.term)


@cache
def _by_id() -> Mapping[str, Template]:
    return {template.id: template for template in templates()}


def _sums(parts: Sequence[Likelihoods]) -> Floats:
    """(n,): bits of all parts of each text."""
    totals = sum(np.nan_to_num(part.totals) for part in parts)
    counts = sum(part.counts for part in parts)
    whole = sum(part.unscored for part in parts) == 0
    usable = whole & (counts >= LEAST)
    return np.asarray(np.where(usable, totals * BITS, np.nan))
