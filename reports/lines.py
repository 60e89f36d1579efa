"""Line charts: one curve with its band, or a few on common axes with a name, a dash and a marker each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from probes.core.records import Curve, Point, Unit
from reports.charts import Scale, Tick, at, domain, legible, ticks
from reports.numbers import capital

LINE_LEFT, ALONE_WIDTH, ALONE_RIGHT, SEVERAL_WIDTH, SEVERAL_RIGHT = 46, 360, 340, 480, 308
"""Where the plot of a line chart begins; width and end of the plot with one line, and with several."""
LABEL_LINE, LABEL_LENGTH = 15, 22
"""Height of the label of a line, and how many characters of it there is room for."""
DODGE = 3.0
_WHISKERS = 12
"""More points than this have no bar each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartPoint:
    """A point of a line chart with its interval."""

    x: str
    y: str
    low: str
    high: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndLabel:
    """The name of a line beside its end, after a piece of the line (`left` to `right`) with its marker (`x`)."""

    name: str
    left: str
    x: str
    right: str
    y: str
    text_x: str
    text_y: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line of a chart; of points that are apart, `line` and `band` are empty.

    `style` (0 to 3) is its dash and its marker; `label` is there where there are several.
    """

    points: tuple[ChartPoint, ...]
    line: str
    band: str
    style: int = 0
    label: EndLabel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChart:
    """One curve with its band, or several without. `diagonal` is the line of perfect agreement where there is one.

    Attributes:
        width, middle, right: of the picture, and where the plot has its middle and its end; beyond it stand the labels
            of several lines.
        head, rows: the table beside it.
    """

    id: str
    title: str
    takeaway: str
    x_title: str
    y_title: str
    width: int
    middle: str
    right: int
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    series: tuple[Series, ...]
    whiskers: bool
    diagonal: tuple[str, str, str, str] | None
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]

    @property
    def several(self) -> bool:
        """Are there lines to be told apart."""
        return len(self.series) > 1


def line_chart(curve: Curve, *, key: str, takeaway: str, cells: Callable[[int], tuple[str, ...]]) -> LineChart:
    """Lay out a curve; `cells(i)` are the texts of the i-th row of its table."""
    square = curve.reference == "diagonal"
    x_scale, y_scale = _scales([curve], right=ALONE_RIGHT)
    points = _points(curve, x_scale, y_scale)
    return LineChart(
        id=key,
        title=curve.title,
        takeaway=takeaway,
        x_title=_axis_title(curve),
        y_title=curve.y_title,
        width=ALONE_WIDTH,
        middle=at((LINE_LEFT + ALONE_RIGHT) / 2),
        right=ALONE_RIGHT,
        head=(capital(curve.x_title), value_heading(curve), "Interval", "Items"),
        rows=tuple(cells(index) for index in range(len(points))),
        series=(_series(points, connected=curve.connected),),
        whiskers=len(points) <= _WHISKERS or not curve.connected,
        diagonal=(x_scale.at(0), y_scale.at(0), x_scale.at(1), y_scale.at(1)) if square else None,
        x_ticks=legible(_curve_ticks(curve, x_scale, square), width=ALONE_WIDTH),
        y_ticks=ticks(y_scale, curve.unit, most=5),
    )


def series_chart(
    curves: Mapping[str, Curve],
    *,
    key: str,
    title: str,
    setting: str,
    takeaway: str,
    cells: Callable[[Curve, Point], tuple[str, ...]],
) -> LineChart:
    """Lay out up to four curves on common axes, each with a name, a dash and a marker of its own.

    Args:
        curves: name -> curve.
        setting: what the names are values of ("Ranking").
        cells: the texts of one row of the table: where, value, interval, items.
    """
    every = _merged(list(curves.values()))
    curves = {name: curve.model_copy(update={"logarithmic": _logarithmic(every)}) for name, curve in curves.items()}
    one = next(iter(curves.values()))
    x_scale, y_scale = _scales(list(curves.values()), right=SEVERAL_RIGHT)
    drawn = [
        _series(
            _points(curve, x_scale, y_scale, aside=DODGE * (place - (len(curves) - 1) / 2)),
            connected=curve.connected,
            style=place,
        )
        for place, curve in enumerate(curves.values())
    ]
    heights = _apart([float(series.points[-1].y) for series in drawn])
    return LineChart(
        id=key,
        title=title,
        takeaway=takeaway,
        x_title=_axis_title(one),
        y_title=one.y_title,
        width=SEVERAL_WIDTH,
        middle=at((LINE_LEFT + SEVERAL_RIGHT) / 2),
        right=SEVERAL_RIGHT,
        head=(capital(one.x_title), setting, value_heading(one), "Interval", "Items"),
        rows=_side_by_side(curves, cells),
        series=tuple(
            replace(series, label=_end_label(name, height))
            for name, series, height in zip(curves, drawn, heights, strict=True)
        ),
        whiskers=not one.connected or all(len(series.points) <= _WHISKERS for series in drawn),
        diagonal=None,
        x_ticks=legible(_curve_ticks(every, x_scale, square=False), width=SEVERAL_WIDTH),
        y_ticks=ticks(y_scale, one.unit, most=5),
    )


def value_heading(curve: Curve) -> str:
    """What the values are called above their column; the note of the chart says what a longer name is short for."""
    return capital(curve.y_title) if len(curve.y_title) <= LABEL_LENGTH else "Value"


def _scales(curves: Sequence[Curve], *, right: int) -> tuple[Scale, Scale]:
    if curves[0].reference == "diagonal":
        return Scale(0, 1, LINE_LEFT, right), Scale(0, 1, 196, 12)
    points = [point for curve in curves for point in curve.points]
    ends = [end for point in points for end in (point.y.low, point.y.high)]
    places = [_place(curve, point.x) for curve in curves for point in curve.points]
    return _padded(places, start=LINE_LEFT, end=right), domain(ends, curves[0].unit, start=196, end=12)


def _place(curve: Curve, x: float) -> float:
    """Where a value lies on the horizontal axis, before it is scaled to the picture."""
    return math.log10(x) if _logarithmic(curve) else x


def _axis_title(curve: Curve) -> str:
    return f"{curve.x_title} (logarithmic)" if _logarithmic(curve) else curve.x_title


def _logarithmic(curve: Curve) -> bool:
    return curve.logarithmic and all(point.x > 0 for point in curve.points)


def _points(curve: Curve, x_scale: Scale, y_scale: Scale, *, aside: float = 0.0) -> tuple[ChartPoint, ...]:
    """Positions; `aside` moves all of them a little, so that intervals at one place do not hide one another."""
    return tuple(
        ChartPoint(
            x=at(x_scale(_place(curve, point.x)) + aside),
            y=y_scale.at(point.y.value),
            low=y_scale.at(point.y.low),
            high=y_scale.at(point.y.high),
        )
        for point in curve.points
    )


def _series(points: tuple[ChartPoint, ...], *, connected: bool, style: int = 0) -> Series:
    if not connected:
        return Series(points=points, line="", band="", style=style)
    outline = [f"{p.x},{p.high}" for p in points] + [f"{p.x},{p.low}" for p in reversed(points)]
    return Series(points=points, line=" ".join(f"{p.x},{p.y}" for p in points), band=" ".join(outline), style=style)


def _merged(curves: Sequence[Curve]) -> Curve:
    """One curve with a point at each place of any of them, for the ticks below."""
    places = {point.x: point for curve in curves for point in curve.points}
    return curves[0].model_copy(update={"points": tuple(places[x] for x in sorted(places))})


def _side_by_side(
    curves: Mapping[str, Curve], cells: Callable[[Curve, Point], tuple[str, ...]]
) -> tuple[tuple[str, ...], ...]:
    """Rows by place, and at each place the curves in their order: what is compared stands together."""
    found = [(point.x, name, cells(curve, point)) for name, curve in curves.items() for point in curve.points]
    ordered = sorted(found, key=lambda row: row[0])
    return tuple((texts[0], name, *texts[1:]) for _, name, texts in ordered)


def _apart(heights: Sequence[float]) -> list[float]:
    """Heights of labels, moved so far that none covers another, and all stay in the picture."""
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    placed = list(heights)
    lowest = 12.0
    for place in order:
        placed[place] = lowest = max(lowest, placed[place])
        lowest += LABEL_LINE
    highest = 196.0
    for place in reversed(order):
        placed[place] = highest = min(highest, placed[place])
        highest -= LABEL_LINE
    return placed


def _end_label(name: str, height: float) -> EndLabel:
    return EndLabel(
        name=name if len(name) <= LABEL_LENGTH else f"{name[: LABEL_LENGTH - 1]}…",
        left=at(SEVERAL_RIGHT + 8),
        x=at(SEVERAL_RIGHT + 20),
        right=at(SEVERAL_RIGHT + 32),
        y=at(height),
        text_x=at(SEVERAL_RIGHT + 38),
        text_y=at(height + 4),
    )


def x_is_share(curve: Curve) -> bool:
    """Is the horizontal axis a share (confidence, coverage), to be labelled in percent."""
    xs = [point.x for point in curve.points]
    return min(xs) >= 0 and max(xs) <= 1 and any(x != int(x) for x in xs)


def _curve_ticks(curve: Curve, scale: Scale, square: bool) -> tuple[Tick, ...]:
    few = len(curve.points) <= 8 and not x_is_share(curve) and not square
    if few or _logarithmic(curve):
        return tuple(Tick(scale.at(_place(curve, point.x)), point.label or f"{point.x:g}") for point in curve.points)
    unit = Unit.PROPORTION if x_is_share(curve) else Unit.SCORE
    return ticks(scale, unit, most=5)


def _padded(values: Sequence[float], *, start: float, end: float) -> Scale:
    low, high = min(values), max(values)
    pad = 0.04 * (high - low) or 0.5
    return Scale(low - pad, high + pad, start, end)
