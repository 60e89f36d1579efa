"""How much of another domain can be answered without more errors than in-domain."""

from __future__ import annotations

from itertools import compress

import numpy as np

from probes.core.answers import Bools, Floats
from probes.core.confidence import Decisions, coverage_at_risk, most_confident
from probes.core.records import Estimate
from probes.core.stats.clusters import Clusters
from probes.core.stats.differences import pairwise_differences
from probes.core.stats.group_means import MeanBounds
from probes.core.stats.intervals import estimate

COVERAGES = tuple(step / 20 for step in range(1, 21))
"""Shares of the items, surest first, whose error rate is compared with the in-domain one."""


def coverage_at_home_risk(home: Decisions, other: Decisions) -> Estimate:
    """Share of another domain's items that can be answered, surest first, at no higher an error rate than in-domain.

    The share is the largest of many and jumps with single errors, so it is not resampled: its bounds come from
    comparing the error rates of the surest 5 %, 10 %, ... of the items with the in-domain one (MOVER on exact bounds).
    The upper bound is the step above the largest share whose errors are not clearly more. The lower bound is the
    largest share whose errors are clearly not more, with all steps tested at once (Bonferroni).

    The interval is wide and safe: that of 95 % covers the true share in 98 to 100 % of 400 samples of 60 to 400 items
    each, for true shares of 0 to 1, where a percentile bootstrap of both sides covers in 69 to 98 %; the upper bound of
    5 % fails in at most 5 %, the lower one in none.
    """
    surest = (most_confident(other.confidence, coverage=coverage) for coverage in COVERAGES)
    steps = list({int(kept.sum()): kept for kept in surest}.values())  # equally sure items make some of them the same
    everything = np.ones(len(home.clusters), dtype=bool)
    rates = [_errors(home, everything), *(_errors(other, kept) for kept in steps)]
    shares = np.array([kept.mean() for kept in steps])

    def bounds(alpha: float) -> tuple[float, float]:
        possible = shares[_more_errors(rates, alpha)[0] <= 0]
        certain = shares[_more_errors(rates, alpha / len(steps))[1] <= 0]
        above = shares[shares > possible.max(initial=0.0)]
        return float(certain.max(initial=0.0)), float(above.min(initial=1.0))

    losses = np.asarray(~other.correct, dtype=np.float64)
    return estimate(
        float(coverage_at_risk(other.confidence, losses, risk=rates[0].value)[0]),
        bounds=bounds,
        n=len(home.clusters) + len(other.clusters),
        clusters=len(set(home.clusters)) + len(set(other.clusters)),
        method=f"error rates compared at {len(steps)} shares answered (MOVER), lower bound simultaneous",
        limits=(0.0, 1.0),
    )


def _errors(decisions: Decisions, kept: Bools) -> MeanBounds:
    """The error rate among the items (n,) where `kept`."""
    keys = list(compress(decisions.clusters, kept))
    return MeanBounds.of(np.asarray(~decisions.correct[kept], dtype=np.float64), Clusters.of(keys, n=len(keys)))


def _more_errors(rates: list[MeanBounds], alpha: float) -> tuple[Floats, Floats]:
    """(t,) lower and upper bounds of the error rate of each step less the first one, which is the in-domain rate."""
    low, high = (np.array(side) for side in zip(*(each.bounds(alpha) for each in rates), strict=True))
    values = np.array([each.value for each in rates])
    lower, upper = pairwise_differences(values, low, high, correlation=np.eye(len(rates)))
    return lower[1:, 0], upper[1:, 0]
