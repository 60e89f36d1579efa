"""The evidence map in a browser: folded on screen, opened by a link to it, whole on paper."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reports.in_browser import IN_BROWSER

pytestmark = IN_BROWSER
SEEN = "() => [...document.querySelectorAll('.map tbody tr')].map((row) => row.checkVisibility())"


@pytest.fixture
def page(visit, files) -> Any:
    return visit(files["passing"])


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
