"""Curves as charts: which of them share one, what a reader should take from each, and the table beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from probes.core.records import Curve, Point
from reports.limits import Limits, limited
from reports.lines import LineChart, line_chart, series_chart, x_is_share
from reports.numbers import capital, fixed, items, part_in_words, printed, value_in_words

_FEW = 4
"""So many named points are told one by one."""
MOST = 4
"""Lines in one chart: more cannot be told apart."""


def curve_charts(curves: Sequence[Curve], *, key: str, limits: Limits) -> tuple[tuple[LineChart, ...], str]:
    """A chart for each curve, or for several that differ in one setting only; and a note on those left out.

    More than `MOST` that differ so have a chart each, unless there are then more charts than may be shown.
    """
    drawn, room = [curve for curve in curves if curve.points], limits.cases * 2
    groups = _together(drawn)
    if len(groups) > room:
        groups = _together(drawn, crowded=True)
    shown, note = limited(groups, room, "charts")
    charts = (
        _one(group[0], f"{key}-{index}", limits) if len(group) == 1 else _several(group, f"{key}-{index}", limits)
        for index, group in enumerate(shown, start=1)
    )
    return tuple(charts), note


def _together(curves: Sequence[Curve], *, crowded: bool = False) -> list[list[Curve]]:
    """Curves that belong in one chart, each group at the place of its first; a large one in several if `crowded`."""
    alike: dict[tuple[object, ...], list[Curve]] = {}
    for curve in curves:
        kind = (
            curve.name,
            curve.title,
            curve.x_title,
            curve.y_title,
            curve.unit,
            curve.reference,
            curve.connected,
            curve.logarithmic,
            *sorted(curve.slice),
        )
        alike.setdefault(kind, []).append(curve)
    return [
        part
        for group in alike.values()
        for part in (_shares(group) if _comparable(group) and (crowded or len(group) <= MOST) else [[c] for c in group])
    ]


def _shares(curves: Sequence[Curve]) -> list[list[Curve]]:
    """Charts of at most `MOST` lines, of nearly the same number."""
    charts = -(-len(curves) // MOST)
    ends = [-(-len(curves) * number // charts) for number in range(charts + 1)]
    return [list(curves[start:end]) for start, end in pairwise(ends)]


def _comparable(curves: Sequence[Curve]) -> bool:
    different = _different(curves)
    distinct = len({tuple(sorted(curve.slice.items())) for curve in curves}) == len(curves)
    return len(different) == 1 and distinct and curves[0].reference == "none"


def _different(curves: Sequence[Curve]) -> list[str]:
    return [key for key in curves[0].slice if len({curve.slice[key] for curve in curves}) > 1]


def _one(curve: Curve, key: str, limits: Limits) -> LineChart:
    points = curve.points[: limits.rows]
    rows = [_cells(curve, point) for point in points]
    told = f"{capital(curve.y_title)}: {_ends(curve, points)}."
    titled = curve.model_copy(update={"points": points, "title": _titled(curve.title, curve.slice)})
    return line_chart(titled, key=key, takeaway=told, cells=lambda index: rows[index])


def _several(curves: Sequence[Curve], key: str, limits: Limits) -> LineChart:
    (setting,) = _different(curves)
    first = curves[0]
    named = {
        value_in_words(setting, curve.slice[setting]): curve.model_copy(update={"points": curve.points[: limits.rows]})
        for curve in curves
    }
    shared = {name: value for name, value in first.slice.items() if name != setting}
    told = "; ".join(f"{name}: {_ends(curve, curve.points)}" for name, curve in named.items())
    return series_chart(
        named,
        key=key,
        title=_titled(first.title, shared),
        setting=capital(setting.replace("_", " ")),
        takeaway=f"{capital(first.y_title)}. {capital(told)}.",
        cells=_cells,
    )


def _titled(title: str, part: Mapping[str, str]) -> str:
    said = part_in_words(part)
    return f"{title} ({said})" if said else title


def _cells(curve: Curve, point: Point) -> tuple[str, ...]:
    """Where, the value, its interval, and what it rests on."""
    figures = printed(point.y, curve.unit)
    return (point.label or _axis_value(curve, point.x), figures.value, figures.interval, items(point.y))


def _ends(curve: Curve, points: Sequence[Point]) -> str:
    """At both ends of the line; of points that are apart at the lowest and the highest; of a few named ones at all."""
    shown = list(points) if curve.connected else sorted(points, key=lambda point: point.y.value)
    if len(shown) > _FEW or not all(point.label for point in shown):
        shown = [shown[0], shown[-1]]
    cells = [_cells(curve, point) for point in shown]
    return ", ".join(dict.fromkeys(f"{value} at {_at(curve, place)}" for place, value, *_ in cells))


def _at(curve: Curve, place: str) -> str:
    """Where on the horizontal axis, in words: "severity 3", "unchanged text", "50 (queries an item)"."""
    axis, percent, _ = curve.x_title.partition(", in percent")
    if percent and place[:1].isdigit():
        return f"{place}% ({axis})"
    if not place[:1].isdigit():
        return place
    return f"{place} ({curve.x_title})" if " " in curve.x_title else f"{curve.x_title} {place}"


def _axis_value(curve: Curve, value: float) -> str:
    if x_is_share(curve):
        return f"{100 * value:.3g}%"
    return fixed(value, 0 if value == int(value) else 2 if abs(value) < 10 else 1)
