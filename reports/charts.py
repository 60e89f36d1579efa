"""Geometry of the charts: scales, ticks and positions as final text. The drawing itself is SVG in the templates.

Every chart carries the sentence a reader should take from it (`takeaway`), which a screen reader gets instead.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from probes.core.records import Estimate, Unit
from reports.numbers import fixed

ROW = 24
"""Height of a row of an interval plot, in user units (about pixels)."""
LABEL_LENGTH, LABEL_LINES = 38, 2
"""Characters of a line of a row's label there is room for, and lines."""
LABEL_LEFT, PLOT_LEFT, PLOT_RIGHT, WIDTH = 4, 262, 668, 760
CHARACTER, BETWEEN = 6.6, 5.0
"""Width of a character of the label of a tick, in wide fonts, and what must be free between two labels."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map from numbers to positions."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Position of a value; values outside the domain land on its edge."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def at(self, value: float) -> str:
        """Position as text, to a tenth of a unit."""
        return at(self(value))


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled position on an axis."""

    at: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotRow:
    """One estimate: `x` the dot, `left` and `right` the interval, `limits` the thresholds, `bad` the spans beyond.

    `label` holds its lines, each with its height.
    """

    label: tuple[tuple[str, str], ...]
    value: str
    kind: str
    y: str
    text_y: str
    band_y: str
    x: str
    left: str
    right: str
    limits: tuple[str, ...]
    bad: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalPlot:
    """Estimates with their intervals against thresholds, one row each."""

    id: str
    title: str
    takeaway: str
    height: int
    axis_y: str
    labels_y: str
    rows: tuple[PlotRow, ...]
    ticks: tuple[Tick, ...]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar."""

    label: str
    value: str
    width: str
    y: str
    text_y: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """Counts as horizontal bars."""

    id: str
    title: str
    takeaway: str
    height: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plotted:
    """What an interval plot needs of one estimate."""

    label: str
    value: str
    kind: str
    estimate: Estimate
    minimum: float | None = None
    maximum: float | None = None


def at(position: float) -> str:
    """A position as text, to a tenth of a unit, without a negative zero or a trailing ".0"."""
    text = f"{position:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def interval_plot(
    rows: Sequence[Plotted], *, key: str, title: str, takeaway: str, unit: Unit, note: str
) -> IntervalPlot:
    """Lay out one row for each estimate on a common axis."""
    scale = domain([x for row in rows for x in _extent(row)], unit, start=PLOT_LEFT, end=PLOT_RIGHT)
    bottom = 14 + ROW * len(rows)
    return IntervalPlot(
        id=key,
        title=title,
        takeaway=takeaway,
        height=bottom + 34,
        axis_y=at(bottom),
        labels_y=at(bottom + 18),
        rows=tuple(_plot_row(row, index, scale) for index, row in enumerate(rows)),
        ticks=legible(ticks(scale, unit), width=WIDTH),
        note=note,
    )


def _extent(row: Plotted) -> list[float]:
    bounds = (row.estimate.low, row.estimate.high, row.minimum, row.maximum)
    return [bound for bound in bounds if bound is not None]


def _plot_row(row: Plotted, index: int, scale: Scale) -> PlotRow:
    middle = 14 + ROW * index + ROW / 2
    bad = []
    if row.minimum is not None:
        bad.append((scale.at(scale.low), at(scale(row.minimum) - scale.start)))
    if row.maximum is not None:
        bad.append((scale.at(row.maximum), at(scale.end - scale(row.maximum))))
    return PlotRow(
        label=_label(row.label, middle),
        value=row.value,
        kind=row.kind,
        y=at(middle),
        text_y=at(middle + 4),
        band_y=at(middle - ROW / 2 + 2),
        x=scale.at(row.estimate.value),
        left=scale.at(row.estimate.low),
        right=scale.at(row.estimate.high),
        limits=tuple(scale.at(limit) for limit in (row.minimum, row.maximum) if limit is not None),
        bad=tuple(bad),
    )


def _label(label: str, middle: float) -> tuple[tuple[str, str], ...]:
    """The label in lines around the middle of its row; what does not fit ends in an ellipsis."""
    lines = textwrap.wrap(label, LABEL_LENGTH, max_lines=LABEL_LINES, placeholder="…")
    heights = (middle + 4,) if len(lines) < 2 else (middle - 2, middle + 9)
    return tuple((line, at(height)) for line, height in zip(lines, heights, strict=False))


def bar_chart(values: Sequence[tuple[str, int]], *, key: str, title: str, takeaway: str) -> BarChart:
    """Lay out counts as bars that share one scale from zero."""
    most = max(1, *(value for _, value in values))
    return BarChart(
        id=key,
        title=title,
        takeaway=takeaway,
        height=22 * len(values) + 4,
        bars=tuple(
            Bar(label=label, value=f"{value:,}", width=at(210 * value / most), y=at(22 * i + 4), text_y=at(22 * i + 16))
            for i, (label, value) in enumerate(values)
        ),
    )


def domain(values: Sequence[float], unit: Unit, *, start: float, end: float) -> Scale:
    """A domain that holds all values, from zero where zero is near, and within 0 to 1 for proportions."""
    low, high = min(values), max(values)
    spread = (high - low) or abs(high) or 1.0
    if 0 < low < 0.5 * high:
        low = 0.0
    low = low if low == 0 else low - 0.06 * spread
    high = high + 0.06 * spread
    if unit is Unit.PROPORTION:
        low, high = max(low, 0.0), min(high, 1.0)
    return Scale(low, high if high > low else low + 1.0, start, end)


def ticks(scale: Scale, unit: Unit, *, most: int = 6) -> tuple[Tick, ...]:
    """At most `most` round numbers of the domain and one more, named in the unit."""
    factor = 1 if unit is Unit.SCORE else 100
    suffix = {Unit.PROPORTION: "%", Unit.DIFFERENCE: " pp", Unit.SCORE: ""}[unit]
    step = nice_step(factor * (scale.high - scale.low), most)
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    first = math.ceil(factor * scale.low / step - 1e-9)
    last = math.floor(factor * scale.high / step + 1e-9)
    return tuple(
        Tick(scale.at(k * step / factor), fixed(k * step, places, sign=unit is Unit.DIFFERENCE) + suffix)
        for k in range(first, last + 1)
    )


def legible(marks: Sequence[Tick], *, width: float) -> tuple[Tick, ...]:
    """Ticks of a horizontal axis, from left to right, without labels that run into others or out of the picture.

    The ends stay, because they say what the axis holds; of the others each that has room after those before it. A label
    at the edge of a picture of this width moves inwards.
    """
    inside = sorted((_inside(mark, width) for mark in marks), key=lambda mark: float(mark.at))
    kept = inside[:1]
    for mark in inside[1:-1]:
        if _apart(kept[-1], mark) and _apart(mark, inside[-1]):
            kept.append(mark)
    if len(inside) > 1 and _apart(kept[-1], inside[-1]):
        kept.append(inside[-1])
    return tuple(kept)


def _inside(mark: Tick, width: float) -> Tick:
    half = _half(mark)
    return Tick(at(min(max(float(mark.at), half), max(half, width - half))), mark.text)


def _apart(left: Tick, right: Tick) -> bool:
    return float(right.at) - float(left.at) >= _half(left) + _half(right) + BETWEEN


def _half(mark: Tick) -> float:
    """Half of the width of a label."""
    return CHARACTER * len(mark.text) / 2


def nice_step(span: float, most: int) -> float:
    """The smallest of 1, 2, 5 x 10^k that divides `span` into at most `most` intervals."""
    power = 10.0 ** math.floor(math.log10(span / most))
    return next(factor * power for factor in (1, 2, 5, 10) if span / (factor * power) <= most + 1e-9)
