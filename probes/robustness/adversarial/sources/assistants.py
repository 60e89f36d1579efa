"""Other models that an attack asks: for words, for how near texts are, and whether one follows from the other.

Each is known by its fingerprint before its weights are loaded, which is when it is first asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, chain
from typing import Any, Protocol

import numpy as np

from probes.core.answers import Floats
from probes.core.fillings import BLANK
from probes.core.model import ModelCard
from probes.robustness.search import Oracle, Request

ENCODER = "sentence encoder"
"""Oracle: of texts (n, width) embeddings."""

ENTAILMENT = "entailment"
"""Oracle: of pairs (n,) probabilities that the second follows from the first."""

FLUENCY = "fluency"
"""Oracle: of (text, (start, end)) pairs (n,) log-probabilities of the characters between, given all others."""

FILLINGS = "fillings"
"""Oracle: of (before, behind, count) triples the likeliest words between: n lists of (word, probability)."""


class Known(Protocol):
    """What is known of a model before it is loaded."""

    @property
    def name(self) -> str: ...
    @property
    def revision(self) -> str | None: ...
    @property
    def fingerprint(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Assistant:
    """A model that an attack asks.

    Attributes:
        role: what it is for ("sentence encoder").
        card: what it is.
        open: gives it with its weights; asked for once.
    """

    role: str
    card: Known
    open: Callable[[], Any] = field(repr=False, compare=False)

    @cached_property
    def model(self) -> Any:
        """It, with its weights."""
        return self.open()

    @property
    def parameter(self) -> str:
        """Who it is, for the record: name, commit if it has one, fingerprint."""
        revision = f"@{self.card.revision[:12]}" if self.card.revision else ""
        return f"{self.role}: {self.card.name}{revision} {self.card.fingerprint[:12]}"


@dataclass(frozen=True, kw_only=True)
class SentenceEncoder(Assistant):
    """Embeds sentences: the mean of the last hidden states, as most sentence-transformers do."""

    role: str = ENCODER

    def oracles(self) -> Mapping[str, Oracle]:
        """Embeddings."""
        return {ENCODER: lambda requests: _together(requests, self.model.embed)}


@dataclass(frozen=True, kw_only=True)
class EntailmentModel(Assistant):
    """A classifier of premise and hypothesis.

    Attributes:
        label: the name of its label for entailment.
    """

    role: str = "entailment model"
    card: ModelCard
    label: str

    def oracles(self) -> Mapping[str, Oracle]:
        """Probabilities of entailment; NaN where it gives no answer."""
        return {ENTAILMENT: lambda requests: _together(requests, self._entailed)}

    def _entailed(self, pairs: Sequence[tuple[str, str]]) -> Floats:
        answers = self.model.classify(list(pairs))
        scores: Floats = answers.scores[:, self.card.labels.index(self.label)]
        return np.where(np.isfinite(answers.logits).all(axis=1), scores, np.nan)


@dataclass(frozen=True, kw_only=True)
class WordModel(Assistant):
    """A masked language model: what fits into a place of a text, and how well."""

    role: str = "word model"

    def oracles(self) -> Mapping[str, Oracle]:
        """Fillings, and how likely what stands there is."""
        return {
            FLUENCY: lambda requests: _together(requests, self._likely),
            FILLINGS: lambda requests: _together(requests, self._fillings),
        }

    def _likely(self, questions: Sequence[tuple[str, tuple[int, int]]]) -> Floats:
        """Means over the tokens, so that words of one and of several tokens can be compared."""
        texts, spans = [text for text, _ in questions], [span for _, span in questions]
        found = self.model.score(texts, counted=spans)
        return np.asarray(found.means)

    def _fillings(self, questions: Sequence[tuple[str, str, int]]) -> list[list[tuple[str, float]]]:
        """Whole words only; as many are asked for as the question that wants most of them does."""
        texts = [f"{_plain(before)}{BLANK}{_plain(behind)}" for before, behind, _ in questions]
        found = self.model.fill(texts, count=max(count for *_, count in questions))
        return [
            [
                (word, math.exp(log))
                for word, log in zip(found.texts[row * found.count :][:count], found.logs[row].tolist(), strict=False)
                if word.isalpha() and math.isfinite(log)
            ]
            for row, (*_, count) in enumerate(questions)
        ]


def _plain(text: str) -> str:
    """A text that holds the sign for a blank itself must not be taken for one."""
    return text.replace(BLANK, BLANK[1:-1])


def _together(requests: Sequence[Request], answer: Callable[[Sequence[Any]], Any]) -> list[Any]:
    """The questions of n requests asked as one, and the answers of each."""
    found = answer(list(chain.from_iterable(request.questions for request in requests)))
    ends = list(accumulate(len(request.questions) for request in requests))
    return [found[end - len(request.questions) : end] for request, end in zip(requests, ends, strict=True)]
