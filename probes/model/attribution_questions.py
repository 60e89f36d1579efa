"""The questions which words pushed an answer where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from probes.core.answers import WRITING_HEADS, Ints, ProblemType
from probes.core.attributions import Attribution, Baseline, Jitter, Method, SpanTarget
from probes.core.errors import ModelError
from probes.core.examples import Text
from probes.model.aims import LABEL, Aim, Answer, Tags
from probes.model.asking import Rows, distinct_of
from probes.model.continued import aim_of
from probes.model.language_questions import LanguageQuestions
from probes.model.sequences import Sequences
from probes.model.spanned import Spanned
from probes.model.transduction import ScoreTarget

if TYPE_CHECKING:
    from probes.model.explainer import Explain, Explainer


@dataclass(kw_only=True)
class AttributionQuestions(LanguageQuestions):
    """What is asked of any model about its answers: which words pushed them where."""

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
