"""What a threshold on the confidence keeps and costs in each domain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from probes.core.answers import Bools
from probes.core.confidence_curves import risk_coverage
from probes.core.confidence_numbers import ConfidenceNumbers
from probes.core.measuring import measured, share
from probes.core.records import Better, Curve, Estimate, Measurement, Skip, SkipReason, Unit
from probes.core.stats.derived import UnmeasurableError, resampled
from probes.core.stats.intervals import estimate
from probes.core.stats.unpaired import difference
from probes.shift.domains import HOME
from probes.shift.performance.coverage import coverage_at_home_risk
from probes.shift.selective.judged import Judged
from probes.shift.selective.thresholds import needed_threshold, own_threshold

Found = Measurement | Skip


@dataclass(frozen=True, slots=True)
class Setting:
    """A threshold found on one half of the in-domain items.

    Attributes:
        target: the share of their errors, per item answered, that it is to allow.
        value: the lowest confidence that is answered; infinite where none is.
    """

    target: float
    value: float

    @property
    def slice(self) -> dict[str, str]:
        return {"target": f"{self.target:g}"}

    @property
    def named(self) -> str:
        """What it is for, as the end of a title."""
        return f"with the threshold that keeps the error rate at {self.target:.0%} of the in-domain one"

    def given(self, judged: Judged) -> Bools:
        """(n,): which answers are given."""
        return np.asarray(judged.confidence >= self.value)


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The numbers of the in-domain items and of other domains.

    Attributes:
        home: all labelled in-domain items.
        chosen: (n,) those of home on which thresholds are chosen.
        others: without the items that share a cluster with the chosen ones.
        generator: a fresh random generator for each key.
    """

    home: Judged
    chosen: Bools
    others: Sequence[Judged]
    targets: Sequence[float]
    generator: Callable[..., np.random.Generator]
    resamples: int

    @cached_property
    def tried(self) -> Judged:
        """The in-domain items on which thresholds are not chosen."""
        return self.home[~self.chosen]

    def records(self) -> Iterator[Found | Curve]:
        """What the order of the confidence is worth in each domain, then each threshold, then what would be needed."""
        for judged in (self.home, *self.others):
            yield self._aurc(judged)
            yield _curve(judged)
        for target in self.targets:
            yield from self._setting(target)
        for judged in self.others:
            yield from self._needed(judged)

    def _aurc(self, judged: Judged) -> Found:
        numbers = ConfidenceNumbers(
            decisions=judged.decisions,
            clusters=judged.clusters,
            generator=lambda name: self.generator(name, judged.name),
            resamples=self.resamples,
        )
        title = "error rate among the surest answers, averaged over the share answered (AURC)"
        return measured("aurc", title, numbers.aurc, better=Better.LOWER, unit=Unit.SCORE, part=judged.slice)

    def _setting(self, target: float) -> Iterator[Found]:
        """One threshold: its value, and what it keeps and costs on items that it was not chosen on."""
        half = self.home[self.chosen]
        if target < 1 and target * half.losses.sum() < 1:
            yield _too_few_errors(target, int(half.losses.sum()))
            return
        statistic = partial(own_threshold, half.confidence, half.losses, share=target)
        setting = Setting(target, float(statistic(np.ones((1, len(half))))[0]))
        yield measured(
            "threshold",
            f"lowest confidence that is answered, {setting.named}",
            lambda: resampled(
                lambda weights: np.minimum(statistic(weights), 1.0),
                clusters=half.clusters,
                rng=self.generator("threshold", f"{target:g}"),
                resamples=self.resamples,
                limits=(0.0, 1.0),
            ),
            better=Better.CONTEXT,
            unit=Unit.SCORE,
            part={"domain": HOME, **setting.slice},
        )
        for judged in (self.tried, *self.others):
            yield from self._applied(setting, judged)

    def _applied(self, setting: Setting, judged: Judged) -> Iterator[Found]:
        part, given = {**judged.slice, **setting.slice}, setting.given(judged)
        yield measured(
            "selective_risk",
            f"share of wrong answers among those given, {setting.named}",
            partial(_risk, judged, given),
            better=Better.LOWER,
            part=part,
        )
        yield measured(
            "abstention",
            f"share of items left to a person, {setting.named}",
            partial(share, ~given, clusters=judged.clusters),
            better=Better.LOWER,
            part=part,
        )
        if judged is self.tried:
            return
        yield measured(
            "selective_risk_added",
            f"share of wrong answers among those given less that in-domain, {setting.named}",
            lambda: difference(_risk(judged, given), _risk(self.tried, setting.given(self.tried))),
            better=Better.LOWER,
            unit=Unit.DIFFERENCE,
            part=part,
        )

    def _needed(self, judged: Judged) -> Iterator[Found]:
        """The threshold that the domain itself would call for to be answered with no more errors than in-domain."""
        yield measured(
            "needed_threshold",
            "lowest confidence that could be answered without more errors than in-domain",
            partial(self._needed_threshold, judged),
            better=Better.CONTEXT,
            unit=Unit.SCORE,
            part=judged.slice,
        )
        yield measured(
            "needed_abstention",
            "share of items to leave to a person so that there are no more errors than in-domain",
            lambda: _rest(coverage_at_home_risk(self.home.decisions, judged.decisions)),
            better=Better.LOWER,
            part=judged.slice,
        )

    def _needed_threshold(self, judged: Judged) -> Estimate:
        confidence = np.concatenate([self.home.confidence, judged.confidence])
        losses = np.concatenate([self.home.losses, judged.losses])
        home = np.arange(len(losses)) < len(self.home)
        return resampled(
            lambda weights: np.minimum(needed_threshold(confidence, losses, weights, home=home), 1.0),
            clusters=[*self.home.clusters, *judged.clusters],
            rng=self.generator("needed_threshold", judged.name),
            resamples=self.resamples,
            limits=(0.0, 1.0),
        )


def _risk(judged: Judged, given: Bools) -> Estimate:
    if not given.any():
        raise UnmeasurableError(SkipReason.UNDEFINED, "No item is answered at all: each is left to a person.")
    return share(judged.losses > 0, among=given, clusters=judged.clusters)


def _rest(answered: Estimate) -> Estimate:
    """The estimate of 1 minus a share."""

    def bounds(alpha: float) -> tuple[float, float]:
        tail = answered.tail(alpha)
        return 1 - tail.high, 1 - tail.low

    return estimate(
        1 - answered.value,
        bounds=bounds,
        shown=lambda _: (1 - answered.high, 1 - answered.low),
        n=answered.n,
        clusters=answered.clusters,
        method=f"1 less the share that can be answered ({answered.method})",
        limits=(0.0, 1.0),
    )


def _curve(judged: Judged) -> Curve:
    return risk_coverage(judged.decisions).model_copy(update={"slice": judged.slice})


def _too_few_errors(target: float, errors: int) -> Skip:
    return Skip(
        reason=SkipReason.TOO_FEW,
        detail=f"The half of the in-domain texts on which thresholds are chosen has {errors} wrong answers, too few to "
        f"set a threshold at {target:.0%} of their rate.",
        enable="add labelled in-domain items",
        name="selective_risk",
        slice={"target": f"{target:g}"},
    )
