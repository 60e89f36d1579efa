"""One reply of a generator to each prompt, with what a comparison of two replies looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answers import Bools, Floats, Ints
from probes.core.examples import Example
from probes.core.generations import Generations


@dataclass(frozen=True)
class Replies:
    """n greedy replies.

    Attributes:
        written: of n prompts, one continuation each.
    """

    written: Generations

    def __post_init__(self) -> None:
        if self.written.samples != 1:
            raise ValueError("a comparison needs one reply to each prompt")

    def __len__(self) -> int:
        return len(self.written)

    def __getitem__(self, rows: Ints, /) -> Replies:
        """The replies in `rows`, in that order."""
        return Replies(self.written[rows])

    @property
    def given(self) -> Sequence[str]:
        """(n,): what was written."""
        return self.written.texts

    @property
    def tied(self) -> Bools:
        """(n,): numerical noise decided between two tokens at some place."""
        return self.written.near

    @property
    def empty(self) -> Bools:
        """(n,): nothing was written that could be judged."""
        return self.written.empty

    @property
    def cut(self) -> Bools:
        """(n,): is the prompt longer than the model reads."""
        return self.written.cut > 0

    @cached_property
    def confidence(self) -> Floats:
        """(n,): geometric mean of the probabilities of the tokens written."""
        return np.exp(np.minimum(self.written.logs / np.maximum(self.written.tokens, 1), 0.0))


def prompt_of(example: Example) -> str:
    """What a generator is given: the text of the item, or the two of a pair with an empty line between them."""
    return "\n\n".join(example.texts)
