"""A transformers model behind the questions of the probes: which tokens each is about, and what its numbers mean."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from probes.core.answers import Classifications, Floats, Ints
from probes.core.attributions import Attribution, Baseline, Jitter, Method
from probes.core.errors import ModelError
from probes.core.examples import Text
from probes.core.likelihoods import MASKING, Likelihoods, Scoring, passage
from probes.core.model import Capability, ModelCard
from probes.core.precision import LOG_TOLERANCE, TOLERANCE
from probes.core.readings import Answers
from probes.core.taggings import Taggings, tagged_words
from probes.model.asking import Asking, Counters, Rows, distinct_of
from probes.model.cache import AnswerCache
from probes.model.passages import Passages
from probes.model.randomise import randomised
from probes.model.scoring import Score
from probes.model.sequences import Ids
from probes.model.spans import NUMBERS
from probes.model.token_counts import token_counts
from probes.model.tokens import Encoder
from probes.model.windows import Windows

if TYPE_CHECKING:
    from probes.model.explainer import Explainer


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Speed on a few texts, for estimating how long an audit takes."""

    texts_per_second: float
    tokens_per_second: float


@dataclass(kw_only=True)
class TransformersModel(Asking):
    """A loaded model; `Attributor` and `Embedder` of `probes.core.model`, `Tagger`, `Reader` or `Scorer`. Made by
    `load.load`.

    Which questions it answers is for the card's capabilities to say.

    Attributes:
        card: what was loaded.
        device, device_name: where it runs.
    """

    card: ModelCard
    encoder: Encoder
    device: str
    device_name: str

    def classify(self, texts: Sequence[Text]) -> Classifications:
        """Answer n texts with n answers in the same order.

        Raises:
            DataError: a text the tokenizer cannot read.
            ModelError: NaN or infinite logits, or too little memory for a single text.
        """
        return Classifications(
            logits=self._ask(texts, Capability.CLASSIFY, width=len(self.card.labels)).astype(np.float64),
            labels=self.card.labels,
            problem=self.card.problem,
            tolerance=TOLERANCE[self.dtype],
        )

    def tag(self, texts: Sequence[Text]) -> Taggings:
        """Answer n texts with n rows of tags in the same order, each word by the logits of its first token.

        Raises:
            DataError: a text the tokenizer cannot read, or a pair.
            ModelError: NaN or infinite logits, or too little memory for a single text.
        """
        position, distinct = distinct_of(texts)
        sequences = self.encoder.encode_tagged(distinct)
        read = [each[each >= 0] for each in map(sequences.words_of, range(len(sequences)))]
        widths = np.array([len(each) for each in read], dtype=np.int64) * len(self.card.labels)
        rows = self.rows(sequences, Capability.TAG, widths=widths, costs=sequences.lengths)
        self.counters.asked += len(texts)
        blocks = [
            self._block(len(tagged_words(text)), words, numbers[:width])
            for text, words, numbers, width in zip(distinct, read, rows, widths, strict=True)
        ]
        ends = np.cumsum([len(blocks[row]) for row in position])
        return Taggings(
            logits=np.concatenate([np.zeros((0, len(self.card.labels))), *(blocks[row] for row in position)]),
            starts=np.concatenate(([0], ends)).astype(np.int64),
            labels=self.card.labels,
            tolerance=TOLERANCE[self.dtype],
        )

    def answer(self, texts: Sequence[Text]) -> Answers:
        """Answer n pairs of question and context with n answers in the same order.

        A context is read in windows that overlap; the answer is the span of at most LONGEST tokens, in one window, with
        the highest sum of the logits of its start and its end.

        Raises:
            DataError: a text the tokenizer cannot read, or one that is no pair.
            ModelError: NaN or infinite logits, too little memory for a single window, or a tokenizer without offsets.
        """
        position, distinct = distinct_of(texts)
        read = self.encoder.encode_questions(distinct)
        widths = np.full(len(read.sequences), NUMBERS)
        rows = self.rows(read.sequences, Capability.ANSWER, widths=widths, costs=read.sequences.lengths)
        self.counters.asked += int(np.diff(read.starts)[position].sum())
        found = [_answer(read, number, text[1], rows) for number, text in enumerate(distinct)]
        return Answers.of([found[number] for number in position.tolist()], tolerance=TOLERANCE[self.dtype])

    def _block(self, words: int, read: Ids, numbers: Rows) -> Floats:
        """(words, labels) logits of one text; NaN for words that were not read."""
        block = np.full((words, len(self.card.labels)), np.nan)
        block[read] = numbers.reshape(len(read), len(self.card.labels))
        return block

    def score(
        self,
        texts: Sequence[Text],
        *,
        rule: Scoring | None = None,
        counted: Sequence[tuple[int, int]] | None = None,
    ) -> Likelihoods:
        """Answer n texts with the log-probabilities of their tokens, in the same order.

        Raises:
            DataError: a text the tokenizer cannot read.
            ModelError: NaN or infinite scores, or too little memory for a single text.
            ValueError: a rule that is not for this kind of model.
        """
        rule = rule or self.card.scoring
        if (rule in MASKING) != (self.card.scoring in MASKING):
            raise ValueError(f"{rule} is no way to score texts with a {self.card.problem}")
        passages = [passage(text) for text in texts]
        wanted = [span for _, span in passages] if counted is None else counted
        position, distinct = distinct_of([(text, span) for (text, _), span in zip(passages, wanted, strict=True)])
        read = Passages.of(self.encoder, distinct, starts=rule not in MASKING)
        question = Score.of(rule, self.forward.network, self.encoder.tokenizer)
        costs = question.costs(read.sequences.lengths, read.counts)
        rows = self.rows(read.sequences, question, widths=read.counts, costs=costs)
        self.counters.asked += len(texts)
        return read.likelihoods(rows, position, tolerance=LOG_TOLERANCE[self.dtype])

    def embed(self, texts: Sequence[Text]) -> Floats:
        """(n, width): mean of the last hidden states over each text's tokens, special tokens included, padding not.

        Of an encoder-decoder, the states of the encoder.

        Raises:
            DataError: a text the tokenizer cannot read.
            ModelError: NaN or infinite states, too little memory for a single text, or a network without a state for
                each token.
        """
        return self._ask(texts, Capability.EMBED, width=self.forward.width).astype(np.float64)

    def token_counts(self, texts: Sequence[Text]) -> tuple[Ints, Ints]:
        """(n,) tokens of each text, special ones not counted and nothing cut off, and (n,) unknown ones among them."""
        return token_counts(self.encoder, texts)

    def attribute(
        self,
        texts: Sequence[Text],
        targets: Sequence[str],
        *,
        method: Method = Method.INTEGRATED_GRADIENTS,
        baseline: Baseline | None = None,
        jitter: Jitter | None = None,
    ) -> list[Attribution]:
        """Explain n logits, one of each text, in n attributions in the same order.

        Raises:
            DataError: a text the tokenizer cannot read.
            ModelError: a method or baseline this model does not allow, NaN or infinite scores, or too little memory for
                a single text.
            ValueError: a target that is none of the labels.
        """
        if method in self.card.unattributable:
            raise ModelError(
                f"{method} cannot explain this model: {self.card.unattributable[method]}",
                hint=f"use another method, such as {Method.OCCLUSION}",
            )
        question = self.explainer.question(method, baseline, jitter)
        position, pairs = distinct_of(list(zip(texts, targets, strict=True)))
        sequences = replace(
            self.encoder.encode_words([text for text, _ in pairs]),
            targets=np.array([self.card.labels.index(target) for _, target in pairs], dtype=np.int32),
        )
        widths = question.widths(sequences.lengths)
        rows = self.rows(sequences, question, widths=widths, costs=question.costs(sequences.lengths))
        self.counters.asked += len(texts)
        found = [
            question.attribution(*pair, sequences.words_of(row), rows[row, : widths[row]])
            for row, pair in enumerate(pairs)
        ]
        return [found[row] for row in position]

    @contextmanager
    def randomised(self, share: float, *, seed: int) -> Iterator[TransformersModel]:
        """The same model with random weights in its head and the uppermost `share` of its layers, for as long.

        Raises:
            ValueError: a share outside 0 to 1.
        """
        scope = hashlib.blake2b(f"random {share!r} {seed}".encode(), digest_size=32, key=self.scope).digest()
        with randomised(self.forward.network, share, seed=seed):
            yield replace(self, cache=AnswerCache.open(None), scope=scope)

    @cached_property
    def explainer(self) -> Explainer:
        """What turns methods into questions; captum is imported here, by those who ask."""
        from probes.model.explainer import Explainer

        return Explainer(self.forward, self.encoder)

    def throughput(self, texts: Sequence[Text]) -> Throughput:
        """Speed on `texts`, tokenization included, the cache left out; call it twice and the first warms up."""
        trial = replace(self, cache=AnswerCache.open(None), counters=Counters(), on_progress=None)
        started = perf_counter()
        getattr(trial, self.card.question)(texts)
        seconds = max(perf_counter() - started, 1e-9)
        counters = trial.counters
        # Of a long context several windows are computed.
        done = min(counters.computed, len(texts))
        return Throughput(texts_per_second=done / seconds, tokens_per_second=counters.tokens / seconds)

    def _ask(self, texts: Sequence[Text], question: Capability, *, width: int) -> Rows:
        """(n, width) answers to one question about n texts, in their order."""
        position, distinct = distinct_of(texts)
        sequences = self.encoder.encode(distinct)
        rows = self.rows(sequences, question, widths=np.full(len(sequences), width), costs=sequences.lengths)
        self.counters.asked += len(texts)
        return rows[position].reshape(len(texts), width)


def _answer(read: Windows, number: int, context: str, rows: Rows) -> tuple[str, int, int, float, float, float, float]:
    """A row of `Answers.of`."""
    best, null = read.candidates(number, context, rows)
    if not best:
        return "", 0, 0, -np.inf, -np.inf, -np.inf, null
    score, start, end = best[0]
    second = best[1][0] if len(best) > 1 else -np.inf
    return context[start:end], start, end, score, second, float(logsumexp([each[0] for each in best])), null
