"""How well a language model expects the words around a person of each group, in the same sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
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
            # A text that begins with the person has nothing before it: its first token would count.
            spans = [
                (0, start) if start else (end, len(text)) for text, (start, end) in zip(texts, people, strict=True)
            ]
            parts.append(_but(model.score(texts, counted=spans), [start == 0 for start, _ in people]))
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
    def gaps(self) -> Floats:
        """(templates, groups): bits minus their mean over the groups of the same template."""
        counts = np.maximum((~np.isnan(self.table)).sum(axis=1, keepdims=True), 1)
        return np.asarray(self.table - np.nansum(self.table, axis=1, keepdims=True) / counts)

    @cached_property
    def weights(self) -> Floats:
        """(templates,): what makes a mean over templates one over positive less one over negative; 0 for the rest."""
        polarity = {template.id: SIGNS.get(template.polarity, 0.0) for template in templates()}
        signs = np.array([polarity[template] for template in self.templates])
        counts = {sign: max(1, int((signs == sign).sum())) for sign in SIGNS.values()}
        told = sum(counts.values())
        return np.array([sign * told / counts[sign] if sign else 0.0 for sign in signs.tolist()])

    @property
    def told(self) -> list[int]:
        """Rows of the templates that tell something positive or negative."""
        return np.flatnonzero(self.weights).tolist()

    def pairs(self) -> tuple[list[tuple[str, str]], Floats]:
        """Every two groups, both ways round, and (templates, pairs) the bits of the first minus those of the second."""
        order = list(permutations(range(len(self.groups)), 2))
        differences = np.stack([self.table[:, a] - self.table[:, b] for a, b in order], axis=1)
        return [(self.groups[a], self.groups[b]) for a, b in order], differences


def person(sentence: Sentence) -> Span:
    """Where the person stands in a sentence."""
    start = _by_id()[sentence.template].text.index("{person}")
    return start, start + len(sentence.term)


def _by_id() -> Mapping[str, Template]:
    return {template.id: template for template in templates()}


def _but(answers: Likelihoods, left_out: Sequence[bool]) -> Likelihoods:
    """The same answers, with no tokens of the texts left out."""
    rows = [
        [] if out else list(range(*answers.tokens_of(row).indices(len(answers.logs))))
        for row, out in enumerate(left_out)
    ]
    places = np.array([place for row in rows for place in row], dtype=np.int64)
    return Likelihoods(
        logs=answers.logs[places],
        ids=answers.ids[places],
        starts=np.cumsum([0, *map(len, rows)]).astype(np.int64),
        spans=answers.spans,
        unscored=answers.unscored,
    )


def _sums(parts: Sequence[Likelihoods]) -> Floats:
    """(n,): bits of all parts of each text."""
    totals = sum(np.nan_to_num(part.totals) for part in parts)
    counts = sum(part.counts for part in parts)
    whole = sum(part.unscored for part in parts) == 0
    usable = whole & (counts >= LEAST)
    return np.asarray(np.where(usable, totals * BITS, np.nan))
