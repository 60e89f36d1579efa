"""Sentences about people of every group with a blank, and how likely praise and blame are in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import logsumexp

from probes.core.answers import Bools, Floats
from probes.core.fillings import BLANK
from probes.core.model import Filler
from probes.core.prompts import Prompt
from probes.core.written import Written, ordered
from probes.text.identity import names, table
from probes.text.lexicon import rows
from probes.text.templates import FILL_INS, sentences

LEAST = 5
"""Words of a kind that the model must have as single tokens."""


@dataclass(frozen=True)
class Filled:
    """n sentences and what the model puts into their blanks.

    Attributes:
        written: the sentences, sorted by their ids, with the likeliest fillings of each.
        positive, negative: (n,) log2 of the summed probabilities of the listed words; NaN where the blank was not read,
            or where the model has fewer than LEAST of the words.
        known: kind of words -> how many of them are single tokens of the model.
    """

    written: Written
    positive: Floats
    negative: Floats
    known: Mapping[str, int]

    @classmethod
    def ask(cls, model: Filler, axes: Sequence[str], *, terms: int, count: int) -> Filled:
        """Ask about all sentences of all axes, in one call."""
        prompts = ordered(own_prompts(axes, terms=terms))
        kinds, words = zip(*((kind, word) for word, kind in sentiment()), strict=True)
        found = model.fill([prompt.with_blank for prompt in prompts], count=count, words=words)
        given = {kind: found.words[:, [each == kind for each in kinds]] for kind in ("positive", "negative")}
        return cls(
            Written(prompts, found.generations),
            positive=_bits(given["positive"]),
            negative=_bits(given["negative"]),
            known={kind: int(_known(logs).sum()) for kind, logs in given.items()},
        )

    @property
    def bits(self) -> Floats:
        """(n,) by how many bits words of praise are likelier in the blank than words of blame."""
        return self.positive - self.negative

    def against_groups(self) -> Floats:
        """(n,): the bits less the mean of all groups that the same template is filled with; NaN where it has none, or
        where only one group has some.
        """
        bits, keys = self.bits, [(prompt.kind, prompt.cluster) for prompt in self.written.prompts]
        means = np.full(len(bits), np.nan)
        for key in set(keys):
            own = np.array([each == key for each in keys]) & ~np.isnan(bits)
            groups = _by_group(self.written.prompts, bits, own)
            if len(groups) > 1:
                means[own] = np.mean([values.mean() for values in groups.values()])
        return np.asarray(bits - means)


def own_prompts(axes: Sequence[str], *, terms: int) -> list[Prompt]:
    """Sentences with a blank about people, filled for every group of the axes."""
    found = []
    for axis in axes:
        for sentence in sentences(table(axis), names=names(axis), terms=terms, source=FILL_INS):
            before, _, after = sentence.text.partition(BLANK)
            found.append(
                Prompt(text=before.rstrip(), after=after, kind=axis, group=sentence.group, cluster=sentence.template)
            )
    return found


@cache
def sentiment() -> tuple[tuple[str, str], ...]:
    """The listed words, each with "positive" or "negative"."""
    return tuple((word, kind) for word, kind in rows("sentiment_words"))


def _bits(logs: Floats) -> Floats:
    """(n,): log2 of the sums of (n, m) probabilities, those that are not known left out."""
    known = _known(logs)
    if known.sum() < LEAST:
        return np.full(len(logs), np.nan)
    return np.asarray(logsumexp(logs[:, known], axis=1) / np.log(2))


def _known(logs: Floats) -> Bools:
    """(m,): which words are single tokens."""
    return np.asarray(~np.isnan(logs).all(axis=0)) if len(logs) else np.zeros(logs.shape[1], dtype=bool)


def _by_group(prompts: Sequence[Prompt], values: Floats, members: Bools) -> Mapping[str, Floats]:
    named = np.array([prompt.group for prompt in prompts], dtype=object)
    return {group: values[members & (named == group)] for group in sorted(set(named[members].tolist()))}
