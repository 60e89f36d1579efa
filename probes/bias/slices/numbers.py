"""What slices found by a search amount to on items that the search has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from probes.bias.slices.search import Slice
from probes.core.answers import Bools
from probes.core.labelled import Labelled
from probes.core.measuring import measured, share
from probes.core.records import Better, Estimate, Measurement, Skip, SkipReason, Unit
from probes.core.stats.derived import FEW
from probes.core.stats.group_means import GroupMeans, cluster_numbers, largest_gap

FAMILY = "bias.slices"


def confirmed(found: Sequence[Slice], items: Labelled, *, kept: Bools) -> Iterator[Measurement | Skip]:
    """The numbers of each slice on the items (n,) kept apart from the search, then the largest gap."""
    wrong = ~items.correct
    yield measured(
        "confirmation_error_rate",
        "share of wrong answers on the half kept apart",
        partial(share, wrong, among=kept, clusters=items.clusters),
        better=Better.CONTEXT,
    )
    gaps: list[GroupMeans] = []
    for each in found:
        part = {"slice": each.name}
        yield measured(
            "discovery_error_rate",
            f"share of wrong answers where it was found, too high by selection: {each.name}",
            partial(share, wrong, among=~kept & each.holds, clusters=items.clusters),
            better=Better.CONTEXT,
            part=part,
        )
        means = _two_means(wrong[kept], each.holds[kept], [c for c, k in zip(items.clusters, kept, strict=True) if k])
        if means is None:
            yield _small(each, part)
            continue
        gaps.append(means)
        yield from _measured(each, means, wrong, kept, items.clusters, part)
    yield from _worst(gaps)


def _measured(
    each: Slice, means: GroupMeans, wrong: Bools, kept: Bools, clusters: Sequence[str], part: Mapping[str, str]
) -> Iterator[Measurement | Skip]:
    yield measured(
        "error_rate",
        f"share of wrong answers on {each.name}",
        partial(share, wrong, among=kept & each.holds, clusters=clusters),
        better=Better.LOWER,
        part=part,
        family=f"{FAMILY}.rate",
    )
    yield measured(
        "error_gap",
        f"share of wrong answers on {each.name}, minus that on all other texts",
        partial(_largest_gap, [means]),
        better=Better.LOWER,
        unit=Unit.DIFFERENCE,
        part=part,
        family=FAMILY,
    )


def _worst(gaps: Sequence[GroupMeans]) -> Iterator[Measurement | Skip]:
    if not gaps:
        yield Skip(
            reason=SkipReason.TOO_FEW,
            detail="No part of the data was large enough to be searched and confirmed.",
            enable="add labelled items",
            name="worst_slice_error_gap",
        )
        return
    yield measured(
        "worst_slice_error_gap",
        "largest gap in the share of wrong answers between a part of the data and the rest",
        partial(_largest_gap, gaps),
        better=Better.LOWER,
        unit=Unit.DIFFERENCE,
        family=f"{FAMILY}.worst",
    )


def _two_means(wrong: Bools, holds: Bools, clusters: Sequence[str]) -> GroupMeans | None:
    """Error rates inside and outside; None where either has fewer than FEW independent items."""
    groups = {"slice": holds, "rest": ~holds}
    for rows in groups.values():
        if len({cluster for cluster, inside in zip(clusters, rows, strict=True) if inside}) < FEW:
            return None
    return GroupMeans.of(wrong.astype(np.float64), groups, clusters=cluster_numbers(clusters))


def _largest_gap(gaps: Sequence[GroupMeans]) -> Estimate:
    return largest_gap(gaps, method="exact bounds", limits=(-1.0, 1.0))


def _small(each: Slice, part: Mapping[str, str]) -> Skip:
    return Skip(
        reason=SkipReason.TOO_FEW,
        detail=f"On the half kept apart, {each.name} or the rest are fewer than {FEW} independent items.",
        enable="add labelled items",
        name="error_gap",
        slice=part,
    )
