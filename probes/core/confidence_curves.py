"""Confidence drawn against being right, and errors against how many answers are left to people."""

from __future__ import annotations

import numpy as np

from probes.core.confidence import Decisions, bin_of, equal_width, most_confident
from probes.core.measuring import share
from probes.core.records import Curve, Point, Unit

COVERAGES = tuple(tenth / 10 for tenth in range(1, 11))


def reliability(decisions: Decisions, *, bins: int) -> Curve:
    """Share of right answers against mean confidence in bins of equal width; empty bins have no point."""
    columns = bin_of(decisions.confidence, equal_width(bins))
    points = []
    for column in np.unique(columns):
        members = columns == column
        y = share(decisions.correct, among=members, clusters=decisions.clusters)
        points.append(Point(x=float(decisions.confidence[members].mean()), y=y))
    return Curve(
        name="reliability",
        title="How often answers are right, by how sure the model is",
        x_title="confidence",
        y_title="share of right answers",
        unit=Unit.PROPORTION,
        points=tuple(points),
        reference="diagonal",
    )


def risk_coverage(decisions: Decisions) -> Curve:
    """Error rate of the answers kept when only the surest are, by the share kept."""
    points = {}
    for coverage in COVERAGES:
        kept = most_confident(decisions.confidence, coverage=coverage)
        points[float(kept.mean())] = share(~decisions.correct, among=kept, clusters=decisions.clusters)
    return Curve(
        name="risk_coverage",
        title="Errors that remain when unsure answers are left to people",
        x_title="share of items answered",
        y_title="share of wrong answers among them",
        unit=Unit.PROPORTION,
        points=tuple(Point(x=x, y=y) for x, y in points.items()),
    )
