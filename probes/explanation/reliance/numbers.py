"""The numbers that say how much a model leans on words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import compress

import numpy as np

from probes.core import stats
from probes.core.answers import Bools, Floats, ProblemType
from probes.core.counts import plural
from probes.core.measuring import measured, share
from probes.core.records import Better, Estimate, Measurement, Skip, SkipReason, Unit
from probes.core.stats.derived import FEW, UnmeasurableError
from probes.explanation.explained import LEAST_EFFECT
from probes.explanation.reliance.leaning import Leaning

ID = "explanation.reliance"
Part = Mapping[str, str]
Numbers = Iterator[Measurement | Skip]


def attribution_share(shares: Floats, clusters: Sequence[str], part: Part) -> Measurement | Skip:
    """Mean of (n,) shares of the attribution."""
    return measured(
        "attribution_share",
        "share of the attribution that lies on them",
        partial(_mean, shares, clusters, limits=(0.0, 1.0)),
        better=Better.CONTEXT,
        part=part,
    )


def beyond_neutral(leaning: Leaning, part: Part, *, family: str) -> Numbers:
    """The share, what goes beyond matched neutral words, and the direction.

    `family` says which numbers of one name are corrected together ("axis").
    """
    flips, moves = _flip_rate_excess(leaning, part, family), _probability_excess(leaning, part, family)
    yield attribution_share(leaning.share, leaning.clusters, part)
    yield _with_verdict(_attribution_excess(leaning, part, family), flips, moves, width=leaning.limits[1])
    yield flips
    yield moves
    yield measured(
        "probability_change",
        f"mean change of the {_what(leaning)} without them",
        partial(_mean, leaning.taken.change, leaning.pair_clusters, limits=leaning.limits),
        better=Better.CONTEXT,
        unit=_unit(leaning),
        part=part,
    )


def in_detail(leaning: Leaning, part: Part, *, signs: bool) -> Numbers:
    """What the excess numbers are made of; `signs`: do the attributions have any."""
    rates = {
        "flip_rate": ("share of answers that change without them", leaning.taken.flipped),
        "control_flip_rate": ("share of answers that change without as many neutral words", leaning.neutral.flipped),
    }
    for name, (title, flipped) in rates.items():
        yield measured(name, title, partial(_rate, flipped, leaning.pair_clusters), better=Better.CONTEXT, part=part)
    if signs:
        yield measured(
            "signed_excess",
            "attribution per word beyond matched neutral words, above 0 towards the answer",
            partial(_mean, leaning.signed, leaning.clusters, limits=(-1.0, 1.0)),
            better=Better.CONTEXT,
            unit=Unit.DIFFERENCE,
            part=part,
        )


def _attribution_excess(leaning: Leaning, part: Part, family: str) -> Measurement | Skip:
    return measured(
        "attribution_excess",
        "attribution per word beyond matched neutral words",
        partial(_mean, leaning.excess, leaning.clusters, limits=(-1.0, 1.0)),
        better=Better.LOWER,
        unit=Unit.DIFFERENCE,
        part=part,
        family=f"{ID}.{family}.attribution",
    )


def _flip_rate_excess(leaning: Leaning, part: Part, family: str) -> Measurement | Skip:
    return measured(
        "flip_rate_excess",
        "answers that change without them, beyond those without as many neutral words",
        partial(_difference, leaning.neutral.flipped, leaning.taken.flipped, leaning.pair_clusters),
        better=Better.LOWER,
        unit=Unit.DIFFERENCE,
        part=part,
        family=f"{ID}.{family}.flips",
    )


def _probability_excess(leaning: Leaning, part: Part, family: str) -> Measurement | Skip:
    return measured(
        "probability_excess",
        f"how much farther the {_what(leaning)} moves without them than without as many neutral words",
        partial(_mean, leaning.beyond, leaning.pair_clusters, limits=leaning.limits),
        better=Better.LOWER,
        unit=_unit(leaning),
        part=part,
        family=f"{ID}.{family}.probability",
    )


def _with_verdict(
    attribution: Measurement | Skip, flips: Measurement | Skip, moves: Measurement | Skip, *, width: float
) -> Measurement | Skip:
    """Attribution alone is not cause: the title says whether taking the words out confirms it."""
    if isinstance(attribution, Skip) or not _above(attribution, 0.0):
        return attribution
    confirmed = _above(flips, 0.0) or _above(moves, LEAST_EFFECT * width)
    verdict = "confirmed by taking them out: leaned on" if confirmed else "not confirmed by taking them out"
    return attribution.model_copy(update={"title": f"{attribution.title}, {verdict}"})


def _above(number: Measurement | Skip, least: float) -> bool:
    return isinstance(number, Measurement) and number.estimate.low > least


def _what(leaning: Leaning) -> str:
    return "value" if _unit(leaning) is Unit.SCORE else "probability of the answer"


def _unit(leaning: Leaning) -> Unit:
    """Of a change of the probability."""
    return Unit.SCORE if leaning.taken.answers.problem is ProblemType.REGRESSION else Unit.DIFFERENCE


def _mean(values: Floats, clusters: Sequence[str], *, limits: tuple[float, float]) -> Estimate:
    """Of the values that are numbers."""
    defined = np.isfinite(values)
    kept = _enough(list(compress(clusters, defined)))
    return stats.mean(values[defined], clusters=kept, limits=limits)


def _rate(successes: Bools, clusters: Sequence[str]) -> Estimate:
    return share(successes, clusters=_enough(clusters))


def _difference(before: Bools, after: Bools, clusters: Sequence[str]) -> Estimate:
    return stats.paired_difference(before, after, clusters=_enough(clusters))


def _enough(clusters: Sequence[str]) -> Sequence[str]:
    found = len(set(clusters))
    if found < FEW:
        detail = f"Only {plural(found, 'independent text')} with what is compared; {FEW} are needed."
        raise UnmeasurableError(SkipReason.TOO_FEW, detail)
    return clusters
