"""Explained items whose words have been taken out by every ranking that is compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from probes.core.answers import Ints, ProblemType
from probes.core.attributions import Attribution, Method
from probes.core.attributors import Attributor
from probes.core.probe import Context
from probes.explanation.explained import Explained
from probes.explanation.faithfulness.numbers import CHANCE
from probes.explanation.faithfulness.removal import Drops, Removed, ask, measure_of, ranked, why_not
from probes.explanation.faithfulness.scored import Scored, minus
from probes.explanation.method import named


@dataclass(frozen=True, kw_only=True)
class Tested:
    """n items, and how far the answers to them fall by each ranking.

    Attributes:
        second: the other method, and `others` (n,) what it says; None where the network allows no other.
        own, chance, other: by the method itself, by the mean of several random rankings, and by the other method.
        at_random: the random rankings one by one.
    """

    items: Explained
    second: Method | None
    others: Sequence[Attribution] | None
    own: Drops
    chance: Drops
    other: Drops | None
    at_random: Sequence[Removed]

    @classmethod
    def ask(cls, model: Attributor, items: Explained, *, second: Method | None, draws: int, ctx: Context) -> Tested:
        """Explain the items by the second method too, and ask for all their variants in one bulk."""
        others = _explained(model, items, second) if second else None
        rankings = [_ranked(items, items.attributions, ctx), *(_random(items, draw, ctx) for draw in range(draws))]
        removed = ask(
            model, items.answers, items.attributions, [*rankings, _ranked(items, others, ctx)] if others else rankings
        )
        at_random = removed[1 : 1 + draws]
        drops = partial(Drops.of, measure=measure_of(items.answers))
        why = why_not(items.attributions, items.answers)
        return cls(
            items=items,
            second=second,
            others=others,
            own=drops(named(items.method), removed[:1], why=why),
            chance=drops(CHANCE, at_random, why=why),
            other=drops(named(second), removed[-1:], why=why_not(others, items.answers)) if second and others else None,
            at_random=at_random,
        )

    @property
    def regression(self) -> bool:
        return self.items.answers.problem is ProblemType.REGRESSION

    @cached_property
    def drop(self) -> list[Scored]:
        """(n,): comprehensiveness of the method, mean over the shares."""
        return self.own.aopc(self.own.comprehensiveness)

    @cached_property
    def lead(self) -> list[Scored]:
        """(n,): by how much that is above the comprehensiveness of random words."""
        return minus(self.drop, self.chance.aopc(self.chance.comprehensiveness))


def _explained(model: Attributor, items: Explained, method: Method) -> list[Attribution]:
    """(n,): by another method, over the same words; scores that are no numbers where it read other ones."""
    found = model.attribute([example.text for example in items.examples], items.targets, method=method)
    return [
        other if other.words == own.words else replace(own, scores=np.full(len(own.words), np.nan))
        for own, other in zip(items.attributions, found, strict=True)
    ]


def _ranked(items: Explained, explained: Sequence[Attribution], ctx: Context) -> list[Ints]:
    return [
        ranked(each.scores, ctx.generator("ties", example.id))
        for each, example in zip(explained, items.examples, strict=True)
    ]


def _random(items: Explained, draw: int, ctx: Context) -> list[Ints]:
    return [
        ctx.generator("chance", example.id, draw).permutation(len(each.words))
        for each, example in zip(items.attributions, items.examples, strict=True)
    ]
