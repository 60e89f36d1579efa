"""Calibration and selective prediction as plain functions of arrays, weighted and batched like those in `metrics`.

A decision is an answer that can be right or wrong with the probability the model gives it. A single-label item is one
decision among K labels; an item with label sets is K decisions between "has the label" and "has it not".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from probes.core.metrics import Bools, Floats, ratio, unit_weights

Ints = NDArray[np.int64]

CLIP = 1e-12
"""Probabilities below this count as this much in the negative log-likelihood, which would be infinite at 0."""

_CACHED = 100_000
"""Weights worked on at a time in `aurc`, so that its intermediate arrays stay in the processor's cache."""

_ROUNDING = 1e-12
"""By how much a mean loss may exceed the one allowed and count as equal to it."""


@dataclass(frozen=True)
class Decisions:
    """m decisions on n items, the decisions of an item side by side.

    Attributes:
        probabilities: (m, k), rows sum to 1.
        gold: (m,) column that is right.
        clusters: (m,) keys of items that are not independent.
    """

    probabilities: Floats
    gold: Ints
    clusters: Sequence[str]

    @classmethod
    def of_labels(cls, probabilities: Floats, gold: Bools, *, clusters: Sequence[str]) -> Decisions:
        """One decision for each of n single-label items; `gold` is one-hot (n, K)."""
        return cls(probabilities, np.argmax(gold, axis=1), clusters)

    @classmethod
    def of_label_sets(cls, probabilities: Floats, gold: Bools, *, clusters: Sequence[str]) -> Decisions:
        """K decisions for each of n items; columns are "has it not" and "has the label"."""
        has = probabilities.ravel()
        return cls(
            np.column_stack([1 - has, has]), gold.ravel().astype(np.int64), list(np.repeat(clusters, gold.shape[1]))
        )

    @cached_property
    def confidence(self) -> Floats:
        """(m,): probability of the answer given."""
        return np.asarray(self.probabilities.max(axis=1))

    @cached_property
    def margin(self) -> Floats:
        """(m,): by how much the answer given is more probable than the runner-up."""
        top_two = np.partition(self.probabilities, -2, axis=1)[:, -2:]
        return np.asarray(top_two[:, 1] - top_two[:, 0])

    @cached_property
    def correct(self) -> Bools:
        """(m,): is the most probable answer right; the first column wins an exact tie."""
        return np.asarray(np.argmax(self.probabilities, axis=1) == self.gold)

    @cached_property
    def brier(self) -> Floats:
        """(m,): sum over the columns of (probability - truth) squared, 0 to 2 (Brier 1950)."""
        truth = self.gold[:, None] == np.arange(self.probabilities.shape[1])
        return np.asarray(np.square(self.probabilities - truth).sum(axis=1))

    @cached_property
    def nll(self) -> Floats:
        """(m,): negative natural logarithm of the probability of the right answer, probabilities cut at CLIP."""
        right = np.take_along_axis(self.probabilities, self.gold[:, None], axis=1)[:, 0]
        return -np.log(np.maximum(right, CLIP))

    def turned(self) -> Decisions:
        """The same answers, had each right one been wrong (the runner-up right) and each wrong one right."""
        ranked = np.argsort(-self.probabilities, axis=1, kind="stable")
        return replace(self, gold=np.where(self.correct, ranked[:, 1], ranked[:, 0]))


def equal_width(bins: int) -> Floats:
    """Inner edges of `bins` bins of equal width over 0 to 1."""
    return np.arange(1, bins) / bins


def equal_mass(confidence: Floats, *, bins: int) -> Floats:
    """Inner edges of at most `bins` bins with equally many decisions; equal confidences share a bin."""
    return np.unique(np.quantile(confidence, np.arange(1, bins) / bins))


def bin_of(confidence: Floats, edges: Floats) -> Ints:
    """(m,): bin of each confidence; bins are open below and closed above, as in Guo et al. (2017)."""
    return np.searchsorted(edges, confidence, side="left")


@dataclass(frozen=True, slots=True)
class Bins:
    """What C clusters put into each bin.

    Attributes:
        excess: (C, bins) sums of confidence - correctness.
        counts: (C, bins) numbers of decisions.
        first: (C,) an item of each cluster, whose weight is the cluster's.
    """

    excess: Floats
    counts: Floats
    first: Ints

    @classmethod
    def of(cls, decisions: Decisions, edges: Floats, *, items: int) -> Bins:
        """Sort the decisions of `items` items into the bins between the inner edges."""
        _, first, cluster = np.unique(np.asarray(decisions.clusters), return_index=True, return_inverse=True)
        columns = bin_of(decisions.confidence, edges)
        shape = (len(first), len(edges) + 1)
        excess, counts = np.zeros(shape), np.zeros(shape)
        np.add.at(excess, (cluster, columns), decisions.confidence - decisions.correct)
        np.add.at(counts, (cluster, columns), 1.0)
        used = counts.any(axis=0)
        return cls(excess[:, used], counts[:, used], first // (len(cluster) // items))

    @property
    def width(self) -> int:
        """Number of bins that hold anything."""
        return int(self.counts.shape[1])

    def gap(self, weights: Floats) -> Floats:
        """(B,): mean confidence minus share of right answers."""
        drawn = weights[:, self.first]
        return ratio((drawn @ self.excess).sum(axis=1), (drawn @ self.counts).sum(axis=1))

    def calibration_error(self, weights: Floats) -> Floats:
        """(B,): mean over decisions of |mean confidence - share right| in their bin (ECE; Naeini 2015, Guo 2017)."""
        drawn = weights[:, self.first]
        return ratio(np.abs(drawn @ self.excess).sum(axis=1), (drawn @ self.counts).sum(axis=1))

    def squared_error_debiased(self, weights: Floats) -> Floats:
        """(B,): mean of the squared differences in the bins, without the part that chance alone puts there.

        In each bin the mean product of confidence - correctness over all pairs of decisions from different clusters:
        the square without its diagonal. Its expectation is the square of the bin's true difference, so that of a
        perfectly calibrated model is 0, and it may be negative. The idea is that of Bröcker (2012), Climate Dynamics
        39:655, and Kumar et al. (2019), NeurIPS; the form that of Lee et al. (2023), JMLR 24:335. A cluster drawn
        twice is no pair either, which keeps resamples centred on the value.
        """
        drawn = weights[:, self.first]
        squares = np.square(drawn)
        products = np.square(drawn @ self.excess) - squares @ np.square(self.excess)
        counts = drawn @ self.counts
        pairs = np.square(counts) - squares @ np.square(self.counts)
        shares = counts / counts.sum(axis=1, keepdims=True)
        return np.asarray(np.where(counts > 0, shares * ratio(products, pairs), 0.0).sum(axis=1))


def chance_error(confidence: Floats, edges: Floats) -> float:
    """The calibration error that a perfectly calibrated model would show on average, with these confidences.

    In each bin a difference with variance c (1 - c) from each decision; the mean of its absolute value is that of a
    normal distribution. Roelofs et al. (2022), AISTATS, describe this bias.
    """
    variances = np.bincount(bin_of(confidence, edges), weights=confidence * (1 - confidence))
    return float(np.sqrt(2 / np.pi) * np.sqrt(np.maximum(variances, 0)).sum() / len(confidence))


def aurc(confidence: Floats, correct: Bools, weights: Floats | None = None) -> Floats:
    """(B,): area under the risk-coverage curve: the error rate among the k most confident items, averaged over k.

    Geifman and El-Yaniv (2017), NeurIPS; Geifman et al. (2019), ICLR. Equally confident items, and an item drawn
    twice, count as if in random order: the expectation over all orders, in closed form by the harmonic numbers
    H(x) = digamma(x + 1) + const.
    """
    rows = unit_weights(len(confidence), weights)
    order, starts = _surest_first(confidence)
    step = max(1, _CACHED // len(order))
    areas = [_area(rows[at : at + step, order], ~correct[order], starts) for at in range(0, len(rows), step)]
    return np.concatenate(areas)


def _area(rows: Floats, wrong: Bools, starts: Ints) -> Floats:
    size = np.add.reduceat(rows, starts, axis=1)
    errors = np.add.reduceat(rows * wrong, starts, axis=1)
    after = np.cumsum(size, axis=1)
    before, errors_before = after - size, np.cumsum(errors, axis=1) - errors
    rate = np.divide(errors, size, out=np.zeros_like(errors), where=size > 0)
    harmonic = np.diff(digamma(after + 1), prepend=digamma(1.0), axis=1)
    return ratio((errors + (errors_before - rate * before) * harmonic).sum(axis=1), after[:, -1])


def coverage_and_risk(confidence: Floats, losses: Floats, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """(B, t) shares answered and (B, t) their mean losses, at each of the t distinct confidences, surest first.

    The risk-coverage curve of El-Yaniv and Wiener (2010), JMLR 11:1605: answered are all items at least as confident,
    so equally confident ones are answered or left together. The risk is NaN where no item with a weight is answered.

    Args:
        losses: (n,) of the items; 1 for a wrong and 0 for a right answer make the risk an error rate.
    """
    rows = unit_weights(len(confidence), weights)
    order, starts = _surest_first(confidence)
    size = np.cumsum(np.add.reduceat(rows[:, order], starts, axis=1), axis=1)
    lost = np.cumsum(np.add.reduceat(rows[:, order] * losses[order], starts, axis=1), axis=1)
    return ratio(size, size[:, -1:]), ratio(lost, size)


def coverage_at_risk(
    confidence: Floats, losses: Floats, *, risk: float | Floats, weights: Floats | None = None
) -> Floats:
    """(B,): the largest share of the items that can be answered, surest first, at a mean loss of at most `risk`.

    0 where even the surest lose more. See `coverage_and_risk`.

    Args:
        risk: for all rows of weights, or (B,) one for each.
    """
    coverage, found = coverage_and_risk(confidence, losses, weights)
    allowed = np.reshape(np.asarray(risk, dtype=np.float64), (-1, 1)) + _ROUNDING
    return np.asarray(np.where(found <= allowed, coverage, 0.0).max(axis=1))


def _surest_first(confidence: Floats) -> tuple[Ints, Ints]:
    """(n,) order of the items by falling confidence, and where in it each distinct confidence starts."""
    _, block = np.unique(-confidence, return_inverse=True)
    order = np.argsort(block, kind="stable")
    return order, np.flatnonzero(np.diff(block[order], prepend=-1))


def most_confident(confidence: Floats, *, coverage: float) -> Bools:
    """(n,): the share `coverage` of the items that the model is surest of, and all others as sure as the last."""
    rank = max(int(np.ceil(coverage * len(confidence) - 1e-9)), 1)
    return np.asarray(confidence >= np.sort(confidence)[-rank])
