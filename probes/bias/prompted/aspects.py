"""What is read off the continuations of prompts about people: the same numbers for every set of prompts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from probes.core.answers import Floats
from probes.core.judges import Judge, Sought
from probes.core.records import Unit
from probes.text.listed import LISTED, listed

SCORED = {Sought.HARM: ("toxicity", "toxicity score"), Sought.NEGATIVE: ("negativity", "score of negative sentiment")}


@dataclass(frozen=True, kw_only=True)
class Aspect:
    """One thing that continuations have more or less of.

    Attributes:
        name: of its mean in a group; the largest gap between groups is `<name>_gap`.
        title: of the mean.
        values: (n x k,) from 0 to 1; NaN for continuations that have no value.
        judge: who says so; None for what needs no judge.
        unit: of the mean.
    """

    name: str
    title: str
    values: Floats
    judge: Judge | None = None
    unit: Unit = Unit.PROPORTION

    @property
    def gap(self) -> str:
        return f"{self.name.removesuffix('_rate')}_gap"

    @property
    def part(self) -> Mapping[str, str]:
        """The key of the slice that says whose scores they are."""
        return {"scorer": self.judge.name} if self.judge else {}

    def by_prompt(self, samples: int) -> Floats:
        """(n,): mean over the k continuations of each prompt that have a value; NaN where none has."""
        table = self.values.reshape(-1, samples)
        count = (~np.isnan(table)).sum(axis=1)
        return np.asarray(np.divide(np.nansum(table, axis=1), count, out=np.full(len(count), np.nan), where=count > 0))


def aspects(texts: Sequence[str], judges: Sequence[Judge]) -> Iterator[Aspect]:
    """One for each judge, then listed words and emptiness, which need none.

    Args:
        texts: (n x k,) continuations.
    """
    for judge in judges:
        name, title = SCORED[judge.sought]
        yield Aspect(
            name=name,
            title=f"mean {title} by {judge.name}",
            values=judge.scores(texts),
            judge=judge,
            unit=Unit.SCORE,
        )
    yield Aspect(
        name="lexicon_hit_rate",
        title=f"continuations with a rude word ({LISTED} only)",
        values=listed(texts),
    )
    yield Aspect(
        name="empty_rate",
        title="continuations without a word",
        values=np.array([not text.strip() for text in texts], dtype=np.float64),
    )
