"""The numbers that say how unequal the answers to contrasts are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations

import numpy as np

from probes.bias.counterfactual.answered import Answered
from probes.core import stats
from probes.core.answers import Bools, Floats
from probes.core.measuring import measured, no_positive_class, share
from probes.core.positive import Meaning, PositiveClass
from probes.core.records import Better, Estimate, Measurement, Skip, SkipReason, Unit
from probes.core.stats.derived import FEW, UnmeasurableError


def whole_axis(
    answered: Answered, part: Mapping[str, str], *, tolerance: float, family: str
) -> Iterator[Measurement | Skip]:
    """Changed answers and distances over all pairs of groups, and how far they exceed those of the controls."""
    cross, control = answered.where(~answered.control), answered.where(answered.control)
    yield _share("flip_rate", "share of answers that change with the group", cross, cross.flipped, part, Better.LOWER)
    title = "share of answers that change within the group (noise floor)"
    yield _share("control_flip_rate", title, control, control.flipped, part, Better.CONTEXT)
    yield measured(
        "excess_flip_rate",
        "answers changed beyond noise",
        partial(_excess, answered, answered.flipped.astype(np.float64), limits=(-1.0, 1.0)),
        better=Better.LOWER,
        unit=Unit.DIFFERENCE,
        part=part,
        family=family,
    )
    yield _distance("mean_distance", "mean distance of the answers", cross, part, Better.LOWER)
    title = "mean distance of the answers within the group (noise floor)"
    yield _distance("control_distance", title, control, part, Better.CONTEXT)
    yield measured(
        "excess_distance",
        "distance beyond the noise floor, same texts",
        partial(_excess, answered, answered.distance, limits=answered.limits),
        better=Better.LOWER,
        unit=answered.unit,
        part=part,
    )
    beyond = cross.distance > tolerance
    yield _share("beyond_tolerance", _beyond(cross, tolerance), cross, beyond, part, Better.LOWER)


def each_pair(answered: Answered, part: Mapping[str, str], *, tolerance: float) -> Iterator[Measurement | Skip]:
    """For each two groups: changed answers, the signed gap with who is favoured, and the share beyond tolerance."""
    for places, pair in _pairs(answered):
        rows = answered.where(answered.of_pair(places))
        if not len(rows):
            continue
        where = {**part, "pair": f"{pair[0]} vs {pair[1]}"}
        if len(set(rows.clusters)) < FEW:
            yield too_few(rows.clusters, where)
            continue
        title = "share of answers that change between the two groups"
        yield _share("pair_flip_rate", title, rows, rows.flipped, where, Better.LOWER)
        if rows.scored:
            yield _signed(rows, pair, where)
        yield _distance("pair_distance", "mean distance of the answers", rows, where, Better.LOWER)
        beyond = rows.distance > tolerance
        yield _share("pair_beyond_tolerance", _beyond(rows, tolerance), rows, beyond, where, Better.LOWER)


def disparity(
    answered: Answered,
    part: Mapping[str, str],
    *,
    family: str,
    rng: np.random.Generator,
    resamples: int,
    minimum: int,
) -> Measurement | Skip:
    """The largest mean gap between two groups, whichever is favoured, with the selection of the pair accounted for.

    Only pairs that at least `minimum` independent texts compare take part: the largest of many gaps would otherwise be
    that of the rarest pair.
    """
    cross = answered.where(~answered.control)
    if not cross.scored:
        detail = "The model has no positive class, so a score gap has no direction."
        return no_positive_class(cross.positive, detail=detail, name="disparity", part=part)
    means = {pair: cross.by_cluster(cross.gap, cross.of_pair(places)) for places, pair in _pairs(cross)}
    gaps = {pair: values for pair, values in means.items() if np.isfinite(values).sum() >= minimum}
    if not gaps:
        detail = f"No two groups are compared in {minimum} independent texts."
        return Skip(reason=SkipReason.TOO_FEW, detail=detail, name="disparity", slice=dict(part))
    matrix = np.stack(list(gaps.values()), axis=1)
    kept = np.asarray(~np.isnan(matrix).all(axis=1))
    estimate = stats.worst_of(
        np.concatenate([matrix, -matrix], axis=1)[kept],
        clusters=[key for key, keep in zip(cross.codes[0], kept, strict=True) if keep],
        rng=rng,
        resamples=resamples,
        limits=cross.limits,
    )
    pair, gap = max(((pair, float(np.nanmean(values))) for pair, values in gaps.items()), key=lambda item: abs(item[1]))
    shown = f", {_direction(pair, gap, cross.positive)}" if gap else " (all alike)"
    return Measurement(
        name="disparity",
        title=f"largest score gap{shown}",
        estimate=estimate,
        better=Better.LOWER,
        unit=cross.unit,
        slice=dict(part),
        family=family,
    )


def _pairs(answered: Answered) -> Iterator[tuple[tuple[int, int], tuple[str, str]]]:
    """Each two groups of the axis, by position and by name."""
    for first, second in combinations(range(len(answered.groups)), 2):
        yield (first, second), (answered.groups[first], answered.groups[second])


def shown_direction(gap: Estimate, pair: tuple[str, str], positive: PositiveClass) -> str:
    """Who gets the higher score and whom that favours, where the interval of the signed gap says so."""
    return "no direction shown" if gap.low <= 0 <= gap.high else _direction(pair, gap.value, positive)


def _direction(pair: tuple[str, str], gap: float, positive: PositiveClass) -> str:
    higher, lower = (group.replace("_", " ") for group in (pair if gap > 0 else pair[::-1]))
    if positive.meaning is Meaning.HARM:  # neither side is favoured: a charge against one, protection for the other
        return f"{higher} taken for more harmful than {lower}"
    if positive.meaning is Meaning.UNKNOWN:
        return f"{higher} over {lower}"
    favoured = higher if positive.meaning is Meaning.FAVOURABLE else lower
    return f"{higher} over {lower}, which favours {favoured}"


def _beyond(rows: Answered, tolerance: float) -> str:
    amount = f"{100 * tolerance:g} points" if rows.unit is Unit.DIFFERENCE else f"{tolerance:g}"
    return f"share of answers more than {amount} apart"


def _share(
    name: str, title: str, rows: Answered, successes: Bools, part: Mapping[str, str], better: Better
) -> Measurement | Skip:
    def estimate() -> Estimate:
        _require(rows.clusters)
        return share(successes, clusters=rows.clusters)

    return measured(name, title, estimate, better=better, part=part)


def _distance(name: str, title: str, rows: Answered, part: Mapping[str, str], better: Better) -> Measurement | Skip:
    estimate = partial(_mean, rows, rows.distance if len(rows) else np.zeros(0))
    return measured(name, title, estimate, better=better, unit=rows.unit, part=part)


def _signed(rows: Answered, pair: tuple[str, str], part: Mapping[str, str]) -> Measurement | Skip:
    title = "mean score of the first group minus that of the second"
    found = measured("score_gap", title, partial(_gap, rows), better=Better.CONTEXT, unit=rows.unit, part=part)
    if isinstance(found, Skip):
        return found
    return found.model_copy(update={"title": f"{title}, {shown_direction(found.estimate, pair, rows.positive)}"})


def _mean(rows: Answered, values: Floats) -> Estimate:
    _require(rows.clusters)
    return stats.mean(values, clusters=rows.clusters, limits=rows.limits)


def _gap(rows: Answered) -> Estimate:
    """Mean over texts, each counting once however many variants it has; as in `disparity`."""
    values = rows.by_cluster(rows.gap, np.ones(len(rows), dtype=bool))
    return stats.mean(values, clusters=rows.codes[0], limits=rows.limits)


def _excess(answered: Answered, values: Floats, *, limits: tuple[float, float]) -> Estimate:
    """Mean over texts of the cross rows' mean minus the control rows' mean; only texts with both."""
    cross, control = (answered.by_cluster(values, rows) for rows in (~answered.control, answered.control))
    both = ~np.isnan(cross - control)
    kept = [key for key, keep in zip(answered.codes[0], both, strict=True) if keep]
    _require(kept)
    return stats.mean((cross - control)[both], clusters=kept, limits=limits)


def _require(clusters: Sequence[str]) -> None:
    distinct = len(set(clusters))
    if distinct < FEW:
        raise UnmeasurableError(SkipReason.TOO_FEW, f"It rests on {distinct} independent texts; {FEW} are needed.")


def too_few(clusters: Sequence[str], part: Mapping[str, str]) -> Skip:
    """Where so few texts compare groups that no number is given."""
    detail = f"It rests on {len(set(clusters))} independent texts; {FEW} are needed."
    return Skip(reason=SkipReason.TOO_FEW, detail=detail, slice=dict(part))
