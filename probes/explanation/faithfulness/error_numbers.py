"""How far the scores miss what they should add up to, as records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from probes.core import stats
from probes.core.attributions import COMPLETE, Attribution, Method
from probes.core.measuring import measured
from probes.core.records import Accounting, Better, Estimate, Measurement, Skip, SkipReason, Unit
from probes.core.stats.derived import resampled
from probes.explanation.explained import Explained, Weighed
from probes.explanation.faithfulness.infidelity import infidelity, relative_delta, upper_quantile
from probes.explanation.faithfulness.removal import Removed
from probes.explanation.faithfulness.scored import Scored, Why, account, known, mean
from probes.explanation.method import named

CONVERGED = 0.01
"""A relative error up to this counts as none; the bound usual for integrated gradients."""
MOST = 0.95


def infidelity_numbers(
    items: Explained, others: Sequence[Attribution] | None, chance: Sequence[Removed], *, second: Method | None
) -> Iterator[Accounting | Measurement | Skip]:
    """Of the method, and of what the second one says (`others`) beside it, on the same random removals."""
    own = infidelities(items.attributions, chance, noise=items.answers.tolerance)
    yield account("words taken out at random", own)
    yield _infidelity(own, items.clusters)
    if second is not None and others is not None:
        other = infidelities(others, chance, noise=items.answers.tolerance)
        yield _infidelity(other, items.clusters, ranking=named(second))


def infidelities(explained: Sequence[Attribution], chance: Sequence[Removed], *, noise: float) -> list[Scored]:
    """(n,) items, over all random removals of each."""
    scores = [each.scores for each in explained]
    weights = np.concatenate([removed.weights(scores) for removed in chance], axis=1)
    changes = np.concatenate([removed.changes() for removed in chance], axis=1)
    return [
        Why.ONE_WORD if len(own) < 2 else infidelity(weights[row], changes[row], noise=noise)
        for row, own in enumerate(scores)
    ]


def _infidelity(values: Sequence[Scored], clusters: Sequence[str], *, ranking: str = "") -> Measurement | Skip:
    return measured(
        "infidelity",
        "infidelity: squared error of the scores as a share of that of no scores"
        + (f" ({ranking})" if ranking else ""),
        lambda: mean(values, clusters=clusters, limits=(0.0, 1.0)),
        better=Better.CONTEXT if ranking else Better.LOWER,
        unit=Unit.SCORE,
        part={"ranking": ranking} if ranking else None,
    )


def convergence_numbers(
    items: Weighed, *, rng: np.random.Generator, resamples: int
) -> Iterator[Accounting | Measurement | Skip]:
    """Share of the items whose scores add up, and how large the error is that most stay below."""
    if items.method not in COMPLETE:
        detail = f"The sum of the scores by {named(items.method)} says nothing about their error."
        yield Skip(reason=SkipReason.UNDEFINED, detail=detail, name="converged")
        return
    values = [relative_delta(each) for each in items.attributions]
    yield account("weights added up", values)
    yield measured(
        "converged",
        f"share of texts whose scores add up to within {CONVERGED:.0%}",
        partial(_converged, values, items.clusters),
        better=Better.HIGHER,
    )
    yield measured(
        "convergence_delta",
        f"relative error of the sum that {MOST:.0%} of the texts do not exceed",
        partial(_delta, values, items.clusters, rng=rng, resamples=resamples),
        better=Better.LOWER,
        unit=Unit.SCORE,
    )


def _converged(values: Sequence[Scored], clusters: Sequence[str]) -> Estimate:
    numbers, keys = known(values, clusters)
    return stats.rate(numbers <= CONVERGED, clusters=keys)


def _delta(values: Sequence[Scored], clusters: Sequence[str], *, rng: np.random.Generator, resamples: int) -> Estimate:
    numbers, keys = known(values, clusters)
    statistic = partial(upper_quantile, numbers, share=MOST)
    return resampled(statistic, clusters=keys, rng=rng, resamples=resamples, limits=(0.0, np.inf))
