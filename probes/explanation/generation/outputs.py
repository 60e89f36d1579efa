"""Prompts, what was written for them, and what pushed each text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answers import Floats, Ints
from probes.core.attributions import Attribution, Method
from probes.core.attributors import GeneratorAttributor
from probes.core.examples import Example
from probes.core.generations import Decoding
from probes.core.replies import Replies, prompt_of
from probes.core.sampling import stratified


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """n prompts with the likeliest text for each, sorted by item id: the order of the rows changes nothing.

    Attributes:
        replies: what was written.
        method: by which all of them were explained.
        attributions: (n,) of the log-probability of the text.
        tokens: (n,) of the text, as they are scored.
        totals: (n,) log-probability of the text after the whole prompt, in nats.
        drawn: prompts that were asked about; `empty` of them got no text, and of `unread` no word was read, or not all
            of the text. These are not among the n.
    """

    examples: tuple[Example, ...]
    replies: Replies
    method: Method
    attributions: tuple[Attribution, ...]
    tokens: Ints
    totals: Floats
    drawn: int
    empty: int
    unread: int

    @classmethod
    def ask(
        cls,
        model: GeneratorAttributor,
        data: Sequence[Example],
        *,
        method: Method,
        decoding: Decoding,
        items: int,
        seed: int,
    ) -> Outputs:
        """Have a text written for a sample of the prompts, then ask why, each in one bulk."""
        drawn = sorted(stratified(data, limit=items, seed=seed), key=lambda example: example.id)
        replies = Replies(model.generate([prompt_of(example) for example in drawn], decoding))
        said = np.flatnonzero(~replies.empty)
        prompts, texts = [prompt_of(drawn[row]) for row in said], [replies.given[int(row)] for row in said]
        scores = model.score_written(prompts, texts) if prompts else None
        found = model.attribute_written(prompts, texts, method=method) if prompts else []
        read = np.array(
            [place for place, each in enumerate(found) if each.words and scores and not scores.unscored[place]],
            dtype=np.int64,
        )
        return cls(
            examples=tuple(drawn[row] for row in said[read]),
            replies=replies[said[read]],
            method=method,
            attributions=tuple(found[place] for place in read),
            tokens=scores.counts[read] if scores else read,
            totals=scores.totals[read] if scores else np.zeros(0),
            drawn=len(drawn),
            empty=len(drawn) - len(said),
            unread=len(said) - len(read),
        )

    def __len__(self) -> int:
        return len(self.examples)

    @cached_property
    def prompts(self) -> list[str]:
        """(n,)."""
        return [prompt_of(example) for example in self.examples]

    @property
    def texts(self) -> Sequence[str]:
        """(n,): what was written."""
        return self.replies.given

    @cached_property
    def clusters(self) -> list[str]:
        """(n,)."""
        return [example.cluster for example in self.examples]
