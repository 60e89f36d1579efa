"""Which curves share a chart, how their lines are told apart, and that single ones are as they were."""

from __future__ import annotations

import itertools
import re

import pytest

from probes.core.records import Curve, Point, Unit
from reports import render
from reports.curves import curve_charts
from reports.limits import Limits
from reports.lines import LABEL_LINE
from tests.reports import synthetic_run as synthetic
from tests.reports.synthetic_run import plain, ranking_curves
from tests.reports.test_render import Page

THREE = {"attribution": 1.1, "random": 0.3, "second_method": 0.95}


def charts(curves):
    made, note = curve_charts(curves, key="c", limits=Limits())
    assert note == ""
    return made


def curve(top=1.0, **part):
    points = tuple(Point(x=x, y=plain(top * x, 0.01)) for x in (1, 2, 3))
    return Curve(name="c", title="t", x_title="x", y_title="y", unit=Unit.SCORE, points=points, slice=part)


def test_curves_that_differ_in_one_setting_share_a_chart_with_a_name_and_a_style_each():
    (made,) = charts(ranking_curves(THREE))
    assert made.several
    assert [series.label.name for series in made.series] == ["attribution", "random", "second method"]
    assert [series.style for series in made.series] == [0, 1, 2]
    assert made.title == "Loss of score as words are taken out"
    assert made.diagonal is None


def test_the_lines_share_their_axes():
    (made,) = charts(ranking_curves(THREE))
    last = {series.label.name: float(series.points[-1].y) for series in made.series}
    assert last["attribution"] < last["second method"] < last["random"], "higher numbers are drawn further up"
    firsts = [float(series.points[0].x) for series in made.series]
    assert max(firsts) - min(firsts) <= 6, "moved aside by no more than a whisker"
    assert len(set(firsts)) == 3


def test_one_table_holds_all_of_them_side_by_side():
    (made,) = charts(ranking_curves(THREE))
    assert made.head == ("Share of words taken out", "Ranking", "Loss of score", "Interval", "Items")
    assert [row[:2] for row in made.rows[:4]] == [
        ("1%", "attribution"), ("1%", "random"), ("1%", "second method"), ("5%", "attribution"),
    ]  # fmt: skip
    assert len(made.rows) == 15
    assert all(len(row) == len(made.head) for row in made.rows)


def test_the_takeaway_names_every_line():
    (made,) = charts([curve(1.0, ranking="random"), curve(2.0, ranking="second_method")])
    assert made.takeaway == "Y. Random: 1.00 at x 1, 3.00 at x 3; second method: 2.00 at x 1, 6.00 at x 3."


def test_the_takeaway_of_a_single_point_says_it_once():
    (made,) = charts([curve().model_copy(update={"points": curve().points[:1]})])
    assert made.takeaway == "Y: 1.00 at x 1."


@pytest.mark.parametrize(
    "curves",
    [
        [curve(a="1"), curve(b="1")],
        [curve(a="1", b="1"), curve(a="2", b="2")],
        [curve(), curve(a="1")],
        [curve(a="1"), curve(a="1")],
        [curve(a=str(k)) for k in range(5)],
        [curve(a="1"), curve(a="2").model_copy(update={"title": "other"})],
        [curve(a="1"), curve(a="2").model_copy(update={"unit": Unit.PROPORTION})],
        [curve(a=k).model_copy(update={"reference": "diagonal", "unit": Unit.PROPORTION}) for k in "12"],
    ],
    ids=["other keys", "two settings", "the whole", "twice the same", "too many", "title", "unit", "reliability"],
)
def test_other_curves_stay_apart(curves):
    made = charts([c.model_copy(update={"points": tuple(p for p in c.points if p.x < 2)}) for c in curves])
    assert len(made) == len(curves)
    assert not any(chart.several for chart in made)


def test_a_shared_setting_stands_in_the_title():
    (made,) = charts([curve(ranking="a", label="spam"), curve(ranking="b", label="spam")])
    assert made.title == "t (label spam)"


def test_curves_in_one_chart_have_one_kind_of_axis():
    near, far = (curve(r=name).model_copy(update={"logarithmic": True}) for name in "ab")
    zero = near.model_copy(update={"points": (near.points[0].model_copy(update={"x": 0}), *near.points[1:])})
    (made,) = charts([near, far])
    assert made.x_title == "x (logarithmic)"
    (linear,) = charts([zero, far])
    assert linear.x_title == "x"
    assert len({series.points[1].y for series in linear.series}) == 1
    xs = [[float(point.x) for point in series.points[1:]] for series in linear.series]
    assert xs[0] == pytest.approx([x - 3 for x in xs[1]], abs=0.2)


def test_labels_never_cover_one_another_and_stay_in_the_picture():
    (made,) = charts([curve(1.0, r="a"), curve(1.0, r="b"), curve(1.001, r="c"), curve(0.999, r="d" * 40)])
    heights = sorted(float(series.label.y) for series in made.series)
    assert all(after - before >= LABEL_LINE - 0.2 for before, after in itertools.pairwise(heights))
    assert heights[0] >= 12
    assert heights[-1] <= 196.1
    assert made.series[3].label.name == "d" * 21 + "…"
    (low,) = charts([curve(0.0, r="a"), curve(0.0, r="b"), curve(-9.0, r="c")])
    assert max(float(series.label.y) for series in low.series) <= 196.1


def test_a_single_curve_has_no_name_and_keeps_its_band():
    (made,) = charts([curve(a="1")])
    assert not made.several
    assert made.series[0].label is None
    assert made.title == "t (a 1)"
    assert (made.width, made.right, made.middle) == (360, 340, "193")


def test_the_page_draws_three_lines_in_one_picture(tmp_path):
    html = render(synthetic.explained(tmp_path)).decode("utf-8")
    (figure,) = re.findall(r'<figure class="curve several">.*?</figure>', html, re.DOTALL)
    assert figure.count('<polyline class="line"') == 3
    assert figure.count('class="band"') == 0
    assert [figure.count(f'<use href="#p-{style}"') for style in range(4)] == [6, 6, 6, 0]
    assert re.findall(r'<text class="series"[^>]*>([^<]+)<', figure) == ["attribution", "random", "second method"]
    assert figure.count("<table>") == 1
    assert "Bars: intervals." in Page(figure).words


def test_a_page_of_single_curves_has_bands_and_circles_as_before(tmp_path):
    html = render(synthetic.rich(tmp_path, perturbations=1)).decode("utf-8")
    for figure in re.findall(r'<figure class="curve">.*?</figure>', html, re.DOTALL):
        assert figure.count('<polygon class="band"') == 1
        assert 'viewBox="0 0 360 240"' in figure
        assert "Band: interval." in figure
        assert set(re.findall(r'href="#(p-\d)"', figure)) <= {"p-0"}


def test_every_one_of_a_few_named_points_is_told_and_in_the_table():
    stages = ("output layer", "upper half", "all layers")
    points = [Point(x=x, y=plain(0.4 - 0.1 * x, 0.1), label=label) for x, label in enumerate(stages)]
    named = curve().model_copy(update={"points": tuple(points), "y_title": "rank correlation with the explanation"})
    (made,) = charts([named])
    assert made.takeaway.endswith(": 0.40 at output layer, 0.30 at upper half, 0.20 at all layers.")
    assert [row[:2] for row in made.rows] == list(zip(stages, ("0.40", "0.30", "0.20"), strict=True))
    assert made.head[1] == "Value"


def test_charts_left_out_are_told():
    made, note = curve_charts([curve(a=str(k), b=str(k)) for k in range(13)], key="c", limits=Limits())
    assert len(made) == 10
    assert note.startswith("Shortened: 10 of 13 charts are shown here.")


def test_curves_share_charts_before_any_is_left_out():
    words = [curve(a=str(k)).model_copy(update={"title": "words"}) for k in range(13)]
    made, note = curve_charts([*(curve(a=str(k)) for k in range(13)), *words], key="c", limits=Limits())
    assert note == ""
    assert [chart.title for chart in made] == ["t"] * 4 + ["words"] * 4
    assert [len(chart.series) for chart in made[:4]] == [4, 3, 3, 3]
    assert [series.label.name for chart in made[:4] for series in chart.series] == [str(k) for k in range(13)]


@pytest.mark.parametrize(
    ("title", "told"), [("severity", "1.00 at severity 1"), ("queries an item", "1.00 at 1 (queries an item)")]
)
def test_a_place_is_told_with_what_it_is_of(title, told):
    (made,) = charts([curve().model_copy(update={"x_title": title})])
    assert f": {told}, " in made.takeaway


def test_a_share_in_percent_is_told_as_such():
    (made,) = charts([curve().model_copy(update={"x_title": "share of the words removed, in percent"})])
    assert made.takeaway == "Y: 1.00 at 1% (share of the words removed), 3.00 at 3% (share of the words removed)."


def test_the_data_of_every_line_stand_in_a_folded_table_beside_it(tmp_path):
    for name in ("explained", "rich"):
        html = render(synthetic.SITUATIONS[name](tmp_path / name)).decode("utf-8")
        figures = re.findall(r'<figure class="curve.*?</figure>', html, re.DOTALL)
        assert figures
        for figure in figures:
            (table,) = re.findall(r'<details class="data"><summary>Data of this chart</summary>.*?</details>', figure,
                                  re.DOTALL)  # fmt: skip
            drawn = max(figure.count('class="whisker"'), 1)
            assert table.count("<tr>") - 1 >= drawn


def test_kinds_are_not_joined_by_a_line():
    (made,) = charts([curve(2.0).model_copy(update={"connected": False})])
    assert (made.series[0].line, made.series[0].band) == ("", "")
    assert made.whiskers
    assert len(made.series[0].points) == 3
    assert made.takeaway == "Y: 2.00 at x 1, 6.00 at x 3."
