"""The questions to language models: the tokens each is about, and what its numbers mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from probes.core.answers import Ints, ProblemType
from probes.core.examples import Text
from probes.core.fillings import Fillings
from probes.core.generations import GREEDY, Decoding, Generations
from probes.core.likelihoods import MASKING, Likelihoods, Scoring, passage
from probes.core.precision import LOG_TOLERANCE
from probes.model.asking import distinct_of
from probes.model.continued import Continued, Pair
from probes.model.fillings import Fill, filled, word_ids
from probes.model.fillings import read as read_fillings
from probes.model.generation import Habits, Write, decoder_positions
from probes.model.left_to_right import LeftToRight
from probes.model.loaded import Loaded
from probes.model.passages import Passages
from probes.model.prompts import Prompts
from probes.model.scoring import scoring
from probes.model.transduction import ScoreTarget, read_pairs
from probes.model.unfinished import goes_on
from probes.model.written import Written


@dataclass(kw_only=True)
class LanguageQuestions(Loaded):
    """What is asked of a language model: how likely texts are, what is missing in them, what comes after them."""

    def score(
        self,
        texts: Sequence[Text],
        *,
        rule: Scoring | None = None,
        counted: Sequence[tuple[int, int]] | None = None,
        framed: bool = True,
    ) -> Likelihoods:
        """Answer n texts with the log-probabilities of their tokens, in the same order.

        A model with an encoder scores pairs only: the second text as the decoder's, given the first as the encoder's.
        Neither what its decoder begins with nor what ends the text is scored.

        Args:
            rule, counted: as of `Scorer`.
            framed: as of `Passages.of`.

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
        read = Passages.of(self.encoder, distinct, starts=rule not in MASKING, framed=framed)
        question = scoring(rule, self.forward.network, self.encoder.tokenizer, shares=self.shares)
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

    def fill(self, texts: Sequence[str], *, count: int, words: Sequence[str] = ()) -> Fillings:
        """The `count` likeliest tokens for the blank of each of n texts in the same order, and how likely `words` are.

        Raises:
            DataError: a text the tokenizer cannot read.
            ModelError: NaN or infinite logits, too little memory for a single text, or a tokenizer without a mask.
            ValueError: a text that has not one blank.
        """
        ids = word_ids(self.encoder, words)
        known = ids >= 0
        tokenizer = self.encoder.tokenizer
        question = Fill.of(self.forward.network, tokenizer, count=count, targets=ids[known].tolist())
        position, distinct = distinct_of(filled(texts, tokenizer.mask_token))
        sequences = self.encoder.encode(distinct)
        widths = np.full(len(sequences), question.width)
        rows = self.rows(sequences, question, widths=widths, costs=sequences.lengths)[position]
        self.counters.asked += len(texts)
        blanks = [bool((row == question.mask).any()) for row in np.split(sequences.ids, sequences.starts[1:-1])]
        has_blank = [blanks[row] for row in position]
        return read_fillings(rows, question, has_blank=has_blank, known=known.tolist(), encoder=self.encoder)

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
        question = Write.of(
            decoding,
            self.habits,
            longest=self._longest,
            stops=stops,
            tolerance=tolerance,
            keeps=self._writes_padded and goes_on(self.forward.network),
        )
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
    def _scoring(self) -> LeftToRight | ScoreTarget:
        """How a generator scores what was written."""
        if self.card.problem is ProblemType.SEQ2SEQ_LM:
            return ScoreTarget.of(self.forward.network, self.encoder, self.habits)
        return LeftToRight.of(self.forward.network, shares=self.shares)
