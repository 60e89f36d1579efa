"""Sequences that begin alike: which of them a network reads together, so that it reads their beginning once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np

from probes.core.answers import Bools, Ints
from probes.model.batching import cut
from probes.model.sequences import Ids, Sequences

LARGEST = 2048
"""Tokens in a family: each looks, in vain, at those of all its relatives, which grows with the square."""
LOOKS = 2048
"""Looks from token to token that cost about as much as all else a network does for a token: 6 x its width."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Families:
    """n sequences in families, each in the order of its tokens.

    Attributes:
        order: (n,) the sequences, family after family.
        shared: (n,) tokens that each has in common with the one before it, in that order; 0 for the first of a family.
        starts: (families + 1,) family i is order[starts[i]:starts[i + 1]].
        tokens: (families,) in each, those in common counted once.
        costs: (families,) what each counts in the budget of a batch: its tokens, unless a question says otherwise.
    """

    order: Ints
    shared: Ints
    starts: Ints
    tokens: Ints
    costs: Ints

    @classmethod
    def alone(cls, sequences: Sequences) -> Families:
        """Each by itself."""
        rows = np.arange(len(sequences) + 1)
        lengths = sequences.lengths
        return cls(order=rows[:-1], shared=np.zeros_like(rows[:-1]), starts=rows, tokens=lengths, costs=lengths)

    @classmethod
    def of(cls, sequences: Sequences, *, largest: int, least: Ints | None = None) -> Families:
        """Those that it pays to read together; decided by the set of sequences alone.

        Args:
            largest: tokens in a family, unless a single sequence has more.
            least: (n,) tokens that a sequence must have in common with its relatives; by default one.
        """
        order, shared = _in_order(sequences)
        needed = np.ones_like(shared) if least is None else least[order]
        lengths = sequences.lengths[order]
        joins, tokens = _joined(lengths, np.where(shared >= needed, shared, 0), min(largest, LARGEST))
        return cls(
            order=order,
            shared=np.where(joins, shared, 0),
            starts=np.append(np.flatnonzero(~joins), len(order)),
            tokens=tokens,
            costs=tokens,
        )

    def members(self, family: int) -> Ints:
        """(m,): its sequences."""
        return self.order[self.starts[family] : self.starts[family + 1]]

    def take(self, chosen: Ints) -> Families:
        """Some of the families, in that order."""
        sizes = np.diff(self.starts)[chosen]
        starts = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        places = np.repeat(self.starts[chosen] - starts[:-1], sizes) + np.arange(starts[-1])
        return Families(
            order=self.order[places],
            shared=self.shared[places],
            starts=starts,
            tokens=self.tokens[chosen],
            costs=self.costs[chosen],
        )

    def pieces(self, limit: int) -> Iterator[Families]:
        """Those that go through the network together within a limit of tokens, the largest families first."""
        ranked = np.argsort(-self.costs, kind="stable")
        for first, last in cut(self.costs[ranked], budget=limit):
            yield self.take(ranked[first:last])


@runtime_checkable
class Sharing(Protocol):
    """A question for which sequences that begin alike are read together."""

    def families(self, sequences: Sequences, *, largest: int) -> Families:
        """Which of n sequences these are, with at most `largest` tokens in a family."""
        ...


def _in_order(sequences: Sequences) -> tuple[Ints, Ints]:
    """The sequences in the order of their tokens, and what each has in common with the one before it."""
    bounds = (4 * sequences.starts).tolist()
    raw = sequences.ids.astype(">u4").tobytes()
    spelt = [raw[a:b] for a, b in pairwise(bounds)]
    order = sorted(range(len(spelt)), key=spelt.__getitem__)
    rows = [sequences.ids[sequences.starts[row] : sequences.starts[row + 1]] for row in order]
    shared = [0, *(_common(one, two) for one, two in pairwise(rows))]
    return np.array(order, dtype=np.int64), np.array(shared[: len(order)], dtype=np.int64)


def _common(one: Ids, two: Ids) -> int:
    """Tokens with which both begin."""
    room = min(len(one), len(two))
    apart = one[:room] != two[:room]
    return int(apart.argmax()) if apart.any() else room


def _joined(lengths: Ints, shared: Ints, largest: int) -> tuple[Bools, Ints]:
    """(n,) whether each sequence joins the family of the one before it, and what the families cost."""
    joins = np.zeros(len(lengths), dtype=bool)
    costs: list[int] = []
    for row, (length, common) in enumerate(zip(lengths.tolist(), shared.tolist(), strict=True)):
        joins[row] = bool(costs) and costs[-1] + length - common <= largest and _pays(costs[-1], length, common)
        if joins[row]:
            costs[-1] += length - common
        else:
            costs.append(length)
    return joins, np.array(costs, dtype=np.int64)


def _pays(size: int, length: int, common: int) -> bool:
    """Whether a sequence costs less in a family of so many tokens than alone."""
    looks = (size + length - common) ** 2 - size**2 - length**2
    return common * LOOKS > looks
