"""What taking words out shows, as records: for each ranking, and one ranking against another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from probes.core.answers import Floats
from probes.core.measuring import measured
from probes.core.records import Better, Curve, Estimate, Measurement, Point, Skip, Unit
from probes.core.stats.derived import UnmeasurableError
from probes.explanation.faithfulness.removal import SHARES, Drops
from probes.explanation.faithfulness.scored import Scored, mean, minus

CHANCE = "chance"


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One way to judge a ranking.

    Attributes:
        title: what drops.
        axis: what a share of the words is: "removed" or "kept".
        sign: 1 where a larger drop speaks for the ranking, -1 where a smaller one does.
        unit, limits: of one drop.
    """

    name: str
    title: str
    axis: str
    sign: int
    unit: Unit
    limits: tuple[float, float]

    @property
    def better(self) -> Better:
        return Better.HIGHER if self.sign > 0 else Better.LOWER

    def of(self, drops: Drops) -> Floats:
        """(n, K)."""
        if self.name == "log_odds_drop":
            assert drops.log_odds is not None
            return drops.log_odds
        return drops.comprehensiveness if self.name == "comprehensiveness" else drops.sufficiency


def quantities(*, regression: bool) -> tuple[Quantity, ...]:
    """Those that are defined for a classifier, or for a regression."""
    what = "value (in standard deviations)" if regression else "probability of the answer"
    unit = Unit.SCORE if regression else Unit.DIFFERENCE
    found = drops_of(what, unit=unit, limits=(-np.inf, np.inf) if regression else (-1.0, 1.0))
    odds = Quantity(
        name="log_odds_drop",
        title="log-odds: drop of the log-odds of the answer without the top words",
        axis="removed",
        sign=1,
        unit=Unit.SCORE,
        limits=(-np.inf, np.inf),
    )
    return found if regression else (*found, odds)


def drops_of(what: str, *, unit: Unit, limits: tuple[float, float]) -> tuple[Quantity, Quantity]:
    """How far something falls without the top words, and with them alone."""
    drop = partial(Quantity, unit=unit, limits=limits)
    return (
        drop(
            name="comprehensiveness",
            title=f"comprehensiveness: drop of the {what} without the top words",
            axis="removed",
            sign=1,
        ),
        drop(
            name="sufficiency", title=f"sufficiency: drop of the {what} with the top words alone", axis="kept", sign=-1
        ),
    )


def over(quantity: Quantity, own: Drops, other: Drops) -> list[Scored]:
    """(n,): by how much the one ranking is better than the other, mean over the shares."""
    first, second = own.aopc(quantity.of(own)), other.aopc(quantity.of(other))
    return minus(first, second) if quantity.sign > 0 else minus(second, first)


def removal_numbers(
    own: Drops,
    chance: Drops,
    second: Drops | None,
    *,
    clusters: Sequence[str],
    judged: Sequence[Quantity],
    family: str,
) -> Iterator[Measurement | Skip]:
    """Each quantity over all shares and at each, and against chance and the second method."""
    others = [each for each in (chance, second) if each is not None]
    for quantity in judged:
        yield _aopc(quantity, own, clusters=clusters)
        for other in others:
            yield _aopc(quantity, other, clusters=clusters, part={"ranking": other.ranking})
        for place, share in enumerate(SHARES):
            yield measured(
                quantity.name,
                f"{quantity.title} ({share:.0%} of the words)",
                partial(_at, quantity, own, place, clusters=clusters),
                better=quantity.better,
                unit=quantity.unit,
                part={quantity.axis: f"{share:.0%}"},
                family=f"{family}.shares",
            )
        for name, other in zip(("random", "second"), others, strict=False):
            yield _over(quantity, own, other, name=name, clusters=clusters)


def curves(rankings: Sequence[Drops], *, clusters: Sequence[str], judged: Sequence[Quantity]) -> Iterator[Curve]:
    """For each ranking how far the answer falls as its first words go, and as only they stay."""
    for quantity in judged:
        for drops in rankings:
            points = list(_points(quantity, drops, clusters=clusters))
            if points:
                yield Curve(
                    name=quantity.name,
                    title=f"{quantity.title[0].upper()}{quantity.title[1:]}",
                    x_title=f"share of the words {quantity.axis}, in percent",
                    y_title="drop",
                    unit=quantity.unit,
                    points=tuple(points),
                    slice={"ranking": drops.ranking},
                )


def _aopc(
    quantity: Quantity, drops: Drops, *, clusters: Sequence[str], part: Mapping[str, str] | None = None
) -> Measurement | Skip:
    return measured(
        quantity.name,
        f"{quantity.title}, mean over {len(SHARES)} shares" + (f" ({drops.ranking})" if part else ""),
        lambda: mean(drops.aopc(quantity.of(drops)), clusters=clusters, limits=quantity.limits),
        better=Better.CONTEXT if part else quantity.better,
        unit=quantity.unit,
        part=part,
    )


def _over(quantity: Quantity, own: Drops, other: Drops, *, name: str, clusters: Sequence[str]) -> Measurement | Skip:
    low, high = (2 * limit for limit in quantity.limits)
    return measured(
        f"{quantity.name}_over_{name}",
        f"{quantity.title}, how much better than {other.ranking}",
        lambda: mean(over(quantity, own, other), clusters=clusters, limits=(low, high)),
        better=Better.HIGHER,
        unit=quantity.unit,
    )


def _at(quantity: Quantity, drops: Drops, place: int, *, clusters: Sequence[str]) -> Estimate:
    return mean(drops.at(quantity.of(drops), place), clusters=clusters, limits=quantity.limits)


def _points(quantity: Quantity, drops: Drops, *, clusters: Sequence[str]) -> Iterator[Point]:
    try:
        estimates = [_at(quantity, drops, place, clusters=clusters) for place in range(len(SHARES))]
    except UnmeasurableError:
        return
    if quantity.axis == "removed":
        first = estimates[0]
        nothing = Estimate(
            value=0.0, low=0.0, high=0.0, n=first.n, clusters=first.clusters, method="by definition, nothing taken out"
        )
        yield Point(x=0.0, y=nothing)
    for share, estimate in zip(SHARES, estimates, strict=True):
        yield Point(x=100 * share, y=estimate)
