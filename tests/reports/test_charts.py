"""Geometry of the charts."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.core.records import Curve, Estimate, Point, Unit
from reports.charts import (
    PLOT_LEFT,
    PLOT_RIGHT,
    Plotted,
    Scale,
    Tick,
    at,
    bar_chart,
    interval_plot,
    legible,
    nice_step,
)
from reports.lines import line_chart


def estimate(value, half=0.02):
    return Estimate(value=value, low=value - half, high=value + half, n=50, clusters=50, method="test")


def plot(*rows, unit=Unit.PROPORTION):
    return interval_plot(rows, key="k", title="t", takeaway="w", unit=unit, note="")


def test_a_scale_is_linear_and_holds_its_ends():
    scale = Scale(0, 10, 100, 200)
    assert [scale(0), scale(5), scale(10), scale(99), scale(-1)] == [100, 150, 200, 200, 100]


@pytest.mark.parametrize(("position", "text"), [(1.0, "1"), (0.04, "0"), (-0.04, "0"), (12.345, "12.3"), (10, "10")])
def test_positions_are_short(position, text):
    assert at(position) == text


def test_an_interval_lies_where_its_numbers_say():
    made = plot(Plotted(label="a", value="", kind="pass", estimate=estimate(0.5, 0.25), maximum=1.0))
    row = made.rows[0]
    left, x, right = float(row.left), float(row.x), float(row.right)
    assert PLOT_LEFT <= left < x < right <= PLOT_RIGHT
    assert x - left == pytest.approx(right - x, abs=0.2)


@pytest.mark.parametrize(("side", "start"), [("minimum", PLOT_LEFT), ("maximum", None)])
def test_the_side_that_is_not_accepted_is_hatched(side, start):
    row = plot(Plotted(label="a", value="", kind="fail", estimate=estimate(0.4, 0.3), **{side: 0.5})).rows[0]
    (x, width), limit = row.bad[0], float(row.limits[0])
    if start is not None:
        assert (float(x), float(x) + float(width)) == pytest.approx((start, limit), abs=0.2)
    else:
        assert (float(x), float(x) + float(width)) == pytest.approx((limit, PLOT_RIGHT), abs=0.2)


@given(st.floats(1e-6, 1e6), st.integers(2, 8))
def test_steps_are_round_and_few(span, most):
    step = nice_step(span, most)
    assert span / step <= most + 1e-6
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - nice) for nice in (1, 2, 5, 10)) < 1e-6


def test_ticks_are_inside_and_named_by_unit():
    shares = plot(Plotted(label="a", value="", kind="pass", estimate=estimate(0.9), minimum=0.8))
    points = plot(
        Plotted(label="a", value="", kind="pass", estimate=estimate(-0.1), minimum=-0.2), unit=Unit.DIFFERENCE
    )
    assert all(PLOT_LEFT <= float(tick.at) <= PLOT_RIGHT for tick in (*shares.ticks, *points.ticks))
    assert all(tick.text.endswith("%") for tick in shares.ticks)
    assert all(tick.text.endswith(" pp") for tick in points.ticks)
    assert 2 <= len(shares.ticks) <= 7


def curve(points, **changes):
    fields = {"name": "c", "title": "t", "x_title": "x", "y_title": "y", "unit": Unit.PROPORTION, "points": points}
    return Curve(**(fields | changes))


def test_a_reliability_diagram_is_square_with_its_diagonal():
    made = line_chart(
        curve((Point(x=0.5, y=estimate(0.5)),), reference="diagonal"), key="k", takeaway="", cells=lambda i: ("",)
    )
    x1, y1, x2, y2 = map(float, made.diagonal)
    assert (float(made.series[0].points[0].x), float(made.series[0].points[0].y)) == pytest.approx(
        ((x1 + x2) / 2, (y1 + y2) / 2)
    )


@pytest.mark.parametrize(
    ("label", "lines"),
    [
        ("Accuracy", ["Accuracy"]),
        (
            "Rank correlation with the explanation of a network with random weights",
            ["Rank correlation with the explanation", "of a network with random weights"],
        ),
        ("word " * 30, ["word word word word word word word", "word word word word word word word…"]),
    ],
)
def test_a_long_label_is_wrapped_and_stays_in_its_row(label, lines):
    row = plot(Plotted(label=label, value="", kind="pass", estimate=estimate(0.5))).rows[0]
    assert [line for line, _ in row.label] == lines
    assert all(abs(float(height) - float(row.y)) < 12 for _, height in row.label)


def test_a_curve_rises_when_its_numbers_do_and_ticks_use_labels():
    points = tuple(Point(x=k, y=estimate(0.1 * k), label="unchanged text" if k == 0 else None) for k in range(1, 4))
    made = line_chart(curve(points), key="k", takeaway="", cells=lambda i: ("",))
    ys = [float(point.y) for point in made.series[0].points]
    assert ys == sorted(ys, reverse=True)
    assert [tick.text for tick in made.x_ticks] == ["1", "2", "3"]


def labels(made):
    """(left, right) of each label on the horizontal axis, in a font as wide as DejaVu Sans."""
    return [(float(t.at) - 3.3 * len(t.text), float(t.at) + 3.3 * len(t.text)) for t in made.x_ticks]


def test_labels_of_places_that_lie_close_give_way_to_one_another():
    points = tuple(Point(x=x, y=estimate(0.5)) for x in (5, 10, 20, 50, 100, 200, 500))
    made = line_chart(curve(points), key="k", takeaway="", cells=lambda i: ("",))
    assert [tick.text for tick in made.x_ticks] == ["5", "50", "100", "200", "500"]
    assert all(after[0] - before[1] > 4 for before, after in itertools.pairwise(labels(made)))
    assert len(made.series[0].points) == 7, "the points themselves stay"


def test_places_that_grow_by_a_factor_are_as_far_apart_on_a_logarithmic_axis():
    points = tuple(Point(x=10**k, y=estimate(0.5)) for k in range(5))
    made = line_chart(curve(points, logarithmic=True), key="k", takeaway="", cells=lambda i: ("",))
    xs = [float(point.x) for point in made.series[0].points]
    assert [after - before for before, after in itertools.pairwise(xs)] == pytest.approx([xs[1] - xs[0]] * 4, abs=0.2)
    assert [tick.text for tick in made.x_ticks] == ["1", "10", "100", "1000", "10000"]
    assert made.x_title == "x (logarithmic)"
    many = tuple(Point(x=1.5**k, y=estimate(0.5)) for k in range(20))
    crowded = line_chart(curve(many, logarithmic=True), key="k", takeaway="", cells=lambda i: ("",))
    assert 3 < len(crowded.x_ticks) < 20
    assert all(after[0] - before[1] > 4 for before, after in itertools.pairwise(labels(crowded)))


def test_zero_has_no_place_on_a_logarithmic_axis_so_it_is_linear():
    points = tuple(Point(x=x, y=estimate(0.5)) for x in (0, 5, 10))
    made = line_chart(curve(points, logarithmic=True), key="k", takeaway="", cells=lambda i: ("",))
    assert made.x_ticks == line_chart(curve(points), key="k", takeaway="", cells=lambda i: ("",)).x_ticks


def test_labels_stay_in_the_picture_and_in_order():
    names = ("a", "b" * 30, "c")
    points = tuple(Point(x=x, y=estimate(0.5), label=name) for x, name in zip((2, 3, 1), names, strict=True))
    made = line_chart(curve(points, connected=False), key="k", takeaway="", cells=lambda i: ("",))
    assert [tick.text for tick in made.x_ticks] == ["c", "b" * 30]
    assert all(left >= 0 and right <= made.width for left, right in labels(made))


def test_one_label_is_always_there():
    made = legible([Tick("5", "x" * 100)], width=360)
    assert [tick.text for tick in made] == ["x" * 100]
    assert legible([], width=360) == ()


def test_bars_share_a_scale_from_zero():
    made = bar_chart([("a", 100), ("b", 50), ("c", 0)], key="k", title="t", takeaway="w")
    assert [float(bar.width) for bar in made.bars] == [210, 105, 0]
    assert bar_chart([("a", 0)], key="k", title="t", takeaway="w").bars[0].width == "0"
