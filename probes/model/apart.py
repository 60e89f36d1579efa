"""How far apart the answers of two trials are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def apart(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """Differences place by place; NaN where both are infinite, which is told of when the model is asked."""
    with np.errstate(invalid="ignore"):
        moved: NDArray[Any] = np.abs(one - other)
    return moved


def farthest(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The largest of them, in the unit of the answers."""
    return float(apart(one, other).max())
