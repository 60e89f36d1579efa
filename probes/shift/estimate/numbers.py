"""What is published of one domain: estimates, and their errors where right answers are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from probes.core.measuring import measured, share
from probes.core.records import Better, Curve, Estimate, Measurement, Point, Skip, SkipReason, Unit
from probes.core.stats.clusters import FEW
from probes.core.stats.derived import UnmeasurableError
from probes.shift.estimate.answered import Answered
from probes.shift.estimate.comparison import Comparison
from probes.shift.estimate.trust import Trust


def numbers(each: Comparison, trust: Trust) -> Iterator[Measurement | Skip]:
    """The trusted estimate, all estimates, and their errors."""
    part, chosen = each.other.domain.slice, trust.estimator
    yield measured(
        "trusted_estimate",
        f"accuracy estimated without right answers, trusted: {chosen}",
        partial(each.estimate, chosen),
        better=Better.HIGHER,
        part=part,
    )
    yield measured(
        "estimated_accuracy_lost",
        f"accuracy lost against the in-domain texts as estimated, trusted: {chosen}",
        partial(_loss, each, chosen),
        better=Better.LOWER,
        unit=Unit.DIFFERENCE,
        part=part,
    )
    for name in each.estimators:
        yield measured(
            "estimated_accuracy",
            "accuracy estimated without right answers",
            partial(each.estimate, name),
            better=Better.CONTEXT,
            part={**part, "estimate": name},
        )
    if each.refused is not None:
        yield each.refused
    yield from _errors(each)


def _loss(each: Comparison, name: str) -> Estimate:
    """The loss that an estimate tells of, unless right answers refute the estimate: nothing is decided by it then.

    Raises:
        UnmeasurableError: where it is refuted, or no interval can be given.
    """
    error = each.estimation_error(name) if each.truth_known else None
    if error is None or error.low <= 0 <= error.high:
        return each.loss(name)
    way = "high" if error.value > 0 else "low"
    raise UnmeasurableError(
        SkipReason.UNDEFINED,
        f"The right answers of these texts show the estimate to be {100 * abs(error.value):.1f} points too {way}, "
        "more than chance explains; shift.performance measures the loss.",
    )


def _errors(each: Comparison) -> Iterator[Measurement | Skip]:
    """The truth and the distance of each estimate from it, where right answers are known."""
    part = each.other.domain.slice
    if not each.truth_known:
        yield Skip(
            reason=SkipReason.NO_GOLD if not each.other.known.any() else SkipReason.TOO_FEW,
            detail=f"Whether the estimates are right cannot be said: {each.missing}.",
            enable=f"label {FEW} or more of these items, of every class",
            name="estimation_error",
            slice=part,
        )
        return
    yield accuracy(each.other[each.other.known])
    for name in each.estimators:
        yield measured(
            "estimation_error",
            "estimated minus true accuracy",
            partial(each.estimation_error, name),
            better=Better.CONTEXT,
            unit=Unit.DIFFERENCE,
            part={**part, "estimate": name},
        )


def accuracy(items: Answered) -> Measurement | Skip:
    """Share of right answers among items whose right answer is known."""
    return measured(
        "true_accuracy",
        "accuracy against the right answers",
        lambda: share(items.quality == 1.0, clusters=items.domain.clusters),
        better=Better.CONTEXT,
        part=items.domain.slice,
    )


def curve(known: Sequence[Comparison], trust: Mapping[str, Trust]) -> Iterator[Curve]:
    """The trusted estimate against the truth, one point a domain."""
    points = []
    for each in known:
        name = each.other.name
        try:
            y = each.estimate(trust[name].estimator)
        except UnmeasurableError:
            continue  # said by the measurement of the same number
        points.append(Point(x=each.truth, y=y, label=name))
    if points:
        yield Curve(
            name="estimated_against_true",
            title="Accuracy estimated without right answers, against the truth",
            x_title="true accuracy",
            y_title="estimated accuracy",
            unit=Unit.PROPORTION,
            points=tuple(sorted(points, key=lambda point: (point.x, point.label))),
            reference="diagonal",
            connected=False,
        )
