"""The report in a browser: accessible, narrow, dark, without scripts, offline, and on paper."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reports import write_report
from tests.reports.conftest import ONE_MAP
from tests.reports.in_browser import IN_BROWSER, LOOKS, OPEN, violations
from tests.reports.test_masking import offensive_run

pytestmark = IN_BROWSER


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", ["short", *(f"{name}{ONE_MAP}" for name in ("passing", "unjudged", "explained"))])
def test_axe_finds_nothing(visit, files, name, look):
    """The evidence maps of all instruments are looked at in the first report; they would be most of each other one."""
    page = visit(files[name], **LOOKS[look])
    page.evaluate(OPEN)
    assert violations(page) == ""


def test_axe_finds_nothing_in_a_filtered_report_and_on_a_narrow_screen(visit, files):
    page = visit(files["short"], viewport={"width": 320, "height": 800})
    page.get_by_text("Search, filter, views").click()
    page.get_by_label("Status", exact=True).select_option(label="Fail")
    assert page.locator(".filtered:visible").count() > 0
    assert violations(page) == ""


@pytest.mark.parametrize("name", ["rich", "hostile"])
def test_nothing_is_asked_for_and_nothing_is_said(visit, files, name):
    page = visit(files[name], alone=True)
    assert page.asked == [files[name].as_uri()]
    assert page.said == []


@pytest.mark.parametrize("name", ["rich", "unjudged", "explained", "hostile"])
def test_a_narrow_window_needs_no_sideways_scrolling(visit, files, name):
    page = visit(files[name], viewport={"width": 320, "height": 800})
    page.evaluate(OPEN)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_what_scrolls_has_a_name_takes_the_focus_and_shows_that_it_scrolls(visit, files):
    for options in ({}, {"color_scheme": "dark"}, {"forced_colors": "active"}):
        page = visit(files["rich"], viewport={"width": 320, "height": 800}, **options)
        page.evaluate(OPEN)
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
    page.evaluate(OPEN)
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


def test_the_view_of_the_engineer_opens_everything_and_that_of_the_reviewer_is_the_first_one(visit, files):
    page = visit(files["rich"])
    reviewer, engineer = (page.get_by_role("button", name=name, exact=True) for name in ("Reviewer", "Engineer"))
    assert reviewer.get_attribute("aria-pressed") == "true"
    first = page.locator("main details[open]").count()
    assert 0 < first < 10
    engineer.click()
    assert page.locator("main details:not([open])").count() == 0
    assert (reviewer.get_attribute("aria-pressed"), engineer.get_attribute("aria-pressed")) == ("false", "true")
    reviewer.click()
    assert page.locator("main details[open]").count() == first


def test_the_view_of_the_engineer_leaves_texts_under_a_content_note_closed(visit, files):
    page = visit(files["explained"])
    page.get_by_role("button", name="Engineer", exact=True).click()
    assert page.locator("main details.sensitive").count() > 0
    assert page.locator("main details.sensitive[open]").count() == 0


SHOWN = {"findings": "[data-finding]:visible", "checks": "#results table[data-filter] tbody tr:visible",
         "chapters": ".chapter:visible"}  # fmt: skip


def shown(page):
    return {name: page.locator(selector).count() for name, selector in SHOWN.items()}


def test_search_shows_findings_checks_and_chapters_that_hold_all_the_words(visit, files):
    page = visit(files["rich"])
    whole = shown(page)
    assert whole == {"findings": 25, "checks": 68, "chapters": 36}
    page.get_by_label("Search findings and chapters").fill("NOTE) phone")
    found = shown(page)
    assert found["findings"] == 1
    assert page.locator("#f-004").is_visible()
    assert not page.locator("#f-001").is_visible()
    assert 0 < found["checks"] < 5
    assert page.get_by_role("status").text_content() == (
        f"Shown: 1 finding, {found['checks']} check{'s' if found['checks'] > 1 else ''}, {found['chapters']} chapter."
    )
    assert page.locator("#register .filtered").text_content().startswith("24 entries are hidden")
    page.get_by_label("Search findings and chapters").fill("no such words at all")
    assert shown(page) == {"findings": 0, "checks": 0, "chapters": 0}
    page.locator("#register").get_by_role("button", name="Show everything").click()
    assert shown(page) == whole
    assert page.get_by_label("Search findings and chapters").input_value() == ""
    assert page.locator(".filtered:visible").count() == 0


def test_status_and_risk_filter_together(visit, files):
    page = visit(files["rich"])
    page.get_by_label("Status", exact=True).select_option(label="Fail")
    failed = shown(page)
    assert failed["findings"] == 17
    assert set(page.locator("[data-finding]:visible .badge").all_text_contents()) == {"Fail"}
    page.get_by_label("Risk", exact=True).select_option(label="Performance")
    assert shown(page) == {"findings": 1, "checks": 1, "chapters": 1}
    assert not page.locator("#results-robustness").is_visible()
    page.get_by_label("Status", exact=True).select_option(label="All")
    assert shown(page) == {"findings": 2, "checks": 4, "chapters": 2}


def test_a_link_to_what_is_hidden_shows_it(visit, files):
    page = visit(files["rich"])
    page.get_by_label("Risk", exact=True).select_option(label="Bias")
    assert not page.locator("#f-001").is_visible()
    page.locator(".headlines a", has_text="F-001").click()
    page.locator("#f-001").wait_for(state="visible", timeout=5000)
    assert page.get_by_label("Risk", exact=True).input_value() == ""


def test_what_search_and_filters_hide_is_printed(visit, files):
    page = visit(files["rich"])
    page.get_by_label("Search findings and chapters").fill("phone note")
    page.emulate_media(media="print")
    assert shown(page) == {"findings": 25, "checks": 68, "chapters": 36}
    assert not page.locator("#register .filtered").is_visible()


def test_a_link_to_a_finding_is_copied(visit, files):
    page = visit(files["short"])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = page.locator("#f-002").get_by_role("button", name="Copy link")
    button.click()
    page.locator("#f-002").get_by_role("button", name="Link copied").wait_for(state="visible", timeout=5000)
    assert page.evaluate("navigator.clipboard.readText()") == files["short"].as_uri() + "#f-002"
    assert page.get_by_role("status").text_content() == "Link copied: F-002"


def test_without_a_clipboard_the_link_is_in_the_address_bar(visit, files):
    page = visit(files["short"])
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.locator("#f-002").get_by_role("button", name="Copy link").click()
    assert page.url.endswith("#f-002")
    assert page.locator("#f-002").get_by_role("button", name="Link is in the address bar").is_visible()


WALK = """() => {
  const wanted = [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
    .filter((node) => node.checkVisibility());
  wanted.forEach((node, place) => { node.dataset.place = place; });
  return wanted.length;
}"""
AT = """() => {
  const node = document.activeElement, box = node.getBoundingClientRect();
  const x = Math.min(Math.max(box.left + Math.min(box.width / 2, 40), 1), innerWidth - 2);
  const y = Math.min(Math.max(box.top + Math.min(box.height / 2, 12), 1), innerHeight - 2);
  const hit = document.elementFromPoint(x, y);
  const seen = hit !== null && (node.contains(hit) || hit.contains(node));
  const ring = getComputedStyle(node).outlineStyle !== 'none';
  return [node.dataset.place, seen, ring, node.outerHTML.slice(0, 90)];
}"""


@pytest.mark.parametrize("width", [1280, 320])
def test_the_tab_key_reaches_every_control_and_the_focus_is_seen(visit, files, width):
    page = visit(files["passing"], viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page.evaluate(OPEN)
    count = page.evaluate(WALK)
    reached, unseen = [], []
    for _ in range(count):
        page.keyboard.press("Tab")
        place, seen, ring, shown_as = page.evaluate(AT)
        reached.append(place)
        if not (seen and ring):
            unseen.append(shown_as)
    assert sorted(int(place) for place in reached if place) == list(range(count))
    assert unseen == []


def test_controls_work_by_keyboard(visit, files):
    page = visit(files["rich"])
    page.get_by_label("Search findings and chapters").focus()
    page.keyboard.type("phone note)")
    assert shown(page)["findings"] == 1
    page.get_by_role("button", name="Show everything").first.press("Enter")
    assert shown(page)["findings"] == 25
    page.get_by_role("button", name="Engineer", exact=True).press("Space")
    assert page.locator("main details:not([open])").count() == 0
    page.get_by_label("Status", exact=True).focus()
    page.keyboard.type("Fail")
    page.keyboard.press("Enter")
    assert shown(page)["findings"] == 17


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
        """() => [...document.querySelectorAll(
                'nav a, button, summary, input, select, .headlines a, .badges a, .entry h3 a, .kicker a, .waived a')]
             .map((e) => e.getBoundingClientRect())
             .filter((box) => box.width > 0 && (box.width < 24 || box.height < 24)).length"""
    )
    assert small == 0


def test_even_a_crowded_first_page_fits_on_paper(visit, files, tmp_path):
    sheets = sheets_of(visit(files["crowded"]), tmp_path / "report.pdf", which="1-2")
    assert "Model audit report".upper() in sheets[0].upper()
    assert "Not legal advice." in sheets[0]
    assert "Every check that was made" in sheets[1]


@pytest.mark.parametrize("name", ["rich", "crowded", "explained"])
def test_the_first_page_fits_whatever_the_fonts(visit, files, tmp_path, name):
    """Letters further apart stand for wider fonts; the report's own policy would not let a test set them."""
    page = visit(files[name], bypass_csp=True)
    page.add_style_tag(content="body * { letter-spacing: .05em; }")
    sheets = sheets_of(page, tmp_path / "report.pdf", which="1-2")
    assert "Not legal advice." in sheets[0]
    assert "Audit card" in sheets[1]


@pytest.mark.parametrize("name", ["rich", "explained", "hostile", "crowded"])
def test_nothing_is_wider_than_the_paper(visit, files, name):
    """What is wider makes the browser print everything smaller."""
    page = visit(files[name], viewport={"width": 680, "height": 1000})
    page.evaluate(OPEN)
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 680


TEXTS = """() => {
  const kinds = ['td', 'th', 'dd', 'dt', 'pre', 'blockquote', 'li', 'p'];
  const whole = (node) => !node.querySelector(kinds.join(', '));
  const printed = (node) => !node.closest('.sensitive, .filtered, #decision');
  return [...document.querySelectorAll(kinds.map((kind) => 'main ' + kind).join(', '))]
    .filter((node) => whole(node) && printed(node))
    .map((node) => {
      const copy = node.cloneNode(true);
      copy.querySelectorAll('button').forEach((button) => button.remove());
      return copy.textContent.replace(/\\s+/g, '');
    });
}"""
MARGINS = r"\f?Internal: model risk - .*|First-party automated test evidence\. Not indepen.*\.\s*\n|Page \d+ of \d+"


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_paper_holds_every_text_whether_it_was_folded_or_not(visit, files, tmp_path, scripts):
    """All below the first sheet, letter by letter."""
    texts = {text for text in visit(files["short"]).evaluate(TEXTS) if text}
    assert len(texts) > 500
    sheets = sheets_of(visit(files["short"], java_script_enabled=scripts), tmp_path / "report.pdf", order="-raw")
    paper = "".join(re.sub(MARGINS, "", "\f".join(sheets)).split())
    assert [text for text in texts if text not in paper] == []


def sheets_of(page: Any, printed: Path, *, order: str = "-layout", which: str = "") -> list[str]:
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("pdftotext is not installed")
    page.pdf(path=printed, prefer_css_page_size=True, print_background=True, page_ranges=which)
    return subprocess.run([reader, order, printed, "-"], capture_output=True, text=True, check=True).stdout.split("\f")


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
