"""Distances between two distributions of something that can be counted or ordered: words, answers, lengths, scores."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from scipy.sparse import csr_array
from scipy.special import entr

from probes.core.answers import Floats
from probes.shift.distance.comparison import Comparison, Statistic

CHUNK = 2_000_000
"""Numbers held in memory at a time for each sample (16 MB)."""


def word_distance(counts: csr_array, pair: Comparison) -> Statistic:
    """Jensen-Shannon distance, base 2, between the shares of V words in two samples of texts, (n, V) counts together.

    0 for equal shares, 1 where the samples have no word in common. Endres and Schindelin (2003), IEEE Transactions on
    Information Theory 49:1858. Of two samples of one source it is above 0, the more so the more rare words there are.
    """
    value = float(_jensen_shannon(counts, pair.truth)[0])
    step = max(1, CHUNK // counts.shape[1])
    starts = range(0, pair.drawn.shape[1], step)
    drawn = [_jensen_shannon(counts, pair.drawn[:, start : start + step]) for start in starts]
    return Statistic(
        pair=pair,
        value=value,
        influence=_word_influence(counts, pair, value),
        chance=np.concatenate(drawn) if drawn else np.zeros(0),
    )


def _jensen_shannon(counts: csr_array, sides: Floats) -> Floats:
    """(B,) distances for (n, B) sides."""
    others = counts.T @ sides
    home = counts.sum(axis=0)[:, None] - others
    p, q = home / home.sum(axis=0), others / others.sum(axis=0)
    divergence = entr((p + q) / 2).sum(axis=0) - (entr(p).sum(axis=0) + entr(q).sum(axis=0)) / 2
    return np.asarray(np.sqrt(np.maximum(divergence, 0) / np.log(2)))


def _word_influence(counts: csr_array, pair: Comparison, value: float) -> Floats:
    """(n,): a word weighs half the log of its share here over that in both; a square root's slope is 1 / (2 value)."""
    influence, sizes = np.zeros(len(pair.other)), counts.sum(axis=1)
    if value == 0:
        return influence
    shares = {side: counts.T @ members / sizes[members].sum() for side, members in _sides(pair)}
    middle = (shares["others"] + shares["home"]) / 2
    for side, members in _sides(pair):
        present = shares[side] > 0
        weight = np.zeros(len(middle))
        weight[present] = np.log2(shares[side][present] / middle[present]) / 2
        each = counts @ weight - sizes * float(shares[side] @ weight)
        influence[members] = each[members] / sizes[members].sum() / (2 * value)
    return influence


def _sides(pair: Comparison) -> tuple[tuple[str, np.ndarray[tuple[int], np.dtype[np.bool_]]], ...]:
    return ("others", pair.other), ("home", ~pair.other)


def total_variation(values: Sequence[Hashable], pair: Comparison) -> Statistic:
    """Half the sum of the differences between the shares of each of (n,) values: the share that is placed otherwise."""
    kinds = sorted(set(values), key=repr)
    held = np.array([[value == kind for kind in kinds] for value in values], dtype=np.float64)
    gaps = _gaps(held, pair.truth)[:, 0]
    return Statistic(
        pair=pair,
        value=float(np.abs(gaps).sum() / 2),
        influence=_placed(held @ np.sign(gaps) / 2, pair),
        chance=np.abs(_gaps(held, pair.drawn)).sum(axis=0) / 2,
    )


def chi_square(values: Sequence[Hashable], pair: Comparison) -> Statistic:
    """Pearson's statistic of the table of (n,) values by side, for its permutation p-value."""
    kinds = sorted(set(values), key=repr)
    held = np.array([[value == kind for kind in kinds] for value in values], dtype=np.float64)

    def pearson(sides: Floats) -> Floats:
        n, others, totals = len(held), sides.sum(axis=0), held.sum(axis=0)[:, None]
        excess = np.square(held.T @ sides - totals * others / n)
        return np.asarray((excess / totals).sum(axis=0) * n * n / (others * (n - others)))

    found = float(pearson(pair.truth)[0])
    return Statistic(pair=pair, value=found, influence=np.zeros(len(held)), chance=pearson(pair.drawn))


def largest_gap(values: Floats, pair: Comparison) -> Statistic:
    """Kolmogorov-Smirnov distance of (n,) numbers: the largest difference between the shares at or below any number."""
    levels = np.unique(values)
    held = (values[:, None] <= levels[None, :]).astype(np.float64)
    gaps = _gaps(held, pair.truth)[:, 0]
    at = int(np.argmax(np.abs(gaps)))
    return Statistic(
        pair=pair,
        value=float(np.abs(gaps[at])),
        influence=_placed(held[:, at] * np.sign(gaps[at]), pair),
        chance=np.abs(_gaps(held, pair.drawn)).max(axis=0, initial=0.0),
    )


def _gaps(held: Floats, sides: Floats) -> Floats:
    """(K, B): share of the others with each of K properties less that of the in-domain items, for (n, B) sides."""
    others, size = held.T @ sides, sides.sum(axis=0)
    home = held.sum(axis=0)[:, None] - others
    return np.asarray(others / size - home / (len(held) - size))


def _placed(score: Floats, pair: Comparison) -> Floats:
    """(n,): influence on the others' mean of (n,) `score` less the in-domain one."""
    influence = np.empty(len(score))
    for sign, side in ((1.0, pair.other), (-1.0, ~pair.other)):
        influence[side] = sign * (score[side] - score[side].mean()) / side.sum()
    return influence
