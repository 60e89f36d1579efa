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

from probes.core.answers import WRITING_HEADS, Classifications, Floats, Ints, ProblemType
from probes.core.attributions import Attribution, Baseline, Jitter, Method, SpanTarget
from probes.core.errors import ModelError
from probes.core.examples import Text
from probes.core.generations import GREEDY, Decoding, Generations
from probes.core.likelihoods import MASKING, Likelihoods, Scoring, passage
from probes.core.model import Capability, ModelCard
from probes.core.precision import LOG_TOLERANCE, TOLERANCE
from probes.core.readings import Answers
from probes.core.taggings import Taggings, tagged_words
from probes.model.aims import LABEL, Aim, Answer, Tags
from probes.model.asking import Asking, Counters, Rows, distinct_of
from probes.model.cache import AnswerCache
from probes.model.continued import Continued, Pair, aim_of
from probes.model.generation import Habits, Write, decoder_positions
from probes.model.passages import Passages
from probes.model.prompts import Prompts
from probes.model.randomise import randomised
from probes.model.scoring import Score
from probes.model.sequences import Ids, Sequences
from probes.model.spanned import Spanned
from probes.model.spans import NUMBERS
from probes.model.token_counts import token_counts
from probes.model.tokens import Encoder
from probes.model.transduction import ScoreTarget, read_pairs
from probes.model.windows import Windows
from probes.model.written import Written

if TYPE_CHECKING:
    from probes.model.explainer import Explain, Explainer

TRIED = Decoding(max_tokens=10)
"""What is written to see how fast a network writes, and for how many PROMPTS."""
PROMPTS = 32
FIRST = Decoding(max_tokens=1)
SIDE_BY_SIDE = 16
"""Prompts that are continued together to see what a token costs: about as many as fit into a batch on a processor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Speed on a few texts, for estimating how long an audit takes.

    Attributes:
        texts_per_second, tokens_per_second: of its own question (`ModelCard.question`).
        seconds_per_written_token: of a model whose own question is another one, and that writes too; otherwise None.
    """

    texts_per_second: float
    tokens_per_second: float
    seconds_per_written_token: float | None = None


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

        A model with an encoder scores pairs only: the second text as the decoder's, given the first as the encoder's.
        Neither what its decoder begins with nor what ends the text is scored.

        Raises:
            DataError: a text the tokenizer cannot read.
            ModelError: NaN or infinite scores, or too little memory for a single text.
            ValueError: a rule that is not for this kind of model; of one with an encoder, a single text or `counted`.
        """
        rule = rule or self.card.scoring
        if (rule in MASKING) != (self.card.scoring in MASKING):
            raise ValueError(f"{rule} is no way to score texts with a {self.card.problem}")
        if self.card.problem is ProblemType.SEQ2SEQ_LM:
            return self._score_pairs(texts, counted)
        passages = [passage(text) for text in texts]
        wanted = [span for _, span in passages] if counted is None else counted
        position, distinct = distinct_of([(text, span) for (text, _), span in zip(passages, wanted, strict=True)])
        read = Passages.of(self.encoder, distinct, starts=rule not in MASKING)
        question = Score.of(rule, self.forward.network, self.encoder.tokenizer)
        costs = question.costs(read.sequences.lengths, read.counts)
        rows = self.rows(read.sequences, question, widths=read.counts, costs=costs)
        self.counters.asked += len(texts)
        return read.likelihoods(rows, position, tolerance=LOG_TOLERANCE[self.dtype])

    def _score_pairs(self, texts: Sequence[Text], counted: Sequence[tuple[int, int]] | None) -> Likelihoods:
        if counted is not None:
            raise ValueError("of a pair all of the second text is scored")
        position, distinct = distinct_of(texts)
        read = read_pairs(self.encoder, distinct, network=self.forward.network)
        question = ScoreTarget.of(self.forward.network, self.encoder, self.habits)
        rows = self.rows(read.sequences, question, widths=read.counts, costs=read.sequences.lengths)
        self.counters.asked += len(texts)
        return read.likelihoods(rows, position, tolerance=LOG_TOLERANCE[self.dtype])

    def generate(self, prompts: Sequence[str], decoding: Decoding = GREEDY) -> Generations:
        """Continue, or reply to, n prompts in the same order.

        A model that reads and writes in one window of no more than twice `max_tokens` writes at most half of it; so
        there is room for the prompt.

        Raises:
            DataError: a prompt the tokenizer cannot read.
            ModelError: NaN or infinite logits, too little memory for a single prompt, or a chat template that fails.
        """
        position, distinct = distinct_of(prompts)
        tolerance = LOG_TOLERANCE[self.dtype]
        stops = self.encoder.holding(decoding.stop) if decoding.stop else np.zeros(0, dtype=np.int64)
        question = Write.of(decoding, self.habits, longest=self._longest, stops=stops, tolerance=tolerance)
        read = self._prompts(distinct, question, reply=decoding.reply)
        # The likeliest tokens are the same each time.
        samples = decoding.samples if decoding.temperature > 0 else 1
        sequences = replace(
            read.sequences.take(np.repeat(np.arange(len(distinct)), samples)),
            targets=np.tile(np.arange(samples, dtype=np.int32), len(distinct)),
        )
        widths = np.full(len(sequences), question.width)
        writer = self if self._writes_padded else replace(self, pads=False)
        rows = writer.rows(sequences, question, widths=widths, costs=sequences.lengths + question.longest)
        self.counters.asked += len(prompts) * samples
        wanted = position[:, None] * samples + np.arange(decoding.samples) % samples
        return Written.of(rows.reshape(-1, question.width)[wanted.ravel()], question).generations(
            self.encoder,
            decoding.stop,
            cut=read.cut[position],
            samples=decoding.samples,
            tolerance=tolerance,
        )

    def _prompts(self, prompts: Sequence[str], question: Write, *, reply: bool) -> Prompts:
        if self.card.problem is ProblemType.SEQ2SEQ_LM:
            return Prompts.sources(self.encoder, prompts)
        room = self.card.max_length - question.longest
        return Prompts.of(self.encoder, prompts, room=room, chat=reply and self.card.chat)

    @property
    def _writes_padded(self) -> bool:
        return self.pads if self.card.problem is ProblemType.SEQ2SEQ_LM else self.pads_left

    @property
    def _longest(self) -> int:
        """Tokens it can write."""
        if self.card.problem is ProblemType.SEQ2SEQ_LM:
            return decoder_positions(self.forward.network.config)
        return self.card.max_length - self.card.max_length // 2

    @cached_property
    def habits(self) -> Habits:
        """What belongs to the network of how it writes."""
        return Habits.of(self.forward.network, self.encoder.tokenizer)

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
        question = self._question(method, baseline, jitter)
        position, pairs = distinct_of(list(zip(texts, targets, strict=True)))
        sequences = replace(
            self.encoder.encode_words([text for text, _ in pairs]),
            targets=np.array([self.card.labels.index(target) for _, target in pairs], dtype=np.int32),
        )
        widths = question.widths(sequences.lengths)
        rows = self._weighed(sequences, question, widths=widths, asked=len(texts))
        found = [
            question.attribution(*pair, owner, rows[row, : widths[row]], cut=len(owner) >= self.encoder.max_length)
            for row, (pair, owner) in enumerate(zip(pairs, map(sequences.words_of, range(len(pairs))), strict=True))
        ]
        return [found[row] for row in position]

    def attribute_spans(
        self,
        texts: Sequence[Text],
        targets: Sequence[SpanTarget],
        *,
        method: Method = Method.INTEGRATED_GRADIENTS,
        baseline: Baseline | None = None,
    ) -> list[Attribution]:
        """Explain n sums of logits of a tagger or a reader, one of each text, in n attributions in the same order.

        The words of a tagger's text are those of the text as it reads it, with one blank between them.

        Raises:
            DataError: a text the tokenizer cannot read.
            ModelError: a method or baseline this model does not allow, NaN or infinite scores, or too little memory for
                a single text.
            ValueError: a span that the model does not read, or a label it has not.
        """
        question = self._question(method, baseline, None)
        position, items = distinct_of(list(zip(texts, targets, strict=True)))
        if self.card.problem is ProblemType.SPAN:
            read = Spanned.answered(self.encoder, items)
        else:
            read = Spanned.tagged(self.encoder, items, labels=self.card.labels)
        widths = question.widths(read.sequences.lengths)
        rows = self._weighed(read.sequences, question, widths=widths, asked=len(texts))
        found = [
            question.attribution(
                read.texts[row],
                target.name,
                read.sequences.words_of(row),
                rows[row, : widths[row]],
                cut=read.cut[row],
            )
            for row, (_, target) in enumerate(items)
        ]
        return [found[row] for row in position]

    def attribute_written(
        self,
        prompts: Sequence[str],
        written: Sequence[str],
        *,
        method: Method = Method.INTEGRATED_GRADIENTS,
        baseline: Baseline | None = None,
        reply: bool = True,
    ) -> list[Attribution]:
        """Explain n log-probabilities, of what was written for each prompt, in n attributions in the same order.

        Raises:
            DataError: a text the tokenizer cannot read.
            ModelError: a method or baseline this model does not allow, a chat template that fails, NaN or infinite
                scores, or too little memory for a single text.
            ValueError: a blank text, which nothing was written for.
        """
        question = self._question(method, baseline, None)
        position, pairs, read = self._continued(prompts, written, reply=reply)
        widths = question.widths(read.explained)
        rows = self._weighed(read.sequences, question, widths=widths, asked=len(prompts))
        found = [
            question.attribution(*pair, read.words_of(row), rows[row, : widths[row]], cut=read.cut[row])
            for row, pair in enumerate(pairs)
        ]
        return [found[row] for row in position]

    def score_written(self, prompts: Sequence[str], written: Sequence[str], *, reply: bool = True) -> Likelihoods:
        """The log-probabilities of the tokens of what was written for each of n prompts, in the same order.

        Raises:
            DataError: a text the tokenizer cannot read.
            ModelError: a chat template that fails, NaN or infinite scores, or too little memory for a single text.
            ValueError: a blank text, which nothing was written for.
        """
        position, _, read = self._continued(prompts, written, reply=reply)
        tokens = read.passages.sequences
        rows = self.rows(tokens, self._scoring, widths=read.passages.counts, costs=tokens.lengths)
        self.counters.asked += len(prompts)
        return read.passages.likelihoods(rows, position, tolerance=LOG_TOLERANCE[self.dtype])

    def _continued(
        self, prompts: Sequence[str], written: Sequence[str], *, reply: bool
    ) -> tuple[Ints, list[Pair], Continued]:
        """The different pairs as they are read, and the position among them of each of the n pairs."""
        if not all(text.strip() for text in written):
            raise ValueError("nothing was written for some of the prompts")
        position, pairs = distinct_of(list(zip(prompts, written, strict=True)))
        if self.card.problem is ProblemType.SEQ2SEQ_LM:
            return position, pairs, Continued.transformed(self.encoder, pairs, network=self.forward.network)
        return position, pairs, Continued.of(self.encoder, pairs, chat=reply and self.card.chat)

    @property
    def _scoring(self) -> Score | ScoreTarget:
        """How a generator scores what was written."""
        if self.card.problem is ProblemType.SEQ2SEQ_LM:
            return ScoreTarget.of(self.forward.network, self.encoder, self.habits)
        return Score.of(Scoring.LEFT_TO_RIGHT, self.forward.network, self.encoder.tokenizer)

    def _question(self, method: Method, baseline: Baseline | None, jitter: Jitter | None) -> Explain:
        if method in self.card.unattributable:
            raise ModelError(
                f"{method} cannot explain this model: {self.card.unattributable[method]}",
                hint=f"use another method, such as {Method.OCCLUSION}",
            )
        return self.explainer.question(method, baseline, jitter)

    def _weighed(self, sequences: Sequences, question: Explain, *, widths: Ints, asked: int) -> Rows:
        rows = self.rows(sequences, question, widths=widths, costs=question.costs(sequences.lengths))
        self.counters.asked += asked
        return rows

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

        return Explainer(self.forward, self.encoder, self._aim)

    @property
    def _aim(self) -> Aim:
        if self.card.problem is ProblemType.SPAN:
            return Answer()
        if self.card.problem is ProblemType.TOKEN:
            return Tags(len(self.card.labels))
        if self.card.problem not in WRITING_HEADS:
            return LABEL
        seq2seq = self.card.problem is ProblemType.SEQ2SEQ_LM
        return aim_of(
            self.forward.network,
            ScoreTarget.of(self.forward.network, self.encoder, self.habits) if seq2seq else None,
        )

    def throughput(self, texts: Sequence[Text]) -> Throughput:
        """Speed on `texts`, tokenization included, the cache left out; call it twice and the first warms up."""
        trial = replace(self, cache=AnswerCache.open(None), counters=Counters(), on_progress=None)
        started = perf_counter()
        if self.card.question is Capability.GENERATE:
            trial.generate([str(text) for text in texts[:PROMPTS]], TRIED)
        else:
            getattr(trial, self.card.question)(texts)
        seconds = max(perf_counter() - started, 1e-9)
        counters = trial.counters
        # Of a long context several windows are computed.
        done = min(counters.computed, len(texts))
        writes = Capability.GENERATE in self.card.capabilities and self.card.question is not Capability.GENERATE
        return Throughput(
            texts_per_second=done / seconds,
            tokens_per_second=counters.tokens / seconds,
            seconds_per_written_token=_seconds_to_write(trial, texts[:SIDE_BY_SIDE]) if writes else None,
        )

    def _ask(self, texts: Sequence[Text], question: Capability, *, width: int) -> Rows:
        """(n, width) answers to one question about n texts, in their order."""
        position, distinct = distinct_of(texts)
        sequences = self.encoder.encode(distinct)
        rows = self.rows(sequences, question, widths=np.full(len(sequences), width), costs=sequences.lengths)
        self.counters.asked += len(texts)
        return rows[position].reshape(len(texts), width)


def _seconds_to_write(model: TransformersModel, texts: Sequence[Text]) -> float:
    """For one token of one of the texts; the difference of two lengths leaves out what reading the prompts costs."""
    prompts = [passage(text)[0] for text in texts]
    clock = [perf_counter()]
    for decoding in (FIRST, TRIED):
        model.generate(prompts, decoding)
        clock.append(perf_counter())
    short, long = np.diff(clock)
    return max(float(long - short), 1e-9) / (len(prompts) * (TRIED.max_tokens - FIRST.max_tokens))


def _answer(read: Windows, number: int, context: str, rows: Rows) -> tuple[str, int, int, float, float, float, float]:
    """A row of `Answers.of`."""
    best, null = read.candidates(number, context, rows)
    if not best:
        return "", 0, 0, -np.inf, -np.inf, -np.inf, null
    score, start, end = best[0]
    second = best[1][0] if len(best) > 1 else -np.inf
    return context[start:end], start, end, score, second, float(logsumexp([each[0] for each in best])), null
