"""Calibration figures with their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from probes.core.answers import ProblemType
from probes.core.confidence import Bins, Decisions, aurc, chance_error
from probes.core.labelled import Labelled
from probes.core.metrics import Floats, average
from probes.core.records import Estimate
from probes.core.stats.derived import Statistic, lowered, mapped, resampled

Build = Callable[[Decisions, int], Statistic]
"""(decisions, number of items they belong to) -> statistic of (B, items) weights."""

PER_BIN = 20
"""A bin of equal mass holds at least about this many independent items."""


def decisions_of(items: Labelled) -> Decisions:
    """One decision an item for single labels, one for each label otherwise."""
    make = Decisions.of_labels if items.problem is ProblemType.SINGLE_LABEL else Decisions.of_label_sets
    return make(items.answers.scores, items.gold, clusters=items.clusters)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceNumbers:
    """Figures of one set of decisions, each with a cluster bootstrap interval.

    Every method raises UnmeasurableError where `intervals.resampled` does.

    Attributes:
        clusters: (n,) of the items.
        generator: a fresh random generator for each named figure.
    """

    decisions: Decisions
    clusters: Sequence[str]
    generator: Callable[[str], np.random.Generator]
    resamples: int

    def gap(self) -> Estimate:
        """Mean confidence minus share of right answers."""
        whole = np.empty(0)
        return self._resampled("confidence_gap", lambda d, n: Bins.of(d, whole, items=n).gap, limits=(-1.0, 1.0))

    def distance(self, name: str, edges: Floats) -> Estimate:
        """ECE over the bins between the inner edges; its lower bounds allow for what chance alone would show."""
        plain = self._resampled(name, lambda d, n: Bins.of(d, edges, items=n).calibration_error)
        by = chance_error(self.decisions.confidence, edges)
        return lowered(plain, by=by, method=f"{plain.method}, lower bounds less {by:.3f} for chance")

    def debiased(self, edges: Floats) -> Estimate:
        """Root of the debiased mean squared distance, 0 where that is negative."""
        squared = self._resampled(
            "ece_debiased", lambda d, n: Bins.of(d, edges, items=n).squared_error_debiased, limits=(-1.0, 1.0)
        )
        return mapped(squared, lambda x: math.sqrt(max(x, 0.0)), method=f"{squared.method} of the square, rooted")

    def brier(self) -> Estimate:
        """Mean Brier score."""
        return self._resampled("brier", lambda d, n: partial(average, _per_item(d.brier, n)), limits=(0.0, 2.0))

    def nll(self) -> Estimate:
        """Mean negative log-likelihood."""
        return self._resampled("nll", lambda d, n: partial(average, _per_item(d.nll, n)), limits=(0.0, math.inf))

    def aurc(self) -> Estimate:
        """Area under the risk-coverage curve; for one decision an item."""
        return self._resampled("aurc", lambda d, _: partial(aurc, d.confidence, d.correct))

    def _resampled(self, name: str, build: Build, *, limits: tuple[float, float] = (0.0, 1.0)) -> Estimate:
        correct, n = self.decisions.correct, len(self.clusters)
        one_kind = bool(correct.all() or not correct.any())
        return resampled(
            build(self.decisions, n),
            clusters=self.clusters,
            rng=self.generator(name),
            resamples=self.resamples,
            limits=limits,
            unseen=partial(with_unseen, build, self.decisions, n) if one_kind else None,
        )


def with_unseen(build: Build, decisions: Decisions, items: int, rate: float) -> float:
    """The statistic if each answer were of the other kind, right or wrong, with probability `rate`."""
    turned = decisions.turned()
    both = replace(
        decisions,
        probabilities=np.concatenate([decisions.probabilities, turned.probabilities]),
        gold=np.concatenate([decisions.gold, turned.gold]),
        clusters=[*decisions.clusters, *(f"{cluster} turned" for cluster in turned.clusters)],
    )
    weights = np.repeat([1 - rate, rate], items)[None, :]
    return float(build(both, 2 * items)(weights)[0])


def _per_item(values: Floats, items: int) -> Floats:
    return np.asarray(values.reshape(items, -1).mean(axis=1))
