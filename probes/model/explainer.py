"""Attributions as a question to the network, answered batch by batch like any other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version

import numpy as np
import torch
from numpy.typing import NDArray

from probes.core.answers import Ints
from probes.core.attributions import COMPLETE, GRADIENT, Attribution, Baseline, Jitter, Method
from probes.core.errors import ModelError
from probes.core.examples import Text
from probes.model.aims import LABEL, Aim, Continuation, Translation
from probes.model.asked import Asked, How
from probes.model.batching import Batch
from probes.model.deletions import Deletions, passes
from probes.model.forward import Forward
from probes.model.gradients import GRADIENT_SAMPLES, Gradients
from probes.model.heads import LOGITS
from probes.model.integration import ERROR, FIRST_RULE
from probes.model.pooling import pooled
from probes.model.sequences import Ids
from probes.model.substitution import Embedding
from probes.model.tokens import Encoder

RULES = "3"
"""Part of what an answer depends on: to be raised with any change to what follows."""
HEADER = 3
"""Numbers before the scores of the tokens: target's logit, that of the baseline, gradients or passes it took."""
GRADIENT_MEMORY = 2
"""A token costs this many times the memory of a classified one when a gradient is wanted."""
COMPARES_WITH_NOTHING = frozenset({Method.SALIENCY, Method.INPUT_X_GRADIENT})


@dataclass(frozen=True)
class Explainer:
    """What turns a method into a question about one network."""

    forward: Forward
    encoder: Encoder
    aim: Aim = LABEL

    @cached_property
    def embedding(self) -> Embedding | None:
        """Where the network looks words up; None when that cannot be replaced."""
        inputs = self.forward.inputs(Batch(self.encoder.encode(["The quick brown fox jumps over the lazy dog."])))
        decoder = inputs[0][:, :1] if isinstance(self.aim, Translation) else None
        return Embedding.find(self.forward.network, *inputs, decoder=decoder)

    def question(self, method: Method, baseline: Baseline | None, jitter: Jitter | None) -> Explain:
        """The question about one method, with the baseline it will use.

        Raises:
            ModelError: the network does not allow the method, or has no such baseline.
        """
        gradient = method in GRADIENT
        if gradient and self.embedding is None:
            raise ModelError(
                f"{method} needs the word embeddings of the model, which cannot be replaced from outside",
                hint=f"use {Method.OCCLUSION}, which needs none",
            )
        if jitter is not None and not gradient:
            raise ModelError(f"{method} reads no embeddings, so there is nothing to jitter", hint="leave jitter out")
        limit = self.encoder.max_length
        if method in COMPARES_WITH_NOTHING:
            return Explain(method=method, embedding=self.embedding, aim=self.aim, jitter=jitter, max_length=limit)
        chosen = baseline or self._usual
        return Explain(
            method=method,
            embedding=self.embedding,
            aim=self.aim,
            jitter=jitter,
            baseline=chosen,
            stand_in=self._stand_in(method, chosen),
            max_length=limit,
        )

    @property
    def _usual(self) -> Baseline:
        """What pads the texts of a generator mostly ends them too: in the middle it would cut off what is before."""
        if self.encoder.tokenizer.mask_token_id is not None:
            return Baseline.MASK
        writes = isinstance(self.aim, Continuation | Translation)
        return Baseline.MEAN if writes and self.embedding is not None else Baseline.PAD

    def _stand_in(self, method: Method, baseline: Baseline) -> int:
        if baseline is Baseline.PAD:
            return self.forward.pad
        if baseline is not Baseline.MASK:
            if self.embedding is None:
                raise ModelError(
                    f"{method} replaces tokens by tokens here, so the baseline {baseline} is none for it",
                    hint="use the baseline pad or mask",
                )
            return self.forward.pad
        mask = self.encoder.tokenizer.mask_token_id
        if mask is None:
            raise ModelError("the tokenizer of this model has no mask token", hint="use the baseline pad")
        return int(mask)


@dataclass(frozen=True, kw_only=True)
class Explain(How):
    """One method as a question to the network: what `Forward` and the cache need to know of it.

    Attributes:
        max_length: tokens that the network reads of a text at most.
    """

    max_length: int

    def __str__(self) -> str:
        jitter = "" if self.jitter is None else f"{self.jitter.radius!r} {self.jitter.seed}"
        aim = () if self.aim is LABEL else (self.aim,)
        parts = ("attribute", RULES, version("captum"), self.method, self.baseline, jitter, ERROR, *aim)
        return "\n".join(map(str, parts))

    def widths(self, lengths: Ints) -> Ints:
        """(n,): how many numbers an answer about so many tokens has."""
        return lengths + HEADER

    def costs(self, lengths: Ints) -> Ints:
        """(n,): tokens that go through the network for a sequence, roughly; grows with its length."""
        if self.method in GRADIENT:
            points = {Method.INTEGRATED_GRADIENTS: FIRST_RULE, Method.GRADIENT_SHAP: GRADIENT_SAMPLES}
            return lengths * points.get(self.method, 2)
        # There are at most as many words as tokens.
        return lengths * np.array([passes(self.method, int(length)) for length in lengths], dtype=np.int64)

    def at_once(self, limit: int, longest: int) -> int:
        """Rows of `longest` tokens that go through the network together within a limit of tokens."""
        return max(1, self._within(limit) // longest)

    def __call__(self, forward: Forward, batch: Batch) -> torch.Tensor:
        """(rows, HEADER + longest) float32: see HEADER; zeros behind the last token."""
        with torch.inference_mode(False), torch.enable_grad():
            asked = Asked.of(batch, forward, limit=self._within(forward.limit), aim=self.aim)
            if self.method in GRADIENT:
                return Gradients(self, asked).answer()
            return Deletions(self, asked, forward.network).answer()

    def _within(self, limit: int) -> int:
        limit = min(limit, LOGITS // self.aim.numbers)
        return limit // GRADIENT_MEMORY if self.method in GRADIENT else limit

    def attribution(
        self, text: Text, target: str, owner: Ids, numbers: NDArray[np.float32], *, cut: bool
    ) -> Attribution:
        """What an answer means: the (HEADER + tokens,) numbers about a text whose tokens belong to `owner`.

        Args:
            cut: as in `probes.model.pooling.pooled`.
        """
        output, baseline_output, points = (float(number) for number in numbers[:HEADER])
        tokens = numbers[HEADER:].astype(np.float64)
        words, scores, special, unread = pooled(text, owner, tokens, cut=cut)
        return Attribution(
            text=text,
            target=target,
            words=words,
            scores=scores,
            special=special,
            output=output,
            baseline=self.baseline,
            baseline_output=None if self.baseline is None else baseline_output,
            unread=unread,
            points=int(points),
            complete=self.method in COMPLETE,
        )
