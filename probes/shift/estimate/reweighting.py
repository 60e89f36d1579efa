"""In-domain items weighted so that they look like another domain: Mandoline, by a log-linear density ratio.

Chen et al. (2021), Mandoline: Model Evaluation under Distribution Shift, ICML, with the log-linear form of KLIEP of
Tsuboi et al. (2009), J. Information Processing 17:138: the ratio of the densities is exp(theta @ slices) up to a
factor, and theta maximises the mean log ratio of the other domain's items, less `penalty` / 2 times its square.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probes.core.answers import Floats
from probes.core.metrics import ratio
from probes.core.stats.clusters import Clusters
from probes.shift.estimate.estimators import Estimator

STEPS = 50
LONGEST = 2.0
"""A Newton step changes no coefficient by more: far from the optimum the quadratic form means little."""
CLOSE = 1e-6
"""Largest gradient (a share of items) of a fit that is done."""


def fit(slices: Floats, weights: Floats, wanted: Floats, *, penalty: float, start: Floats | None = None) -> Floats:
    """(B, d) coefficients of the log density ratio; NaN where Newton's method has not ended.

    Args:
        slices: (n, d) of the in-domain items, usually 0 and 1.
        weights: (B, n) of the same.
        wanted: (B, d) mean slices of the other domain.
        penalty: positive.
        start: (d,) to begin with.
    """
    width = slices.shape[1]
    products = (slices[:, :, None] * slices[:, None, :]).reshape(len(slices), -1)
    theta = np.tile(np.zeros(width) if start is None else start, (len(weights), 1))
    gradient = np.full_like(theta, np.inf)
    for _ in range(STEPS):
        mass = tilted(slices, weights, theta)
        means = mass @ slices
        gradient = wanted - means - penalty * theta
        if np.abs(gradient).max(initial=0.0) < CLOSE:
            break
        curvature = (mass @ products).reshape(-1, width, width) - means[:, :, None] * means[:, None, :]
        step = np.linalg.solve(curvature + penalty * np.eye(width), gradient[:, :, None])[:, :, 0]
        theta = theta + step * np.minimum(1.0, LONGEST / np.maximum(np.abs(step).max(axis=1, keepdims=True), CLOSE))
    return np.where((np.abs(gradient) < CLOSE).all(axis=1, keepdims=True), theta, np.nan)


def tilted(slices: Floats, weights: Floats, theta: Floats) -> Floats:
    """(B, n): weights times exp(theta @ slices), each row with sum 1."""
    log_ratio = theta @ slices.T
    mass = weights * np.exp(log_ratio - log_ratio.max(axis=1, keepdims=True))
    return np.asarray(ratio(mass, mass.sum(axis=1, keepdims=True)))


@dataclass(frozen=True)
class Reweighting:
    """n in-domain items in the likeness of m others.

    Attributes:
        slices: (n, d) of the in-domain items.
        others: (m, d).
        theta: (d,) of all items.
        penalty: of the fit.
    """

    slices: Floats
    others: Floats
    theta: Floats
    penalty: float

    @classmethod
    def of(cls, slices: Floats, others: Floats, *, penalty: float) -> Reweighting:
        wanted = others.mean(axis=0, keepdims=True)
        theta = fit(slices, np.ones((1, len(slices))), wanted, penalty=penalty)[0]
        return cls(slices, others, theta, penalty)

    @property
    def weights(self) -> Floats:
        """(n,) of the in-domain items, with mean 1."""
        mass = tilted(self.slices, np.ones((1, len(self.slices))), self.theta[None, :])[0]
        return np.asarray(len(self.slices) * mass, dtype=np.float64)

    def effective_n(self, clusters: Clusters) -> float:
        """How many equally weighted independent items are worth as much: Kish (1965), on sums by cluster."""
        sums = clusters.sums(self.weights)
        return float(sums.sum() ** 2 / np.square(sums).sum())

    def estimator(self, quality: Floats) -> Estimator:
        """Weighted mean of the (n,) quality of the in-domain items, with the weights fitted anew on each resample."""

        def estimate(home: Floats, other: Floats) -> Floats:
            wanted = ratio(other @ self.others, other.sum(axis=1, keepdims=True))
            theta = fit(self.slices, home, wanted, penalty=self.penalty, start=self.theta)
            return np.asarray(tilted(self.slices, home, theta) @ quality, dtype=np.float64)

        return estimate
