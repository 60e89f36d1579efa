"""How often the two tests on vectors find a difference between random halves of one kind of text."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from probes.core.answers import Floats
from probes.shift.distance.classifier import CrossFitted
from probes.shift.distance.comparison import Comparison, Statistic
from probes.shift.distance.kernel import discrepancy


def split_p_values(
    vectors: Floats, keys: Sequence[Hashable], *, splits: int, divisions: int, rng: np.random.Generator
) -> Floats:
    """(splits, 2): p-values of the classifier's AUC and of MMD between two random halves of (n, width) vectors.

    Sound tests give a value of at most a in at most a share a of the splits.

    Args:
        keys: (n,) clusters, which are not divided.
        divisions: of each test; with 199, 399 or 1999 a level of 5 % can be met exactly.
    """
    found = []
    for _ in range(splits):
        second = Comparison.halves(keys, rng=rng).other
        sides = [np.flatnonzero(~second), np.flatnonzero(second)]
        pair = Comparison.of(*([keys[row] for row in rows.tolist()] for rows in sides), rng=rng, divisions=divisions)
        points = vectors[np.concatenate(sides)]
        value, chance = CrossFitted.of(points, pair, rng=rng).areas()
        auc = Statistic(pair=pair, value=value, influence=np.zeros(len(points)), chance=chance)
        found.append([test.p_value().value for test in (auc, discrepancy(points, pair))])
    return np.array(found)
