"""Temperature scaling, refitted on every resample at the price of a matrix product.

The gradient of the likelihood is worked out once for each item at each of a grid of temperatures. For any weights of
the items their sum is a decreasing function of the temperature, whose zero, by linear interpolation, is the fit.
"""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from probes.core.answers import Floats, Ints

LOG_TEMPERATURES = np.linspace(np.log(0.05), np.log(20), 241)
"""(G,): steps of 2.5 %. A fit beyond the ends counts as at the end."""


def slopes(logits: Floats, gold: Ints) -> Floats:
    """(n, G): gradient of the negative log-likelihood of the right label in the inverse temperature.

    It is the mean logit under the scaled probabilities minus the logit of the right label: Guo et al. (2017), ICML.

    Args:
        logits: (n, K).
        gold: (n,) column of the right label.
    """
    right = np.take_along_axis(logits, gold[:, None], axis=1)[:, 0]
    return np.column_stack([(p * logits).sum(axis=1) - right for p in _scaled(logits)])


def confidences(logits: Floats) -> Floats:
    """(n, G): probability of the answer given to each of n items with (n, K) logits, at each temperature."""
    return np.column_stack([p.max(axis=1) for p in _scaled(logits)])


def fitted(gradients: Floats) -> Floats:
    """(B,): place on the grid, as a fractional index, where each row of (B, G) summed slopes is zero."""
    place = np.count_nonzero(gradients > 0, axis=1)
    after = np.clip(place, 1, gradients.shape[1] - 1)
    rows = np.arange(len(gradients))
    above, below = gradients[rows, after - 1], gradients[rows, after]
    step = np.divide(above, above - below, out=np.zeros(len(gradients)), where=above > below)
    return np.asarray(after - 1 + np.clip(step, 0.0, 1.0), dtype=np.float64)


def temperature(place: Floats) -> Floats:
    """(B,): the temperatures at fractional indices."""
    return np.exp(np.interp(place, np.arange(len(LOG_TEMPERATURES)), LOG_TEMPERATURES))


def at(values: Floats, place: Floats) -> Floats:
    """(B,): each row of (B, G) values at its fractional index, by linear interpolation."""
    before = np.clip(np.floor(place).astype(np.int64), 0, values.shape[1] - 2)
    part = place - before
    rows = np.arange(len(values))
    return np.asarray((1 - part) * values[rows, before] + part * values[rows, before + 1], dtype=np.float64)


def _scaled(logits: Floats) -> list[Floats]:
    return [np.asarray(softmax(logits / np.exp(t), axis=1)) for t in LOG_TEMPERATURES]
