"""The same items asked in several ways that mean the same: how far the replies, and their scores, lie apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, compress

import numpy as np

from probes.core.answer_scores import f1, normalised
from probes.core.answered import accepted, f1_of
from probes.core.answers import Bools, Floats, Ints
from probes.core.examples import Example
from probes.core.generations import Decoding
from probes.core.model import Generator
from probes.core.replies import Replies

_Compare = Callable[[int, int, int], float]
"""(item, one way, another way) -> how the two replies compare."""


@dataclass(frozen=True)
class Spread:
    """Items with a reply in every way, sorted by their id.

    Attributes:
        ways: names of the ways.
        prompts: (items x ways,) those of item i are rows i x ways and following.
        replies: (items x ways,) likewise.
        cut: items of which a prompt is longer than the model reads: in what is left the ways may be alike.
        empty: other items that got an empty reply in some way; neither kind is among the examples.
    """

    examples: tuple[Example, ...]
    ways: tuple[str, ...]
    prompts: tuple[str, ...]
    replies: Replies
    cut: int
    empty: int

    @classmethod
    def ask(
        cls,
        model: Generator,
        items: Sequence[tuple[Example, Sequence[str]]],
        *,
        ways: Sequence[str],
        decoding: Decoding,
    ) -> Spread:
        """Have every item, with its prompt in each of the ways, replied to, in one call."""
        ordered = sorted(items, key=lambda item: item[0].id)
        prompts = [prompt for _, each in ordered for prompt in each]
        replies = Replies(model.generate(prompts, decoding))
        cut, empty = (each.reshape(len(ordered), len(ways)).any(axis=1) for each in (replies.cut, replies.empty))
        full: Bools = np.asarray(~(cut | empty))
        rows: Ints = np.flatnonzero(np.repeat(full, len(ways))).astype(np.int64)
        return cls(
            examples=tuple(example for (example, _), kept in zip(ordered, full.tolist(), strict=True) if kept),
            ways=tuple(ways),
            prompts=tuple(prompts[row] for row in rows.tolist()),
            replies=replies[rows],
            cut=int(cut.sum()),
            empty=int((empty & ~cut).sum()),
        )

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def clusters(self) -> list[str]:
        return [example.cluster for example in self.examples]

    @cached_property
    def labelled(self) -> Bools:
        """(items,): are accepted answers known."""
        return np.array([example.gold is not None for example in self.examples], dtype=bool)

    @cached_property
    def tied(self) -> Bools:
        """(items, ways): numerical noise decided at some place of the reply."""
        return self.replies.tied.reshape(len(self), len(self.ways))

    def given(self, item: int) -> Sequence[str]:
        """The replies to one item, in the order of the ways."""
        return self.replies.given[item * len(self.ways) : (item + 1) * len(self.ways)]

    @cached_property
    def constant(self) -> bool:
        """Do several items get one and the same reply, in whatever way they are asked."""
        return len(self) > 1 and len(set(map(normalised, self.replies.given))) == 1

    @cached_property
    def differs(self) -> Floats:
        """(items, ways, ways): 1 where two replies differ after normalisation by more than numerical noise."""
        said = [[normalised(reply) for reply in self.given(item)] for item in range(len(self))]
        return self._pairs(lambda item, a, b: float(said[item][a] != said[item][b]), within_noise=0.0)

    @cached_property
    def alike(self) -> Floats:
        """(items, ways, ways): F1 of the words of two replies; 1 where they may differ by numerical noise alone."""
        return self._pairs(lambda item, a, b: f1(self.given(item)[a], [self.given(item)[b]]), within_noise=1.0)

    def _pairs(self, compare: _Compare, *, within_noise: float) -> Floats:
        matrix = np.full((len(self), len(self.ways), len(self.ways)), np.nan)
        for item in range(len(self)):
            for a, b in combinations(range(len(self.ways)), 2):
                noise = self.tied[item, a] or self.tied[item, b]
                matrix[item, a, b] = matrix[item, b, a] = within_noise if noise else compare(item, a, b)
        return matrix

    @cached_property
    def graded(self) -> Floats:
        """(labelled items, ways): F1 of the words with the accepted answers."""
        rows = np.flatnonzero(self.labelled).tolist()
        scores = [f1_of(self.given(row), [accepted(self.examples[row].gold)] * len(self.ways)) for row in rows]
        return np.array(scores, dtype=np.float64).reshape(len(rows), len(self.ways))

    @property
    def graded_clusters(self) -> list[str]:
        """(labelled items,)."""
        return list(compress(self.clusters, self.labelled.tolist()))
