"""What the probes of single perturbations publish alike: a curve over the severities, and the reason for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from probes.core.counts import plural
from probes.core.records import Curve, Estimate, Point, Skip, SkipReason, Unit


def nothing(changed: Sequence[int], *, name: str | None = None, part: dict[str, str] | None = None) -> Skip:
    """Why there is no number, told from the items that were changed at all."""
    detail = (
        f"The perturbation changed {plural(len(set(changed)), 'item')}, and none of the results could be used."
        if changed
        else "There is nothing in these texts that the perturbation changes."
    )
    return Skip(reason=SkipReason.NOTHING_PERTURBED, detail=detail, name=name, slice=part or {})


def severity_curve(name: str, title: str, y_title: str, estimates: Mapping[int, Estimate]) -> Curve:
    """A curve from severity to estimate, where 0 is the text as it is."""
    return Curve(
        name=name,
        title=title,
        x_title="severity",
        y_title=y_title,
        unit=Unit.PROPORTION,
        points=tuple(
            Point(x=severity, y=estimate, label=None if severity else "unchanged text")
            for severity, estimate in estimates.items()
        ),
    )
