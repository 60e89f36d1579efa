"""Several tests at once: adjusted p-values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def holm(p_values: Sequence[float] | Floats) -> Floats:
    """Adjusted p-values that control the chance of any false rejection, under any dependence.

    Holm (1979), Scandinavian J. Statistics 6:65. Same order as given; empty in, empty out.

    Raises:
        ValueError: for a p-value outside 0 to 1.
    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return _in_order_given(np.minimum(stepped, 1.0), order)


def benjamini_hochberg(p_values: Sequence[float] | Floats) -> Floats:
    """Adjusted p-values (q-values) that control the expected share of false rejections, for independent tests.

    Benjamini and Hochberg (1995), J. Royal Statistical Society B 57:289. Same order as given; empty in, empty out.

    Raises:
        ValueError: for a p-value outside 0 to 1.
    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    stepped = np.minimum.accumulate(scaled[::-1])[::-1]
    return _in_order_given(np.minimum(stepped, 1.0), order)


def _checked(p_values: Sequence[float] | Floats) -> Floats:
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("p-values lie between 0 and 1")
    return p


def _in_order_given(ranked: Floats, order: NDArray[np.intp]) -> Floats:
    result = np.empty_like(ranked)
    result[order] = ranked
    return result
