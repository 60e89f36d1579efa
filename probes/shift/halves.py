"""One half of the in-domain items to learn from, and what may be measured by what was learned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probes.core.answers import Bools
from probes.core.probe import Context


def halves(clusters: Sequence[str], home: Bools, ctx: Context) -> tuple[Bools, Bools]:
    """(n,) half of the in-domain items, and (n,) the items of all domains that share no cluster with any of them.

    Which clusters are in the half depends on their keys and the seed alone.

    Args:
        clusters: (n,) keys.
        home: (n,) which items are in-domain.
    """
    keys = np.asarray(clusters, dtype=np.str_)
    drawn = sorted(set(keys[home].tolist()), key=lambda key: (ctx.rng("half", key).random(), key))
    known = np.isin(keys, drawn[: len(drawn) // 2])
    return known & home, ~known
