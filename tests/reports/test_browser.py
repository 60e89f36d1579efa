"""The report in a browser: accessible, narrow, dark, without scripts, offline, and on paper."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reports import write_report
from tests.reports import synthetic_run as synthetic
from tests.reports.test_masking import offensive_run

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as engine:
        found = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    made: dict[str, Path] = {}
    made["short"] = write_report(synthetic.rich(tmp_path_factory.mktemp("short"), perturbations=2))
    for name in ("rich", "passing", "unjudged", "explained", "hostile", "crowded"):
        made[name] = write_report(synthetic.SITUATIONS[name](tmp_path_factory.mktemp(name)))
    return made


@pytest.fixture
def visit(browser) -> Iterator[Any]:
    """Opens a file; the page keeps what it complained about and what it asked the network for."""
    contexts = []

    def opened(path: Path, **options: Any) -> Any:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("dialog", lambda dialog: (page.said.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["short", "passing", "unjudged", "explained"])
def test_axe_finds_nothing(visit, files, name, scheme):
    page = visit(files[name], color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", ["rich", "hostile"])
def test_nothing_is_asked_for_and_nothing_is_said(visit, files, name):
    page = visit(files[name])
    assert page.asked == [files[name].as_uri()]
    assert page.said == []


@pytest.mark.parametrize("name", ["rich", "unjudged", "explained", "hostile"])
def test_a_narrow_window_needs_no_sideways_scrolling(visit, files, name):
    page = visit(files[name], viewport={"width": 320, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_what_scrolls_has_a_name_takes_the_focus_and_shows_that_it_scrolls(visit, files):
    for options in ({}, {"color_scheme": "dark"}, {"forced_colors": "active"}):
        page = visit(files["rich"], viewport={"width": 320, "height": 800}, **options)
        page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
        areas = page.evaluate(
            """() => [...document.querySelectorAll('*')]
                 .filter((e) => getComputedStyle(e).overflowX === 'auto' && e.scrollWidth > e.clientWidth + 1)
                 .map((e) => ({name: e.getAttribute('aria-label'), role: e.getAttribute('role'), focus: e.tabIndex,
                               shadows: getComputedStyle(e).backgroundImage.split('linear-gradient').length - 1,
                               said: getComputedStyle(e, '::before').content}))"""
        )
        assert len(areas) > 10
        for area in areas:
            assert area["name"]
            assert (area["role"], area["focus"]) == ("group", 0)
            if options.get("forced_colors"):
                assert "scroll sideways" in area["said"]
            else:
                assert area["shadows"] == 4


def test_captions_of_wide_tables_stay_on_a_narrow_screen(visit, files):
    page = visit(files["rich"], viewport={"width": 320, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    widths = page.evaluate(
        """() => [...document.querySelectorAll('caption span')]
             .map((e) => e.getBoundingClientRect().right).filter((x) => x > 0)"""
    )
    assert widths
    assert max(widths) <= 320


def test_everything_is_there_without_scripts(visit, files):
    page = visit(files["rich"], java_script_enabled=False)
    text = page.content()
    assert "F-001" in text
    assert page.locator("#tools button").count() == 0
    page.locator("#probe-performance-quality summary").first.click()
    assert page.locator("#probe-performance-quality").get_by_text("What a pass does not mean").is_visible()


def test_dark_and_light_differ_on_screen_only(visit, files):
    def paper(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light, dark = visit(files["passing"], color_scheme="light"), visit(files["passing"], color_scheme="dark")
    assert paper(light) != paper(dark)
    dark.emulate_media(media="print", color_scheme="dark")
    assert paper(dark) == "rgb(255, 255, 255)"


def test_status_filters_hide_rows_but_not_on_paper(visit, files):
    page = visit(files["rich"])
    rows = page.locator("#results-robustness table[data-filter] tbody tr[data-kind=pass]")
    assert rows.first.is_visible()
    button = page.locator("#results-robustness .filter button", has_text="Pass")
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert not rows.first.is_visible()
    page.emulate_media(media="print")
    assert rows.first.is_visible()


def test_buttons_open_and_close_all_chapters(visit, files):
    page = visit(files["rich"])
    page.get_by_role("button", name="Open all chapters").click()
    assert page.locator("main details:not([open])").count() == 0
    page.get_by_role("button", name="Close all").click()
    assert page.locator("main details[open]").count() == 0


def test_following_a_finding_opens_its_chapter(visit, files):
    page = visit(files["rich"])
    page.locator("#f-001 a", has_text="Chapter").click()
    # The script answers the change of address, which comes after the click has returned.
    page.locator("#probe-robustness-worst-case > details[open]").wait_for(state="attached", timeout=5000)


def test_the_contents_open_the_word_lists(visit, files):
    page = visit(files["rich"])
    assert not page.get_by_text("Latoya; Latasha").is_visible()
    page.locator("nav a", has_text="Words and names used").click()
    page.get_by_text("Latoya; Latasha").wait_for(state="visible", timeout=5000)


def test_targets_are_large_enough(visit, files):
    page = visit(files["rich"])
    small = page.evaluate(
        """() => [...document.querySelectorAll('nav a, button, summary, .headlines a, .badges a')]
             .map((e) => e.getBoundingClientRect())
             .filter((box) => box.width > 0 && (box.width < 24 || box.height < 24)).length"""
    )
    assert small == 0


def test_even_a_crowded_first_page_fits_on_paper(visit, files, tmp_path):
    sheets = sheets_of(visit(files["crowded"]), tmp_path / "report.pdf")
    assert "Model audit report".upper() in sheets[0].upper()
    assert "Not legal advice." in sheets[0]
    assert "Every check that was made" in sheets[1]


def sheets_of(page: Any, printed: Path) -> list[str]:
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("pdftotext is not installed")
    page.pdf(path=printed, prefer_css_page_size=True, print_background=True)
    return subprocess.run([reader, "-layout", printed, "-"], capture_output=True, text=True, check=True).stdout.split(
        "\f"
    )


@pytest.mark.parametrize("scripts", [True, False])
def test_paper_holds_the_first_page_whole_and_what_was_collapsed(visit, files, tmp_path, scripts):
    sheets = sheets_of(visit(files["rich"], java_script_enabled=scripts), tmp_path / "report.pdf")
    first = " ".join(sheets[0].split())
    assert "What the reviewer must do" in first
    assert "Not legal advice." in first
    assert "Results" in sheets[1]
    assert f"Page 1 of {len(sheets) - 1}" in first
    assert "ticket-classifier-20261120-1a2b3c" in sheets[5]
    whole = " ".join(" ".join(sheets).split())
    for collapsed in (
        "Thresholds for the release of the ticket classifier",
        "⟨U+200B⟩",
        "--only robustness.web_address",
        "Latoya; Latasha",
    ):
        assert collapsed in whole
    assert 20 < len(sheets) < 150


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_case_under_a_content_note_opens_by_keyboard_and_is_printed_only_when_opened(visit, tmp_path, scripts):
    path = write_report(offensive_run(tmp_path / "run"))
    page = visit(path, java_script_enabled=scripts)
    paper = " ".join(" ".join(sheets_of(page, tmp_path / "closed.pdf")).split())
    assert paper.count("This s∗∗∗ is late.") == 1, "the case without a note, and not the other"
    assert "The texts are in the HTML report and in the run folder" in paper
    assert "Show the texts." not in paper
    page.emulate_media(media="screen")
    note = page.locator(".sensitive > summary")
    texts = page.locator(".sensitive blockquote")
    assert not texts.first.is_visible()
    note.press("Enter")
    assert texts.first.is_visible()
    opened = " ".join(" ".join(sheets_of(page, tmp_path / "open.pdf")).split())
    assert opened.count("This s∗∗∗ is late.") == 2


def test_shaded_words_tell_their_direction_by_lines_where_colours_are_forced_and_on_paper(visit, files):
    def lines(page, name):
        return page.evaluate(f"getComputedStyle(document.querySelector('#chapters .{name}')).textDecorationStyle")

    for page in (visit(files["explained"], forced_colors="active"), visit(files["explained"], color_scheme="dark")):
        assert (lines(page, "to4"), lines(page, "off2")) == ("solid", "dashed")
        page.emulate_media(media="print")
        assert (lines(page, "to4"), lines(page, "off2")) == ("solid", "dashed")


def test_paper_holds_the_words_by_weight_but_those_under_a_content_note(visit, files, tmp_path):
    paper = " ".join(" ".join(sheets_of(visit(files["explained"]), tmp_path / "report.pdf")).split())
    assert "Text: words by weight" in paper
    assert "refubd" in paper
    assert "father" not in paper
    assert "Not causal, and not a reason that may be given to a person" in paper
