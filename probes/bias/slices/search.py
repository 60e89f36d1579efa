"""The search: which parts of the known half have clearly more errors than the rest of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom

from probes.bias.slices.features import Condition
from probes.core import stats
from probes.core.answers import Bools, Ints
from probes.core.stats.differences import pairwise_differences
from probes.core.stats.proportions import wilson

SMALLEST, SMALLEST_SHARE = 20, 0.01
"""Known items, and share of them, that a slice and the rest must have: then hardly ever too few others are in it."""
FALSE_DISCOVERY = 0.1
"""Expected share of false ones among the slices that go on (Benjamini and Hochberg 1995)."""
OVERLAP = 0.75
"""Of two slices that share this much of the smaller one, only the better one goes on."""
RANKED_AT = 0.05
"""Slices are ranked by the lower bound of their lift at this one-sided error rate."""


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A part of the data.

    Attributes:
        name: what its texts have in common, in plain words.
        holds: (n,) is an item in it.
        stands_out: did it pass the false discovery rate of the search.
    """

    name: str
    holds: Bools
    stands_out: bool


@dataclass(frozen=True, kw_only=True)
class Search:
    """What was searched and what goes on to be confirmed, the strongest first."""

    searched: int
    found: tuple[Slice, ...]


def search(conditions: Sequence[Condition], wrong: Bools, *, known: Bools, most: int) -> Search:
    """The slices of one or two conditions with the largest lift in error rate among the known items.

    Those that stand out at the false discovery rate, at most `most`; where none does, the strongest one alone, so that
    there is a number to read.

    Args:
        conditions: what slices are made of.
        wrong: (n,) is the answer to an item wrong.
        known: (n,) items that may be looked at.
    """
    smallest = max(SMALLEST, int(SMALLEST_SHARE * known.sum()))
    kept = [condition for condition in conditions if (condition.holds & known).sum() >= smallest]
    if not kept:
        return Search(searched=0, found=())
    pairs, inside, errors = _candidates(kept, wrong, known=known, smallest=smallest)
    if not len(pairs):
        return Search(searched=0, found=())
    total, mistakes = int(known.sum()), int((known & wrong).sum())
    p_values = hypergeom.sf(errors - 1, total, mistakes, inside)
    passed = np.flatnonzero(stats.benjamini_hochberg(np.clip(p_values, 0.0, 1.0)) <= FALSE_DISCOVERY)
    if not len(passed):
        return Search(searched=len(pairs), found=(_slice(kept, pairs[np.argmin(p_values)], stands_out=False),))
    lifts = [_lift(errors[row], inside[row], mistakes - errors[row], total - inside[row]) for row in passed]
    chosen: list[Slice] = []
    for row in passed[np.argsort(-np.array(lifts), kind="stable")]:
        candidate = _slice(kept, pairs[row], stands_out=True)
        if not any(_overlap(candidate.holds & known, other.holds & known) > OVERLAP for other in chosen):
            chosen.append(candidate)
        if len(chosen) == most:
            break
    return Search(searched=len(pairs), found=tuple(chosen))


def _candidates(
    conditions: Sequence[Condition], wrong: Bools, *, known: Bools, smallest: int
) -> tuple[Ints, Ints, Ints]:
    """(k, 2) positions of two conditions, the same one twice for one alone; (k,) known items and (k,) errors in both.

    Only those that are large enough, and leave a rest that is.
    """
    features = np.array([condition.feature for condition in conditions])
    holds = np.array([condition.holds[known] for condition in conditions])
    members = holds.astype(np.float32)
    inside, errors = members @ members.T, (members * wrong[known]) @ members.T
    one = np.eye(len(conditions), dtype=bool)
    ordered = np.triu(features[:, None] != features[None, :]) | one
    large = (inside >= smallest) & (inside <= holds.shape[1] - smallest)
    first, second = np.nonzero(ordered & large)
    single_first = np.argsort(first != second, kind="stable")  # the simpler of two equal slices wins
    first, second = first[single_first], second[single_first]
    return (
        np.stack([first, second], axis=1).astype(np.int64),
        inside[first, second].astype(np.int64),
        errors[first, second].astype(np.int64),
    )


def _slice(conditions: Sequence[Condition], pair: Ints, *, stands_out: bool) -> Slice:
    first, second = (conditions[position] for position in pair)
    name = first.name if first is second else f"{first.name} and {second.name}"
    return Slice(name=f"texts {name}", holds=first.holds & second.holds, stands_out=stands_out)


def _lift(errors: int, inside: int, other_errors: int, outside: int) -> float:
    """Lower bound of the error rate inside minus outside, from the counts alone: thousands of pairs may be ranked."""
    rates, sizes = np.array([errors / inside, other_errors / outside]), (inside, outside)
    low, high = zip(*(wilson(rate, n=n, alpha=RANKED_AT) for rate, n in zip(rates, sizes, strict=True)), strict=True)
    return float(pairwise_differences(rates, np.array(low), np.array(high), correlation=np.eye(2))[0][0, 1])


def _overlap(first: Bools, second: Bools) -> float:
    return float((first & second).sum() / min(first.sum(), second.sum()))
