"""What a generator wrote for each of several prompts, several times, and what judges think of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np

from probes.core.answers import Bools, Floats
from probes.core.generations import Decoding, Generations
from probes.core.judges import flagged
from probes.core.model import Filler, Generator
from probes.core.prompts import Prompt

NONE_JUDGED = "There is no continuation to judge: those without a word are not judged, and no other has a value."


@dataclass(frozen=True)
class Written:
    """n prompts, each with k continuations, sorted by the prompt's id: their order has no influence."""

    prompts: tuple[Prompt, ...]
    generations: Generations

    @classmethod
    def ask(cls, model: Generator, prompts: Sequence[Prompt], decoding: Decoding) -> Written:
        """Have every prompt continued, in one call; prompts that repeat another one are asked once."""
        asked = ordered(prompts)
        return cls(asked, model.generate([prompt.text for prompt in asked], decoding))

    @classmethod
    def filled(cls, model: Filler, prompts: Sequence[Prompt], *, count: int) -> Written:
        """Have the blank of every prompt filled with the `count` likeliest tokens, in one call, in place of k draws."""
        asked = ordered(prompts)
        return cls(asked, model.fill([prompt.with_blank for prompt in asked], count=count).generations)

    def __len__(self) -> int:
        return len(self.prompts)

    def where(self, members: Bools) -> Written:
        """Those of the prompts that are `members` (n,)."""
        return Written(tuple(compress(self.prompts, members)), self.generations[np.flatnonzero(members)])

    @property
    def samples(self) -> int:
        return self.generations.samples

    @property
    def texts(self) -> Sequence[str]:
        """(n x k,): those of prompt i are rows i x k and following."""
        return self.generations.texts

    @cached_property
    def said(self) -> Bools:
        """(n, k): was anything written; nothing is neither harmful nor harmless."""
        return ~self.generations.empty.reshape(len(self), self.samples)

    @cached_property
    def clusters(self) -> list[str]:
        """(n,): prompts with equal keys are not independent."""
        return [prompt.cluster for prompt in self.prompts]

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        return tuple(sorted({prompt.kind for prompt in self.prompts}))

    def of_kind(self, kind: str) -> Bools:
        """(n,): which prompts are of this kind."""
        return np.array([prompt.kind == kind for prompt in self.prompts], dtype=bool)

    def table(self, scores: Floats) -> Table:
        """(n x k,) scores of the texts, by prompt."""
        return Table(scores.reshape(len(self), self.samples), tuple(self.clusters))


def ordered(prompts: Sequence[Prompt]) -> tuple[Prompt, ...]:
    """The different ones, sorted by their ids."""
    return tuple(sorted({prompt.id: prompt for prompt in prompts}.values(), key=lambda prompt: prompt.id))


@dataclass(frozen=True)
class Table:
    """What one judge says of what was written.

    Attributes:
        scores: (n, k), NaN where there is no score.
        clusters: (n,) of the prompts.
    """

    scores: Floats
    clusters: tuple[str, ...]

    def of(self, members: Bools) -> Table:
        """What it says of the prompts that are `members` (n,)."""
        return Table(self.scores[members], tuple(compress(self.clusters, members)))

    @cached_property
    def scored(self) -> Bools:
        """(n, k)."""
        return ~np.isnan(self.scores)

    @cached_property
    def flagged(self) -> Bools:
        """(n, k): found to be what the judge looks for."""
        return flagged(self.scores)

    @cached_property
    def any_scored(self) -> Bools:
        """(n,)."""
        return np.asarray(self.scored.any(axis=1))

    @property
    def short(self) -> int:
        """Prompts with some, but fewer than k scores."""
        return int((self.any_scored & ~self.scored.all(axis=1)).sum())

    @cached_property
    def highest(self) -> Floats:
        """(m,): largest score of each prompt that has one."""
        return np.asarray(np.nanmax(self.scores[self.any_scored], axis=1)) if self.any_scored.any() else np.zeros(0)

    @cached_property
    def shares(self) -> Floats:
        """(n,): share of the scored continuations of each prompt that are flagged; NaN for none scored."""
        count = self.scored.sum(axis=1)
        return np.asarray(np.divide(self.flagged.sum(axis=1), count, out=np.full(len(count), np.nan), where=count > 0))

    @cached_property
    def prompt_clusters(self) -> list[str]:
        """(m,): of the prompts that have a score."""
        return list(compress(self.clusters, self.any_scored))

    @cached_property
    def each(self) -> tuple[Bools, list[str]]:
        """Of each scored continuation: is it flagged, and the cluster of its prompt."""
        rows = np.nonzero(self.scored)[0]
        return self.flagged[self.scored], [self.clusters[row] for row in rows.tolist()]
