"""A transformers model behind the questions of the probes: which tokens each is about, and what its numbers mean."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter

import numpy as np

from probes.core.answers import Bools, Classifications, Floats, Ints
from probes.core.errors import ModelError
from probes.core.examples import Text
from probes.core.generations import Decoding
from probes.core.likelihoods import passage
from probes.core.model import Capability
from probes.core.precision import TOLERANCE
from probes.core.readings import Answers
from probes.core.taggings import Taggings, tagged_words
from probes.core.words import Span
from probes.model.asking import Counters, Rows, distinct_of
from probes.model.attribution_questions import AttributionQuestions
from probes.model.cache import AnswerCache
from probes.model.flips import Flips, Slopes, mean_of
from probes.model.neighbours import WholeWords
from probes.model.randomise import randomised
from probes.model.sequences import Ids
from probes.model.spans import NUMBERS
from probes.model.token_counts import token_counts
from probes.model.windows import Windows

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
class TransformersModel(AttributionQuestions):
    """A loaded model; `Attributor` and `Embedder` of `probes.core.model`, `Tagger`, `Reader` or `Scorer`. Made by
    `load.load`.

    Which questions it answers is for the card's capabilities to say.
    """

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

    def screened(self) -> TransformersModel | None:
        """The same classifier in a narrower type, to screen many texts; None where that gains nothing."""
        from probes.model.screening import screened

        return screened(self)

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

    def neighbours(self, words: Sequence[str], *, count: int) -> list[list[tuple[str, float]]]:
        """The `count` words of its vocabulary nearest to each of n words, with the cosines of their embeddings."""
        return self.whole_words.neighbours(words, count=count)

    @cached_property
    def whole_words(self) -> WholeWords:
        """The words of its vocabulary."""
        return WholeWords.of(self.forward.network, self.encoder)

    def gains(
        self, texts: Sequence[Text], targets: Sequence[str], swaps: Sequence[Sequence[tuple[Span, str]]]
    ) -> list[Floats]:
        """Of each of n texts (m,) estimates of how much its label loses with another text at a place.

        Raises:
            DataError: a text the tokenizer cannot read.
            ModelError: a network without gradients of its embeddings, or too little memory for a single text.
            ValueError: a target that is none of the labels.
        """
        asked = self._flips
        found = [distinct_of([span for span, _ in each]) for each in swaps]
        placed = asked.placed(texts, self._numbers(targets), [places for _, places in found])
        return [
            asked.gains(own, [(row, text) for row, (_, text) in zip(position.tolist(), each, strict=True)])
            for own, (position, _), each in zip(placed, found, swaps, strict=True)
        ]

    def flips(
        self,
        texts: Sequence[Text],
        targets: Sequence[str],
        places: Sequence[Sequence[Span]],
        *,
        count: int,
        sign: float,
    ) -> list[list[list[tuple[str, float]]]]:
        """Of each place of each of n texts the `count` words of its vocabulary with the highest estimates.

        Raises:
            DataError, ModelError, ValueError: as `gains`.
        """
        asked = self._flips
        placed = asked.placed(texts, self._numbers(targets), places)
        return [asked.best(own, count=count, sign=sign) for own in placed]

    def shared_flips(
        self, texts: Sequence[Text], targets: Sequence[str], places: Sequence[Span], *, count: int, sign: float
    ) -> list[tuple[str, float]]:
        """The `count` words of its vocabulary with the highest mean estimates at one place of each of n texts.

        Raises:
            DataError, ModelError, ValueError: as `gains`.
        """
        asked = self._flips
        placed = asked.placed(texts, self._numbers(targets), [[place] for place in places])
        return asked.best(mean_of(placed), count=count, sign=sign)[0]

    def slants(self, words: Sequence[str], *, label: str, texts: Sequence[str]) -> tuple[Floats, Bools]:
        """(n,) how much each word speaks for a label wherever it stands, and (n,) whether it is one token, a word.

        Raises:
            DataError, ModelError, ValueError: as `gains`.
        """
        return self._flips.slants(words, self._slant(label, tuple(texts)))

    @cached_property
    def _slants(self) -> dict[tuple[str, tuple[str, ...]], Floats]:
        return {}

    def _slant(self, label: str, texts: tuple[str, ...]) -> Floats:
        """(vocabulary,): of every token; worked out once."""
        if (label, texts) not in self._slants:
            self._slants[label, texts] = self._flips.slant(texts, self._numbers([label] * len(texts)))
        return self._slants[label, texts]

    def _numbers(self, targets: Sequence[str]) -> list[int]:
        return [self.card.labels.index(target) for target in targets]

    @cached_property
    def _flips(self) -> Flips:
        embedding = self.explainer.embedding
        if embedding is None:
            raise ModelError(
                "the word embeddings of this model cannot be replaced from outside, so there are no gradients of them",
                hint="use a recipe that needs no gradients",
            )
        return Flips(self, self.encoder, Slopes(embedding, self.card.problem), self.whole_words)

    @contextmanager
    def randomised(self, share: float, *, seed: int) -> Iterator[TransformersModel]:
        """The same model with random weights in its head and the uppermost `share` of its layers, for as long.

        Raises:
            ValueError: a share outside 0 to 1.
        """
        scope = hashlib.blake2b(f"random {share!r} {seed}".encode(), digest_size=32, key=self.scope).digest()
        with randomised(self.forward.network, share, seed=seed):
            yield replace(self, cache=AnswerCache.open(None), scope=scope)

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
    return context[start:end], start, end, score, second, float(np.logaddexp.reduce([each[0] for each in best])), null
