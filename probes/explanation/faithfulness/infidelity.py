"""Do the scores add up to what taking words out does, and do they stand still when the input hardly moves.

Both measures are those of Yeh et al. (2019), On the (In)fidelity and Sensitivity of Explanations, NeurIPS.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probes.core.answers import Floats
from probes.core.attributions import Attribution
from probes.explanation.faithfulness.scored import Scored, Why

ROUNDING = 1e-12
"""What the arithmetic of 64-bit numbers may leave of a perfect 0."""


def infidelity(weights: Floats, changes: Floats, *, noise: float = 0.0) -> Scored:
    """Mean squared difference between (d,) sums of scores and the (d,) changes they stand for, on the best scale.

    Divided by the mean square of the changes: 0 is perfect, 1 no better than scores of 0. The scale is the one that
    makes it smallest, as with `normalize=True` in captum, but never negative: scores that point the wrong way are not
    put right by turning them.

    Args:
        noise: changes no larger than this are none.
    """
    if not np.isfinite(weights + changes).all():
        return Why.NOT_FINITE
    square = float(np.square(changes).mean())
    if square <= noise**2:
        return Why.NO_CHANGE
    own = float(np.square(weights).mean())
    scale = max(float((weights * changes).mean()) / own, 0.0) if own else 0.0
    value = float(np.square(scale * weights - changes).mean()) / square
    return value if value > ROUNDING else 0.0


def max_sensitivity(scores: Attribution, moved: Sequence[Attribution]) -> Scored:
    """The largest distance from the scores to those of the same text with a little noise, in lengths of the scores."""
    if any(each.words != scores.words for each in moved):
        return Why.OTHER_WORDS
    length = float(np.linalg.norm(scores.scores))
    if length == 0:
        return Why.NO_WEIGHT
    furthest = max(float(np.linalg.norm(each.scores - scores.scores)) for each in moved)
    return furthest / length if np.isfinite(furthest) else Why.NOT_FINITE


def relative_delta(explained: Attribution) -> Scored:
    """By how much the scores miss the difference they should add up to, as `Attribution.relative_delta` measures it."""
    delta = explained.relative_delta
    if delta is None:
        return Why.NO_DELTA
    return delta if np.isfinite(delta) else Why.NOT_FINITE


def upper_quantile(values: Floats, weights: Floats, *, share: float) -> Floats:
    """(B,): the smallest of (n,) values that at least `share` of the (B, n) weights do not exceed."""
    order = np.argsort(values, kind="stable")
    reached = weights[:, order].cumsum(axis=1)
    enough = reached >= share * reached[:, -1:] - 1e-9
    return np.asarray(values[order][enough.argmax(axis=1)])
