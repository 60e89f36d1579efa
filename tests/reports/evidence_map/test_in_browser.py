"""The evidence map in a browser: folded on screen, opened by a link to it, whole on paper."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from reports import write_report
from tests.reports import synthetic_run as synthetic

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path"),
]
SEEN = "() => [...document.querySelectorAll('.map tbody tr')].map((row) => row.checkVisibility())"


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator[Any]:
    path = write_report(synthetic.passing(tmp_path_factory.mktemp("run")))
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page()
        opened.goto(path.as_uri())
        yield opened
        browser.close()


def test_it_is_folded_on_screen_and_a_link_opens_one_map(page):
    assert set(page.evaluate(SEEN)) == {False}
    page.click("#evidence-map a[href='#map-eu-ai-act']")
    page.wait_for_function("document.querySelector('#map-eu-ai-act > details').open")
    assert page.evaluate("document.querySelectorAll('.map > details[open]').length") == 1
    assert sum(page.evaluate(SEEN)) > 30


def test_every_row_is_on_paper(page):
    page.emulate_media(media="print")
    seen = page.evaluate(SEEN)
    assert len(seen) > 200
    assert all(seen)
    page.emulate_media(media="screen")
