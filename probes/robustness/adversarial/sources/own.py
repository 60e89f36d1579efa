"""The audited model's own table of word embeddings as a source of words: always there, without a download."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from probes.core.model import Neighbouring
from probes.robustness.search import Oracle, Request

NEIGHBOURS = "neighbours"
"""Oracle: of words, the nearest words with cosines, the nearest first: n lists."""

COUNT = 50
"""Neighbours of a word that are looked at, as TextFooler does."""


@dataclass(frozen=True)
class OwnWords:
    """Neighbours of words in a model's own vocabulary.

    Attributes:
        model: the one under audit.
    """

    model: Neighbouring

    def oracles(self) -> Mapping[str, Oracle]:
        """Neighbours."""
        return {NEIGHBOURS: self._nearest}

    def _nearest(self, requests: Sequence[Request]) -> list[list[list[tuple[str, float]]]]:
        """Each different word is asked about once."""
        words = list(dict.fromkeys(word for request in requests for word in request.questions))
        found = dict(zip(words, self.model.neighbours(words, count=COUNT), strict=True))
        return [[found[word] for word in request.questions] for request in requests]
