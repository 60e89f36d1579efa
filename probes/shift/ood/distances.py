"""How far the embedding of a text is from those of known texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular

from probes.core.answers import Floats
from probes.core.records import SkipReason
from probes.core.stats.derived import UnmeasurableError

Distance = Callable[[Floats], Floats]
"""(n, width) embeddings -> (n,) distances."""


def mahalanobis(vectors: Floats, labels: Sequence[str]) -> Distance:
    """Distance to the nearest mean of a label in units of the spread around these means (Lee et al. 2018).

    The covariance is shrunk towards a multiple of the identity by the amount of Ledoit and Wolf (2004), without which
    it has no inverse where there are fewer texts than dimensions.

    Args:
        vectors: (m, width) to learn from.
        labels: (m,) of each; all equal for one mean.

    Raises:
        UnmeasurableError: where the embeddings do not vary.
    """
    from sklearn.covariance import ledoit_wolf

    _, codes = np.unique(np.asarray(labels), return_inverse=True)
    means = np.stack([vectors[codes == code].mean(axis=0) for code in range(codes.max() + 1)])
    covariance, _ = ledoit_wolf(vectors - means[codes], assume_centered=True)
    try:
        root = cholesky(covariance, lower=True)
    except LinAlgError as error:
        detail = "The embeddings of in-domain texts do not vary, so there is no unit of distance."
        raise UnmeasurableError(SkipReason.UNDEFINED, detail) from error

    def distance(others: Floats) -> Floats:
        whitened = [solve_triangular(root, (others - mean).T, lower=True) for mean in means]
        return np.asarray(np.min([np.linalg.norm(each, axis=0) for each in whitened], axis=0))

    return distance


def nearest(vectors: Floats, *, neighbours: int) -> Distance:
    """Distance between directions to the k-th nearest of (m, width) embeddings (Sun et al. 2022); k is at most m."""
    known, k = _directions(vectors), min(neighbours, len(vectors))

    def distance(others: Floats) -> Floats:
        squares = 2 - 2 * _directions(others) @ known.T
        return np.sqrt(np.maximum(np.partition(squares, k - 1, axis=1)[:, k - 1], 0.0))

    return distance


def _directions(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0))
