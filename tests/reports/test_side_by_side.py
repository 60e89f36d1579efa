"""The page of several runs: complete, small, the same bytes, and nothing in it that runs or is fetched."""

from __future__ import annotations

import re

import pytest

from probes.core.findings import Level, Status
from probes.core.records import Better, Unit
from probes.core.side_by_side import (
    ComparedNumber,
    ComparedRun,
    Differing,
    Reading,
    SideBySide,
    Standing,
    Value,
    reading,
)
from reports.limits import Limits
from reports.side_by_side import by_chance, compared, render_side_by_side, summary, warnings
from tests.reports.synthetic_run import HOSTILE, plain, share
from tests.reports.test_render import BANNED, Page


def run(letter: str, **changes: object) -> ComparedRun:
    readings = dict.fromkeys((*Reading, "unpaired"), 0) if letter != "A" else {}
    fields: dict[str, object] = {
        "letter": letter, "run_id": f"tickets-{letter}", "created": "2026-11-20T11:40:03Z", "model_name": "tickets",
        "model": letter.lower() * 64, "data_name": "tickets.csv", "data": "d" * 64, "items": 300, "policy": "release 3",
        "policy_digest": "e" * 64, "exit_code": 0, "sentence": "Passed.", "same_data": True, "readings": readings,
    }  # fmt: skip
    return ComparedRun(**(fields | changes))


def value(letter: str, **changes: object) -> Value:
    estimate = {"estimate": share(240, 300), "status": Status.PASS, "level": Level.BLOCK, "minimum": 0.7}
    return Value(letter=letter, **(estimate | changes))


def number(name: str = "quality.accuracy", *, standing: Standing = Standing.WORSE, **changes: object) -> ComparedNumber:
    fields: dict[str, object] = {
        "standing": standing, "name": name, "probe": "quality", "risk": "performance",
        "title": "Quality: right answers",
        "better": Better.HIGHER, "unit": Unit.PROPORTION,
        "values": (value("A"), value("B", difference=plain(-0.05, 0.02), reading=Reading.WORSE)),
    }  # fmt: skip
    return ComparedNumber(**(fields | changes))


def found(*numbers: ComparedNumber, runs: tuple[ComparedRun, ...] = ()) -> SideBySide:
    return SideBySide(
        schema_version=4, runs=runs or (run("A"), run("B")),
        differing=(Differing(what="numpy", values=("2.1", "2.2")),), numbers=numbers,
    )  # fmt: skip


def html(comparison: SideBySide, **how: bool) -> str:
    return render_side_by_side(comparison, **how).decode("utf-8")


@pytest.mark.parametrize(
    ("difference", "better", "said"),
    [
        (plain(-0.05, 0.02), Better.HIGHER, Reading.WORSE),
        (plain(-0.05, 0.02), Better.LOWER, Reading.BETTER),
        (plain(0.05, 0.02), Better.LOWER, Reading.WORSE),
        (plain(0.05, 0.05), Better.LOWER, Reading.UNCLEAR),
        (plain(0.05, 0.02), Better.CONTEXT, Reading.NEITHER),
    ],
)
def test_a_difference_is_read_by_its_interval(difference, better, said):
    assert reading(difference, better) is said


def test_a_row_has_every_run_its_interval_its_size_and_what_is_shown():
    words = Page(html(found(number()))).words
    assert "Quality: right answers at least 70%, blocking quality.accuracy" in words
    assert "80.0% 75.1% to 84.1% n = 300 Pass" in words
    assert "−5.0 pp −7.0 to −3.0 pp n = 872 Worse" in words
    assert "Shown to be worse: 1 number" in words
    assert "numpy 2.1 2.2" in words


def test_thresholds_that_differ_are_told_for_each_run():
    values = (value("A"), value("B", minimum=0.9, level=Level.WARN, unpaired="for the test"))
    words = Page(html(found(number(values=values)))).words
    assert "A: at least 70%, blocking; B: at least 90%, warning" in words
    assert "for the test" in words


def test_runs_on_other_data_get_a_warning_and_no_column():
    comparison = found(
        number(values=(value("A"), value("B", unpaired="measured on other data than the baseline"))),
        runs=(run("A"), run("B", same_data=False, data="f" * 64)),
    )
    page = Page(html(comparison))
    assert "Not measured on the same items: B was measured on other data than A." in page.words
    assert "B − A" not in page.words.split("Not paired")[0]
    assert "The measured on other data" not in page.words
    assert "Measured on other data than the baseline" in page.words
    assert summary(comparison.runs[1]).startswith("B: no differences")
    assert by_chance(comparison) == ""


def test_other_policies_and_no_verdict_are_warnings():
    runs = (run("A"), run("B", policy_digest="f" * 64), run("C", exit_code=None, policy=""))
    told = list(warnings(found(number(), runs=runs)))
    assert told == [
        "Another policy than A's: B. Statuses are not comparable with A's; the numbers are.",
        "Not judged: C. There are numbers, and no statuses.",
    ]


def test_chance_is_said_in_numbers():
    readings = {Reading.WORSE: 10, Reading.BETTER: 30, Reading.UNCLEAR: 360, Reading.NEITHER: 50, "unpaired": 9}
    told = by_chance(found(runs=(run("A"), run("B", readings=readings))))
    assert "400 differences" in told
    assert "about 10 would" in told, "two and a half in a hundred"


def test_the_worse_side_of_zero_is_hatched():
    fewer = number("typos.flip_rate", better=Better.LOWER)
    (plot,) = compared(found(number(), fewer), limits=Limits()).plots
    higher, lower = plot.rows
    (bad,), (other,) = higher.bad, lower.bad
    assert float(bad[0]) < float(higher.limits[0]), "what must be high is worse below zero"
    assert other[0] == lower.limits[0], "what must be low is worse above it"


def test_folded_numbers_are_in_the_page_and_reach_paper():
    page = html(found(number(standing=Standing.UNCLEAR)))
    assert '<details id="numbers-no-difference-shown">' in page
    assert "quality.accuracy" in Page(page).words
    assert "details::details-content" in page


def test_the_same_comparison_gives_the_same_bytes_and_no_script():
    page = html(found(number()))
    assert page == html(found(number()))
    parsed = Page(page)
    assert not parsed.all("script")
    assert len(parsed.all("h1")) == 1
    for tag, attributes in parsed.tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "form")
        assert not any(name.startswith("on") or name in ("src", "style") for name in attributes)
        assert attributes.get("href", "#").startswith("#")
    assert not BANNED.search(parsed.words)


def test_hostile_names_stay_text():
    values = (value("A"), Value(letter="B", absent=HOSTILE), Value(letter="C", estimate=share(3, 9), unpaired=HOSTILE))
    runs = tuple(run(letter, run_id=HOSTILE, model_name=HOSTILE, data_name=HOSTILE, policy=HOSTILE) for letter in "ABC")
    bad = number(HOSTILE, title=HOSTILE, part={HOSTILE: HOSTILE}, probe=HOSTILE, values=values)
    comparison = found(bad, runs=runs).model_copy(
        update={"differing": (Differing(what=HOSTILE, values=(HOSTILE,) * 3),)}
    )
    page = Page(html(comparison))
    assert not page.all("script")
    assert not page.all("img")
    assert "<script>alert(1)</script>" in page.words
    assert "{{7*7}}" in page.words
    assert "⟨U+202E⟩" in page.words
    (style,) = page.raw["style"]
    assert "script" not in style.split("@page")[1].split("bottom-left")[0].replace("-script-alert-1---script-", "")
    assert not re.search(r"[\x00\x1b\u202e]", "".join(page.text))


def test_offensive_words_and_personal_data_are_masked_unless_asked_for():
    bad = number("quality.accuracy[group=jane@example.org]", part={"group": "jane@example.org"}, title="faggot")
    assert "jane@example.org" not in html(found(bad))
    assert "faggot" not in html(found(bad)).lower()
    assert "jane@example.org" in html(found(bad), unmask=True)
    assert "Faggot" in html(found(bad), unmask=True)


def test_ten_thousand_numbers_stay_small_and_say_so():
    many = [
        number(f"quality.accuracy[part={k}]", part={"part": str(k)}, title="right answers " * 9) for k in range(10_000)
    ]
    page = render_side_by_side(found(*many))
    assert len(page) < 5_000_000
    assert b"of 10,000 numbers are shown here." in page
    assert b"Shortened: 32 of 10,000 differences" in page


def test_a_comparison_of_nothing_says_so():
    words = Page(html(found().model_copy(update={"differing": ()}))).words
    assert "No run has a number or a check." in words
    assert "The same model, data, policy, settings and versions in all runs." in words
