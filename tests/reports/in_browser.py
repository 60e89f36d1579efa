"""What tests of pages in a browser share; the fixtures are in `conftest.py`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
IN_BROWSER = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path")]
"""Marks of tests that need a browser."""

SWITCHED_OFF = (
    "AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay", "MediaRouter",
    "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch", "TcpPortRandomizationWin",
    "ThirdPartyStoragePartitioning",
    "WebUIOmniboxAimPopup", "WebUIOmniboxPopup",
)  # fmt: skip
"""Parts of Chromium: those that Playwright switches off, for the last such argument counts alone, and the popups of an
address bar that is never seen, for which every context would start a process."""

LOOKS = {"light": {"color_scheme": "light"}, "dark": {"color_scheme": "dark"}, "forced": {"forced_colors": "active"}}
OPEN = "document.querySelectorAll('details').forEach((part) => { part.open = true; })"

COLOURS = """(() => {
  const colour = axe.commons.color.Color.prototype, parse = colour.parseString, known = new Map();
  colour.parseString = function (text) {
    if (!known.has(text)) {
      parse.call(this, text);
      known.set(text, {r: this.r, g: this.g, b: this.b, alpha: this.alpha});
    }
    return Object.assign(this, known.get(text));
  };
})();"""
"""Behind the script of axe: it reads the same few colours again for every background of every word."""

Visit = Callable[..., Any]

MOST_WAITING = 2
"""Tabs with the same options that are kept: no test looks at more of them at once."""


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser of its own; skips where playwright or Chromium is not installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no chromium on the path")
    with playwright.sync_playwright() as engine:
        off = f"--disable-features={','.join(SWITCHED_OFF)}"
        found = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", off])
        yield found
        found.close()


class Tabs:
    """Tabs of a browser by the options of their contexts, opened once and used again by one test after the other: most
    of what a visit costs is the process that a new context starts.
    """

    def __init__(self, browser: Any, aside: Path) -> None:
        self.browser = browser
        self.aside = aside
        """A page of nothing, where a tab waits."""
        self.waiting: dict[str, list[Any]] = {}
        self.used: list[tuple[str, Any]] = []

    def opened(self, path: Path, *, unfolded: bool = False, alone: bool = False, **options: Any) -> Any:
        """A tab in which the file has just been opened, in a context that no other test uses where it is `alone`; it
        keeps what it complained about and what it asked for.
        """
        key = "" if alone else repr(sorted(options.items()))
        waiting = self.waiting.get(key)
        page = waiting.pop() if waiting and not alone else self._new(options)
        self.used.append((key, page))
        page.said.clear()
        page.asked.clear()
        page.goto(path.as_uri())
        if unfolded:
            page.evaluate(OPEN)
        return page

    def _new(self, options: dict[str, Any]) -> Any:
        page = self.browser.new_context(**options).new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("dialog", lambda dialog: (page.said.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: page.asked.append(request.url))
        return page

    def leave(self) -> None:
        """Take back what a test was given, as it was before."""
        for key, page in self.used:
            if not key or len(self.waiting.setdefault(key, [])) == MOST_WAITING:
                page.context.close()
                continue
            page.goto(self.aside.as_uri())
            page.emulate_media(media="null")
            page.context.clear_permissions()
            self.waiting[key].append(page)
        self.used.clear()


def violations(page: Any) -> str:
    """What axe finds wrong with a page as it is shown; "" where it finds nothing."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    plain = axe.Axe().axe_script
    found = axe.Axe(f"{plain}\n{COLOURS}").run(page)
    return str(found.generate_report()) if found.violations_count else ""
