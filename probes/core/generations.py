"""What a generator writes, in columns: one object for the continuations of n prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from probes.core.answers import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """How a generator is asked to write; part of the key of every answer.

    Attributes:
        max_tokens: it is stopped after as many, wherever it stands.
        samples: continuations of each prompt, independent of one another.
        temperature: 0 takes the likeliest token each time (then all samples are the same); otherwise the logits are
            divided by it before a token is drawn.
        top_p: tokens are drawn from the fewest whose probabilities add up to this (nucleus sampling; Holtzman et al.
            2020).
        seed: of the draws. The draws of a prompt depend on nothing but this, its text and the number of the sample.
        reply: a chat model is given the prompt as the message of a user, through its template; False has any model
            continue the bare text. Without meaning for models without a template.
        stop: texts at the first of which what is written ends; they are cut off.
    """

    max_tokens: int = 64
    samples: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    reply: bool = True
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.max_tokens < 1 or self.samples < 1 or self.temperature < 0 or not 0 < self.top_p <= 1:
            raise ValueError(f"no such decoding: {self}")


GREEDY = Decoding()


@dataclass(frozen=True, kw_only=True)
class Generations:
    """What was written for n prompts, `samples` times each: those of prompt i are rows i x samples and following.

    Attributes:
        texts: (n x samples,) without special tokens, the prompt and blanks around; may be empty.
        tokens: (n x samples,) how many were written, the one that ends a text included.
        finished: (n x samples,) did the model end the text itself, or come to a text to stop at; False: it was stopped
            after `Decoding.max_tokens`.
        logs: (n x samples,) log-probability of the written tokens under the model (temperature 1, no nucleus).
        cut: (n,) tokens of the prompt that were left out because it is longer than the model reads.
        near: (n x samples,) did numerical noise of the dtype decide a greedy choice at some place: the two likeliest
            tokens are within `tolerance` of one another. False for draws.
        samples: continuations of each prompt.
        tolerance: a difference in a log-probability below this may be numerical noise of the dtype.
    """

    texts: Sequence[str]
    tokens: Ints
    finished: Bools
    logs: Floats
    cut: Ints
    near: Bools
    samples: int = 1
    tolerance: float = 1e-4

    def __len__(self) -> int:
        """Prompts, not continuations."""
        return len(self.cut)

    def __getitem__(self, rows: Ints) -> Generations:
        """What was written for the prompts of `rows`, in that order."""
        places = (np.asarray(rows, dtype=np.int64)[:, None] * self.samples + np.arange(self.samples)).ravel()
        return replace(
            self,
            texts=[self.texts[place] for place in places.tolist()],
            tokens=self.tokens[places],
            finished=self.finished[places],
            logs=self.logs[places],
            cut=self.cut[rows],
            near=self.near[places],
        )

    def of(self, row: int) -> Sequence[str]:
        """The continuations of one prompt."""
        return self.texts[row * self.samples : (row + 1) * self.samples]

    @cached_property
    def empty(self) -> Bools:
        """(n x samples,): nothing was written, or blanks only; such a text has no property that could be judged."""
        return np.array([not text.strip() for text in self.texts], dtype=bool)
