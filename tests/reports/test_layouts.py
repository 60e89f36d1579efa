"""The report as a folder: style and script apart, for hosts that allow neither within a page."""

from __future__ import annotations

import functools
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from probes.core.run_folder import RunFolder
from reports import render, write_report
from reports.render import FOLDER, INDEX, SCRIPT, STYLE, render_dir, report_path
from tests.reports import synthetic_run as synthetic
from tests.reports.test_masking import offensive_run
from tests.reports.test_render import Page

ROOT = Path(__file__).resolve().parents[2]
JENKINS = "sandbox; default-src 'none'; img-src 'self'; style-src 'self';"
"""What Jenkins sends with archived HTML unless its administrator says otherwise (DirectoryBrowserSupport.CSP)."""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> RunFolder:
    return synthetic.rich(tmp_path_factory.mktemp("rich") / "run", perturbations=2)


def test_the_folder_holds_a_page_its_style_and_its_script(run):
    files = render_dir(run)
    assert set(files) == {INDEX, STYLE, SCRIPT} == {"index.html", "report.css", "report.js"}
    page = Page(files[INDEX].decode("utf-8"))
    assert page.all("style") == []
    assert page.all("link") == [{"rel": "stylesheet", "href": "report.css"}]
    assert page.all("script") == [{"src": "report.js"}]
    assert "".join(page.raw["script"]) == ""
    assert not [name for _, a in page.tags for name in a if name == "style" or name.startswith("on")]
    (policy,) = [m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'; style-src 'self' file:; script-src 'self' file:;" in policy
    assert "unsafe" not in policy


def test_both_layouts_say_the_same(run):
    single, apart = Page(render(run).decode("utf-8")), render_dir(run)
    page = Page(apart[INDEX].decode("utf-8"))
    footer = "This page loads nothing but the style sheet and the script beside it"
    assert page.words.replace(footer, "This file loads nothing from anywhere") == single.words
    assert "".join(single.raw["style"]) == apart[STYLE].decode("utf-8")
    assert "".join(single.raw["script"]) == apart[SCRIPT].decode("utf-8")


def test_a_folder_is_masked_and_unmasked_like_a_file(tmp_path):
    folder = offensive_run(tmp_path / "run")
    assert "shit is late" not in Page(render_dir(folder)[INDEX].decode("utf-8")).words
    assert "shit is late" in Page(render_dir(folder, unmask=True)[INDEX].decode("utf-8")).words


def test_another_process_in_another_place_gives_the_same_bytes(run, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(run.path, moved)
    again = (
        "import hashlib, json, sys\nfrom pathlib import Path\nfrom probes.core.run_folder import RunFolder\n"
        "from reports.render import render_dir\n"
        "files = render_dir(RunFolder(Path(sys.argv[1])))\n"
        "print(json.dumps({name: content.decode() for name, content in files.items()}))"
    )
    told = subprocess.run(
        [sys.executable, "-c", again, str(moved)], check=True, capture_output=True, text=True, cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
    ).stdout  # fmt: skip
    assert json.loads(told) == {name: content.decode() for name, content in render_dir(run).items()}


def test_each_layout_is_written_where_it_is_said_to_be(tmp_path):
    run = synthetic.passing(tmp_path / "run")
    assert write_report(run, layout="dir") == report_path(run, "dir") == run.path / FOLDER / INDEX
    assert not run.report_path.exists()
    assert {p.name: p.read_bytes() for p in (run.path / FOLDER).iterdir()} == render_dir(run)
    assert write_report(run) == report_path(run, "single") == run.report_path


def test_no_layout_is_left_behind_when_the_verdict_changes(tmp_path):
    run = synthetic.passing(tmp_path / "run")
    write_report(run, layout="dir")
    write_report(run, layout="single")
    verdict = json.loads(run.findings_path.read_text(encoding="utf-8"))
    told = "Judged anew, and otherwise."
    run.findings_path.write_text(json.dumps(verdict | {"sentence": told}), encoding="utf-8")
    for layout, other in (("single", report_path(run, "dir")), ("dir", run.report_path)):
        write_report(run, layout=layout, unmask=True)
        assert told in other.read_text(encoding="utf-8")


class Strict(http.server.SimpleHTTPRequestHandler):
    """Serves a folder as Jenkins does."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", JENKINS)
        super().end_headers()

    def log_message(self, *args: Any) -> None: ...


@pytest.fixture
def served(run) -> Iterator[str]:
    write_report(run, layout="dir")
    handler = functools.partial(Strict, directory=str(run.path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/{FOLDER}/{INDEX}"
        server.shutdown()
        thread.join()


def look(page: Any) -> dict[str, Any]:
    return dict(
        page.evaluate(
            """() => ({border: getComputedStyle(document.querySelector('.verdict')).borderLeftWidth,
                       paper: getComputedStyle(document.body).backgroundColor,
                       buttons: document.querySelectorAll('#tools button').length})"""
        )
    )


@pytest.mark.browser
def test_it_is_styled_and_readable_under_the_policy_of_jenkins(browser, served):
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served)
    assert look(page) == {"border": "8px", "paper": "rgb(253, 252, 249)", "buttons": 0}
    assert {re.sub(r".*/", "", url) for url in asked} <= {INDEX, STYLE, SCRIPT, "favicon.ico"}
    page.locator("#probe-performance-quality summary").first.click()
    assert page.locator("#probe-performance-quality").get_by_text("What a pass does not mean").is_visible()
    page.close()


@pytest.mark.browser
def test_opened_from_a_disk_it_is_styled_and_its_script_runs(browser, run):
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(write_report(run, layout="dir").as_uri())
    found = look(page)
    assert (found["border"], found["paper"]) == ("8px", "rgb(253, 252, 249)")
    assert found["buttons"] > 0
    assert said == []
    page.close()


@pytest.mark.browser
def test_a_single_file_would_not_be_styled_there(browser, served, run):
    """The reason for the layout: it fails if browsers stop enforcing the policy, and the tests above with it."""
    write_report(run)
    page = browser.new_page()
    page.goto(served.replace(f"{FOLDER}/{INDEX}", run.report_path.name))
    assert look(page)["border"] != "8px"
    page.close()
