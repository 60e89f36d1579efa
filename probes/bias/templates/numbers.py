"""How scores on filled templates differ between groups, and how much that hangs on the choice of templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from probes.bias.templates.filled import Filled
from probes.core import stats
from probes.core.answers import Floats
from probes.core.measuring import measured, share
from probes.core.records import (
    Better,
    Curve,
    Estimate,
    Measurement,
    Point,
    Skip,
    SkipReason,
    Tail,
    Unit,
)
from probes.core.stats.derived import FEW, UnmeasurableError

FEW_IN_REGISTER = 5
"""A register has few templates, and its gap is there to be compared with the others'."""

_ALL_ALIKE = "All groups have the same mean score, so none is the lowest."


def each_group(filled: Filled) -> Iterator[Measurement | Skip]:
    """Mean score of each group, and its distance from the mean over the groups, with its direction."""
    unit = Unit.SCORE if filled.regression else Unit.PROPORTION
    limits = None if filled.regression else (0.0, 1.0)
    for column, group in enumerate(filled.groups):
        part = {"axis": filled.axis, "group": group}
        present = int((~np.isnan(filled.scores[:, column])).sum())
        some = (
            ""
            if present == len(filled.templates)
            else f" (the {present} of {len(filled.templates)} templates it is in)"
        )
        score = partial(_mean, filled.scores[:, column], limits=limits)
        yield measured("mean_score", f"mean score{some}", score, better=Better.CONTEXT, unit=unit, part=part)
        gap = partial(_mean, filled.gaps[:, column], limits=filled.limits)
        title = "mean score minus that of all groups"
        yield measured("gap_to_mean", title, gap, better=Better.CONTEXT, unit=filled.unit, part=part)


def disparity(filled: Filled, *, family: str, rng: np.random.Generator, resamples: int) -> Measurement | Skip:
    """The largest mean gap between two groups, whichever is higher, with the choice of the two accounted for."""
    title = f"largest score gap, {_direction(filled)}"
    return measured(
        "disparity",
        title,
        partial(_largest_gap, filled, rng=rng, resamples=resamples),
        better=Better.LOWER,
        unit=filled.unit,
        part={"axis": filled.axis},
        family=family,
    )


def stability(filled: Filled, *, rng: np.random.Generator, resamples: int) -> Measurement | Skip:
    """How often the group that is lowest here is lowest again with other templates."""
    return measured(
        "lowest_group_stability",
        f"how often the lowest group is the same when templates are redrawn, {filled.groups[filled.lowest]}",
        partial(_stability, filled, rng=rng, resamples=resamples),
        better=Better.CONTEXT,
        part={"axis": filled.axis},
    )


def answer_differs(filled: Filled) -> Measurement | Skip:
    """Share of templates that do not get the same answer for all groups."""
    return measured(
        "answer_differs",
        "share of templates whose answer is not the same for all groups",
        partial(_enough_share, filled),
        better=Better.LOWER,
        part={"axis": filled.axis},
    )


def by_register(filled: Filled) -> Curve | Skip:
    """The gap between the highest and the lowest group in each register; below zero the conclusion is the opposite."""
    part: Mapping[str, str] = {"axis": filled.axis}
    if not filled.apart:
        return Skip(reason=SkipReason.UNDEFINED, detail=_ALL_ALIKE, name="gap_by_register", slice=part)
    low, high = filled.ends
    difference = filled.between(high, low)
    points = []
    for place, register in enumerate(dict.fromkeys(filled.registers)):
        rows = np.array([each == register for each in filled.registers])
        try:
            gap = _mean(difference[rows], limits=filled.limits, least=FEW_IN_REGISTER)
        except UnmeasurableError:
            continue
        points.append(Point(x=place, y=gap, label=register.replace("_", " ")))
    if not points:
        detail = f"No register has {FEW_IN_REGISTER} templates for both groups."
        return Skip(reason=SkipReason.TOO_FEW, detail=detail, name="gap_by_register", slice=part)
    between = f"{filled.groups[high]} minus {filled.groups[low]}"
    reversed_in = sum(point.y.value < 0 for point in points)
    return Curve(
        name="gap_by_register",
        title=f"Gap by register: {between} ({reversed_in} of {len(points)} reversed)",
        x_title="register",
        y_title="difference of mean scores",
        unit=filled.unit,
        points=tuple(points),
        connected=False,
        slice=part,
    )


def _direction(filled: Filled) -> str:
    if not filled.apart:
        return "no group is higher"
    low, high = (filled.groups[end] for end in filled.ends)
    return f"highest for {high}, lowest for {low}"


def _mean(values: Floats, *, limits: tuple[float, float] | None, least: int = FEW) -> Estimate:
    present = values[~np.isnan(values)]
    _require(len(present), least=least)
    return stats.mean(present, limits=limits)


def _largest_gap(filled: Filled, *, rng: np.random.Generator, resamples: int) -> Estimate:
    gaps = list(filled.pairs.values())
    if not gaps:
        raise UnmeasurableError(SkipReason.TOO_FEW, f"No two groups have {FEW} templates in common.")
    both = np.stack([*gaps, *(-gap for gap in gaps)], axis=1)
    estimate = stats.worst_of(both, clusters=filled.templates, rng=rng, resamples=resamples, limits=filled.limits)
    return _not_below_zero(estimate)


def _not_below_zero(estimate: Estimate) -> Estimate:
    """A largest gap is at least 0, so no bound of it need be lower."""
    tails = tuple(Tail(alpha=t.alpha, low=max(t.low, 0.0), high=max(t.high, 0.0)) for t in estimate.tails)
    return estimate.model_copy(update={"low": max(estimate.low, 0.0), "tails": tails})


def _stability(filled: Filled, *, rng: np.random.Generator, resamples: int) -> Estimate:
    count = len(filled.templates)
    _require(count)
    if not filled.apart:
        raise UnmeasurableError(SkipReason.UNDEFINED, _ALL_ALIKE)
    gaps = filled.gaps
    present = ~np.isnan(gaps)
    weights = rng.multinomial(count, np.full(count, 1 / count), size=resamples).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(weights @ present > 0, weights @ np.where(present, gaps, 0.0) / (weights @ present), np.inf)
    again = stats.rate(means.argmin(axis=1) == filled.lowest)
    method = f"share of {resamples} draws of {count} templates; the interval is that of the simulation"
    return again.model_copy(update={"n": count, "clusters": count, "method": method})


def _enough_share(filled: Filled) -> Estimate:
    _require(len(filled.templates))
    return share(filled.differs, clusters=filled.templates)


def _require(count: int, *, least: int = FEW) -> None:
    if count < least:
        raise UnmeasurableError(SkipReason.TOO_FEW, f"It rests on {count} templates; {least} are needed.")
