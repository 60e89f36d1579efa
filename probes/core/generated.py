"""Prompts with accepted texts together with what was written for them, as probes of generators use them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np

from probes.core.answered import accepted, exact_of, f1_of
from probes.core.answers import Bools, Floats
from probes.core.examples import Accepted, Example
from probes.core.generations import Decoding, Generations
from probes.core.model import Generator
from probes.core.records import Outcomes

BYTES_A_TOKEN = 2
"""At least so many bytes of a reference go into a token: half of what is usual for English, so that nothing is cut off
because the tokens are small."""
SHORTEST, LONGEST = 16, 512
"""Tokens that may be written, at least and at most, where nobody says how many."""


@dataclass(frozen=True)
class Generated:
    """n prompts with accepted texts, and what was written, sorted by item id: the order of rows changes nothing.

    Attributes:
        unlabelled: how many items had no accepted text and are not among these.
        pairs: how many were pairs of texts, which are no prompt, and are not among these.
    """

    examples: tuple[Example, ...]
    answers: Generations
    unlabelled: int = 0
    pairs: int = 0

    @classmethod
    def ask(
        cls, model: Generator, data: Sequence[Example], *, max_tokens: int | None = None, stop: tuple[str, ...] = ()
    ) -> Generated:
        """Have the likeliest text written for every item with accepted texts, in one call.

        Args:
            max_tokens: of each text; by default `room_for` the accepted ones.
            stop: as in `Decoding`.
        """
        labelled = sorted((e for e in data if e.gold), key=lambda example: example.id)
        kept = tuple(example for example in labelled if isinstance(example.text, str))
        limit = max_tokens or room_for([accepted(example.gold) for example in kept])
        answers = model.generate([str(example.text) for example in kept], Decoding(max_tokens=limit, stop=stop))
        return cls(kept, answers, unlabelled=len(data) - len(labelled), pairs=len(labelled) - len(kept))

    def __len__(self) -> int:
        return len(self.examples)

    def where(self, members: Bools) -> Generated:
        """Those of the items that are `members` (n,)."""
        return Generated(tuple(compress(self.examples, members)), self.answers[np.flatnonzero(members)])

    @cached_property
    def texts(self) -> list[str]:
        """(n,): what was written."""
        return list(self.answers.texts)

    @cached_property
    def clusters(self) -> list[str]:
        return [example.cluster for example in self.examples]

    @cached_property
    def golds(self) -> list[Accepted]:
        """(n,): the accepted texts, one at least."""
        return [accepted(example.gold) for example in self.examples]

    @cached_property
    def exact(self) -> Bools:
        """(n,): equal to an accepted text after normalisation."""
        return exact_of(self.texts, self.golds)

    @cached_property
    def f1(self) -> Floats:
        """(n,): words shared with the best accepted text, 0 to 1."""
        return f1_of(self.texts, self.golds)

    def outcomes(self) -> Outcomes:
        """One row for each item; right is an exact match, the score is the F1, and an empty text has neither."""
        n, empty = len(self), self.answers.empty.tolist()
        form = {"empty_rate": self.answers.empty, "unfinished_rate": ~self.answers.finished}
        scores = [None if none else value for none, value in zip(empty, self.f1.tolist(), strict=True)]
        return Outcomes(
            example_id=[example.id for example in self.examples],
            cluster=self.clusters,
            variant=[""] * n,
            after=self.texts,
            before=[None] * n,
            gold=[" | ".join(gold) for gold in self.golds],
            correct=[None if none else right for none, right in zip(empty, self.exact.tolist(), strict=True)],
            changed=[None] * n,
            score=scores,
            values={"f1": scores, **{name: flags.astype(float).tolist() for name, flags in form.items()}},
        )


def room_for(golds: Sequence[Sequence[str]]) -> int:
    """Tokens in which the longest of the accepted texts can be written by any tokenizer but one of bytes."""
    longest = max((len(text.encode("utf-8", "surrogatepass")) for gold in golds for text in gold), default=0)
    return min(max(SHORTEST, -(-longest // BYTES_A_TOKEN)), LONGEST)
