"""How good the model is on each kind of texts, how much is lost against the in-domain ones, and by what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from probes.core.answers import ProblemType
from probes.core.confidence_numbers import PER_BIN
from probes.core.measuring import measured
from probes.core.records import Better, Curve, Estimate, Measurement, Point, Skip, SkipReason, Unit
from probes.core.stats.derived import UnmeasurableError
from probes.core.stats.group_means import GroupMeans, cluster_numbers, largest_loss, relative_loss
from probes.core.stats.unpaired import difference
from probes.shift.domains import HOME
from probes.shift.performance.coverage import coverage_at_home_risk
from probes.shift.performance.label_shares import Strata, from_shares, rest
from probes.shift.performance.levels import Found, Levels
from probes.shift.performance.scored import Measure, Scored, ScoredLabels


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The numbers of the in-domain items and of the other domains.

    Attributes:
        others: at least one. Without labels on a side, the numbers of labels and confidence are left out.
        bins: most bins of the calibration error.
        generator: a fresh random generator for each key.
        family: of the levels; the losses are of the probe's own.
    """

    home: Scored
    others: Sequence[Scored]
    measure: Measure
    bins: int
    generator: Callable[..., np.random.Generator]
    resamples: int
    family: str

    def records(self) -> Iterator[Found | Curve]:
        """Levels of every domain, then what each other one loses, then the worst."""
        levels = {scored.name: self._levels(scored) for scored in (self.home, *self.others)}
        for found in levels.values():
            yield from found
        for scored in self.others:
            yield from self._losses(scored, own=levels[scored.name], home=levels[HOME])
        yield self._worst()
        if self.measure.charted:
            yield self._curve([found[0] for found in levels.values()])

    def _levels(self, scored: Scored) -> list[Found]:
        fewest = min(each.independent for each in (self.home, *self.others))
        return Levels(
            scored=scored,
            measure=self.measure,
            bins=min(self.bins, fewest // PER_BIN),
            generator=self.generator,
            resamples=self.resamples,
            family=self.family,
        ).records()

    def _losses(self, scored: Scored, *, own: Sequence[Found], home: Sequence[Found]) -> Iterator[Found]:
        """How much worse each level is than in-domain, and for labels what that comes from and what can be kept."""
        m, sides = self.measure, _with_labels(self.home, scored)
        against = "against the in-domain texts"
        names = [(m.loss, f"{m.lost} {against}", m.sign, m.loss_unit)]
        if sides:
            names.append(("macro_f1_lost", f"mean F1 lost {against}", 1, Unit.DIFFERENCE))
            names.append(
                ("ece_added", f"distance between confidence and share right added {against}", -1, Unit.DIFFERENCE)
            )
        for (name, title, sign, unit), level, before in zip(names, own, home, strict=True):
            refused = _other_labels(*sides) if sides and name == "macro_f1_lost" else ""
            estimate = partial(_lost, level, before, sign=sign, refused=refused)
            yield measured(name, title, estimate, better=Better.LOWER, unit=unit, part=scored.slice)
        yield measured(
            f"{m.loss}_relative",
            f"{m.lost}, as a share of the in-domain value",
            partial(self._relative, scored),
            better=Better.LOWER,
            part=scored.slice,
        )
        if sides:
            yield from self._from_label_shares(*sides)
            yield _coverage(*sides)

    def _relative(self, scored: Scored) -> Estimate:
        return relative_loss(self._means([scored]), scored.name, HOME, sign=self.measure.sign)

    def _means(self, others: Sequence[Scored]) -> GroupMeans:
        """The means of the in-domain items and of others."""
        everyone = [self.home, *others]
        names = np.repeat([each.name for each in everyone], [len(each) for each in everyone])
        means = GroupMeans.of(
            np.concatenate([each.values for each in everyone]),
            {each.name: names == each.name for each in everyone},
            clusters=cluster_numbers([key for each in everyone for key in each.clusters]),
            limits=self.measure.limits,
        )
        return means if self.measure.function is None else means.mapped(self.measure.function)

    def _from_label_shares(self, home: ScoredLabels, scored: ScoredLabels) -> Iterator[Found]:
        """The two parts of the loss."""
        name, unit = self.measure.loss, self.measure.loss_unit
        for suffix, title, part, better in (
            ("label_shares", "comes from other shares of the labels", from_shares, Better.CONTEXT),
            ("rest", "other shares of the labels do not explain", rest, Better.LOWER),
        ):
            estimate = partial(self._part_of_loss, home, scored, part)
            yield measured(
                f"{name}_{suffix}",
                f"part of the loss that {title}",
                estimate,
                better=better,
                unit=unit,
                part=scored.slice,
            )

    def _part_of_loss(
        self, home: ScoredLabels, scored: ScoredLabels, part: Callable[[Strata, Strata], Estimate]
    ) -> Estimate:
        if scored.items.problem is ProblemType.MULTI_LABEL:
            raise UnmeasurableError(SkipReason.WRONG_PROBLEM, "An item has several labels, so labels have no shares.")
        new = scored.labels & ~home.labels
        if new.any():
            detail = f"No in-domain text has the right answer {scored.named(new)}, so nothing can stand for such texts."
            raise UnmeasurableError(SkipReason.UNDEFINED, detail)
        return part(self._strata(home), self._strata(scored))

    def _strata(self, scored: ScoredLabels) -> Strata:
        return Strata(scored.values, scored.items.gold, scored.clusters, self.measure.limits)

    def _worst(self) -> Found:
        m = self.measure
        means = self._means(self.others)
        worst = max(self.others, key=lambda scored: -m.sign * float(scored.values.mean()))
        return measured(
            m.worst,
            f"{m.lost} against the in-domain texts, {_among(len(self.others))} ({worst.name})",
            lambda: largest_loss(means, HOME, sign=m.sign),
            better=Better.LOWER,
            unit=m.loss_unit,
        )

    def _curve(self, means: Sequence[Found]) -> Curve:
        estimates = [(found.slice["domain"], found.estimate) for found in means if isinstance(found, Measurement)]
        return Curve(
            name=f"{self.measure.name}_by_domain",
            title=f"{self.measure.title.capitalize()}, by kind of texts",
            x_title="kind of texts",
            y_title=self.measure.title,
            unit=self.measure.unit,
            points=tuple(Point(x=float(x), y=y, label=name) for x, (name, y) in enumerate(estimates)),
            connected=False,
        )


def _among(kinds: int) -> str:
    return "the other kind of texts" if kinds == 1 else f"worst of {kinds} other kinds of texts"


def _with_labels(home: Scored, scored: Scored) -> tuple[ScoredLabels, ScoredLabels] | None:
    """Both sides, where both are labelled."""
    return (home, scored) if isinstance(home, ScoredLabels) and isinstance(scored, ScoredLabels) else None


def _other_labels(home: ScoredLabels, scored: ScoredLabels) -> str:
    """Why a mean over labels cannot be compared with the in-domain one; empty when it can."""
    lacking, new = home.labels & ~scored.labels, scored.labels & ~home.labels
    parts = []
    if lacking.any():
        parts.append(f"no right answer is {scored.named(lacking)} {scored.where}")
    if new.any():
        parts.append(f"no right answer is {scored.named(new)} {home.where}")
    return f"A mean over other labels is another number: {' and '.join(parts)}." if parts else ""


def _coverage(home: ScoredLabels, scored: ScoredLabels) -> Found:
    def estimate() -> Estimate:
        if scored.items.problem is ProblemType.MULTI_LABEL:
            raise UnmeasurableError(SkipReason.WRONG_PROBLEM, "An item is not left to a person label by label.")
        return coverage_at_home_risk(home.decisions, scored.decisions)

    title = "share that can be answered, the surest first, without more errors than in-domain"
    return measured("coverage_at_home_risk", title, estimate, better=Better.HIGHER, part=scored.slice)


def _lost(level: Found, home: Found, *, sign: int, refused: str) -> Estimate:
    """How much worse a level is than in-domain."""
    if refused:
        raise UnmeasurableError(SkipReason.UNDEFINED, refused)
    first, second = (_estimate(found) for found in ((home, level) if sign > 0 else (level, home)))
    return difference(first, second)


def _estimate(found: Found) -> Estimate:
    if isinstance(found, Skip):
        raise UnmeasurableError(found.reason, f"There is nothing to compare: {found.detail}")
    return found.estimate
