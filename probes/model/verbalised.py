"""A language model behind the question of classifiers: which of some words is likeliest after a prompt about a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np

from probes.core.answers import Classifications, Floats, Ints, ProblemType
from probes.core.errors import ModelError
from probes.core.examples import Text
from probes.core.likelihoods import Likelihoods
from probes.core.model import Capability, ModelCard
from probes.core.precision import LOG_TOLERANCE
from probes.core.verbaliser import Joint, LabelScore, Verbaliser
from probes.model.asking import Counters, Progress, distinct_of
from probes.model.cache import AnswerCache
from probes.model.engine import Throughput, TransformersModel
from probes.model.prompts import rendered
from probes.model.tasks import PROBLEMS


def as_classifier(card: ModelCard, verbaliser: Verbaliser) -> ModelCard:
    """The card of a language model that is asked for labels, and for nothing that is not asked of other classifiers."""
    kept = card.capabilities & {Capability.EMBED, Capability.TOKENIZE}
    return card.model_copy(
        update={
            "task": "text-classification",
            "problem": ProblemType.SINGLE_LABEL,
            "labels": verbaliser.labels,
            "capabilities": kept | {Capability.CLASSIFY},
            "verbaliser": verbaliser,
        }
    )


def as_language_model(card: ModelCard) -> ModelCard:
    """The card of the language model that such a classifier asks."""
    assert card.verbaliser is not None
    head = card.verbaliser.head
    kept = card.capabilities - {Capability.CLASSIFY}
    return card.model_copy(
        update={
            "task": next(task for task, problem in PROBLEMS.items() if problem is head),
            "problem": head,
            "labels": (),
            "capabilities": kept | {Capability.SCORE, Capability.GENERATE},
            "verbaliser": None,
        }
    )


@dataclass(kw_only=True)
class Verbalised:
    """A `Classifier` and `Embedder` of `probes.core.model` made of a language model.

    Attributes:
        model: the language model, a `Scorer`; a `TransformersModel` reads each prompt once for all labels.
        card: as `as_classifier` makes it.
    """

    model: Any
    card: ModelCard

    @property
    def verbaliser(self) -> Verbaliser:
        """How it is asked."""
        assert self.card.verbaliser is not None
        return self.card.verbaliser

    def classify(self, texts: Sequence[Text]) -> Classifications:
        """Answer n texts with n answers in the same order.

        Raises:
            DataError: a text the tokenizer cannot read.
            ModelError: NaN or infinite scores, too little memory for a single text, or a label without a token that
                is scored.
        """
        position, distinct = distinct_of(texts)
        totals, tokens = self._scored([self.verbaliser.filled(text) for text in distinct])
        calibrated = self.verbaliser.score is LabelScore.CALIBRATED and len(distinct) > 0
        neutral = self._scored(self.verbaliser.content_free())[0] if calibrated else None
        logits = self.verbaliser.logits(totals, tokens, neutral=neutral)
        return Classifications(
            logits=logits[position],
            labels=self.card.labels,
            problem=ProblemType.SINGLE_LABEL,
            # Log-probabilities of two labels that move by so much move a probability by half of it at most.
            tolerance=LOG_TOLERANCE[self.card.dtype] / 2,
        )

    def embed(self, texts: Sequence[Text]) -> Floats:
        """(n, width) as of the language model, of the texts without the prompt."""
        found: Floats = self.model.embed(texts)
        return found

    def token_counts(self, texts: Sequence[Text]) -> tuple[Ints, Ints]:
        """As of the language model, of the texts without the prompt."""
        found: tuple[Ints, Ints] = self.model.token_counts(texts)
        return found

    def take_counters(self) -> Counters:
        """What the language model was asked since the last call."""
        counters: Counters = self.model.take_counters()
        return counters

    @property
    def on_progress(self) -> Progress | None:
        """Called by the language model after each batch."""
        progress: Progress | None = self.model.on_progress
        return progress

    @on_progress.setter
    def on_progress(self, progress: Progress | None) -> None:
        self.model.on_progress = progress

    def throughput(self, texts: Sequence[Text]) -> Throughput:
        """Speed on `texts`, the cache left out; call it twice and the first warms up."""
        trial = _apart(self.model)
        started = perf_counter()
        Verbalised(model=trial, card=self.card).classify(texts)
        seconds = max(perf_counter() - started, 1e-9)
        return Throughput(texts_per_second=len(texts) / seconds, tokens_per_second=trial.counters.tokens / seconds)

    def _scored(self, prompts: Sequence[str]) -> tuple[Floats, Ints]:
        """(n, labels) log-probabilities of the words of each label after each prompt, and their tokens."""
        found = self._asked(prompts)
        shape = (len(prompts), len(self.card.labels))
        totals, tokens = found.totals.reshape(shape), found.counts.reshape(shape)
        if np.isnan(totals).any() or not tokens.all():
            raise ModelError(
                "a label has no token that the model scores after this prompt",
                hint="give other words for it, as in --labels positive=good, or a longer prompt",
            )
        return totals, tokens

    def _asked(self, prompts: Sequence[str]) -> Likelihoods:
        """(n x labels): of each prompt one label after another."""
        causal = self.verbaliser.head is ProblemType.CAUSAL_LM
        found: Likelihoods = self._continued(prompts) if causal else self._written(prompts)
        return found

    def _written(self, prompts: Sequence[str]) -> Any:
        return self.model.score([(prompt, words) for prompt in prompts for words in self.verbaliser.words])

    def _continued(self, prompts: Sequence[str]) -> Any:
        chat = isinstance(self.model, TransformersModel) and self.model.card.chat
        read = [rendered(self.model.encoder.tokenizer, prompt) for prompt in prompts] if chat else prompts
        joints = self._joints(read, blank=not chat)
        texts, spans = [joint.text for joint in joints], [joint.span for joint in joints]
        return self.model.score(texts, counted=spans, **({"framed": False} if chat else {}))

    def _joints(self, prompts: Sequence[str], *, blank: bool) -> list[Joint]:
        return [Joint.of(prompt, words, blank=blank) for prompt in prompts for words in self.verbaliser.words]


def _apart(model: TransformersModel) -> TransformersModel:
    """The same model, of which neither the cache nor the counters see what it is asked."""
    return replace(model, cache=AnswerCache.open(None), counters=Counters(), on_progress=None)
