"""The pages beside the reports in a browser: accessible, narrow, dark, offline, and on paper."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes.core.findings import Status
from probes.core.records import Better, Unit
from probes.core.side_by_side import Reading, Standing
from reports.index import write_index
from reports.side_by_side import render_side_by_side
from tests.reports import synthetic_run as synthetic
from tests.reports.in_browser import IN_BROWSER, violations
from tests.reports.synthetic_run import HOSTILE, plain, share
from tests.reports.test_index import dated, judged
from tests.reports.test_side_by_side import found, number, run, value

pytestmark = IN_BROWSER


def comparison(name: str = "quality.accuracy"):
    """Three runs with a number of every standing, the third of them on other data."""
    shown = {
        Standing.WORSE: Reading.WORSE,
        Standing.STATUS_WORSE: Reading.UNCLEAR,
        Standing.BETTER: Reading.BETTER,
        Standing.UNCLEAR: Reading.UNCLEAR,
        Standing.NEITHER: Reading.NEITHER,
    }
    numbers = []
    for k, standing in enumerate(Standing):
        later = value("B", status=list(Status)[k % 7], unpaired="this number is not kept item by item")
        if standing in shown:
            later = value("B", difference=plain(0.01 * k - 0.04, 0.02), reading=shown[standing])
        if standing is Standing.NOT_IN_ALL:
            later = value("B", estimate=None, absent="The run did not plan this test. " * 9)
        values = (value("A"), later, value("C", status=None, level=None, unpaired="measured on other data"))
        better = (Better.HIGHER, Better.LOWER)[k % 2]
        numbers.append(number(f"{name}[k={k}]", standing=standing, values=values, better=better, unit=Unit.PROPORTION))
    return found(*numbers, runs=(run("A"), run("B", exit_code=1), run("C", exit_code=None, same_data=False)))


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("pages")
    for name, compared in (("compare", comparison()), ("hostile compare", comparison(HOSTILE + "A" * 3000))):
        (root / f"{name}.html").write_bytes(render_side_by_side(compared))
    for k in range(9):
        other = {"data": {"fingerprint": "f" * 64}} if k > 5 else {}
        judged(root / "runs" / f"r{k}", right=250 + 5 * k, created=f"2026-01-0{k + 1}T00:00:00Z", **other)
    (root / "runs" / "broken").mkdir()
    (root / "runs" / "broken" / "manifest.json").write_text("{", encoding="utf-8")
    for k in range(2):
        dated(synthetic.hostile(root / "hostile" / str(k)), f"2026-01-0{k + 1}T00:00:00Z")
    made = {name: root / f"{name}.html" for name in ("compare", "hostile compare")}
    made["index"] = write_index(root / "runs", out=root / "index.html")
    made["hostile index"] = write_index(root / "hostile", out=root / "hostile index.html")
    return made


PAGES = ("compare", "index", "hostile compare", "hostile index")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(visit, files, name, scheme):
    assert violations(visit(files[name], unfolded=True, color_scheme=scheme)) == ""


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_asked_for_and_a_narrow_window_needs_no_sideways_scrolling(visit, files, name):
    page = visit(files[name], unfolded=True, alone=True, viewport={"width": 320, "height": 800})
    assert page.asked == [files[name].as_uri()]
    assert page.said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("name", ["compare", "index"])
def test_dark_and_light_differ_on_screen_only_and_links_are_large_enough(visit, files, name):
    light, dark = (visit(files[name], unfolded=True, color_scheme=scheme) for scheme in ("light", "dark"))
    papers = [page.evaluate("getComputedStyle(document.body).backgroundColor") for page in (light, dark)]
    assert papers[0] != papers[1]
    dark.emulate_media(media="print", color_scheme="dark")
    assert dark.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    small = light.evaluate(
        """() => [...document.querySelectorAll('nav a, summary, .listed a')].map((e) => e.getBoundingClientRect())
             .filter((box) => box.width > 0 && (box.width < 24 || box.height < 24)).length"""
    )
    assert small == 0


def test_what_is_folded_is_on_paper(visit, files):
    page = visit(files["compare"], java_script_enabled=True)
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = false; })")
    folded = page.get_by_text("quality.accuracy[k=5]")
    assert not folded.first.is_visible()
    page.emulate_media(media="print")
    assert folded.first.is_visible()


def test_each_course_is_drawn_and_its_numbers_stand_beside_it(visit, files):
    page = visit(files["index"], unfolded=True)
    row = page.locator("#trends tbody tr").first
    box = row.locator("svg").bounding_box()
    assert box["width"] > 100
    assert row.locator("svg use").count() == 8
    assert row.locator("td.n").count() == 8
    assert f"{share(290, 300).value:.1%}" in row.inner_text()
