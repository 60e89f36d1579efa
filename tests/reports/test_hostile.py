"""One run in which every text is an attack, and everything that is ever made of a run: nothing of it acts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

from audits.console import Terminal
from probes.core.run_folder import RunFolder
from reports import render
from reports.formats import FORMATS
from reports.load import Loaded, load
from reports.pdf import page_on_paper, typeset
from reports.redacted import without_personal
from reports.render import INDEX, SCRIPT, STYLE, render_dir, template_folder
from tests.reports import synthetic_run as synthetic
from tests.reports.test_pdf import installed, objects_of
from tests.reports.test_render import Page

ATTACK = (
    "=cmd|'/c calc'!A0</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)></style>{{7*7}}"
    "\r\n::error::owned\n::set-output name=verdict::passed\u202egnp.exe\u2066\u200b\x1b[31m\x1b]8;;http://evil.example\x07"
    "\x00]]>&amp;--></code></summary></details>`| @everyone ${{ secrets.TOKEN }}\ud800"
)
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> RunFolder:
    with pytest.MonkeyPatch.context() as patch:
        # A lone surrogate cannot be written to a file; what reads data replaces it.
        patch.setattr(synthetic, "HOSTILE", ATTACK.replace("\ud800", "\ufffd"))
        # One evidence map stands for all: their texts are ours, and on paper they are most of the pages.
        return synthetic.with_one_map(synthetic.hostile(tmp_path_factory.mktemp("hostile") / "run"))


def check_page(text: str, *, scripts: int = 1) -> Page:
    page = Page(text)
    assert len(page.all("script")) == scripts
    assert not {"img", "iframe", "object", "embed", "base", "form", "meta-refresh"} & {tag for tag, _ in page.tags}
    assert not [name for _, a in page.tags for name in a if name.startswith("on") or name in ("style", "srcset")]
    assert all((a.get("href") or "#").startswith("#") for tag, a in page.tags if tag != "link")
    assert "alert(" not in "".join(page.raw["style"] + page.raw["script"])
    assert "{{7*7}}" in page.words
    assert "evil.example" not in "".join(str(a) for _, a in page.tags if "href" in a)
    return page


def single(run: RunFolder) -> str:
    text = render(run).decode("utf-8")
    check_page(text)
    return text


@cache
def apart(run: RunFolder) -> Mapping[str, bytes]:
    """The folder of page, style and script, rendered once for the tests of each of them."""
    return render_dir(run)


@cache
def public(run: RunFolder) -> Loaded:
    """What all formats are made of."""
    return without_personal(load(run))


def index(run: RunFolder) -> str:
    text = apart(run)[INDEX].decode("utf-8")
    assert check_page(text).all("script") == [{"src": SCRIPT}]
    return text


def style(run: RunFolder) -> str:
    text = apart(run)[STYLE].decode("utf-8")
    header = re.search(r'@top-left \{ content: "([^"]*)"', text)
    assert header is not None
    assert re.fullmatch(r"[A-Za-z0-9._ -]*", header[1])
    assert "alert" not in text.replace(header[1], "")
    assert "evil" not in text.replace(header[1], "")
    return text


def script(run: RunFolder) -> str:
    text = apart(run)[SCRIPT].decode("utf-8")
    assert text.strip() == (template_folder() / SCRIPT).read_text(encoding="utf-8").strip()
    return text


def paper(run: RunFolder) -> str:
    if told := installed():
        pytest.skip(told)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reports.pdf.MOST_PAGE", 1)  # the shortest form: all kinds of content, few of each
        content = objects_of(typeset(page_on_paper(run), created=run.manifest().created))
    for action in (b"/JavaScript", b"/JS", b"/OpenAction", b"/AA", b"/Launch", b"/URI", b"/EmbeddedFile", b"/GoToR"):
        assert not re.search(action + rb"\b", content), action
    title = re.search(rb"/Title \(?<?.{0,80}", content)
    assert title is not None
    return ""


def terminal(run: RunFolder) -> str:
    from io import StringIO

    from rich.console import Console

    told = StringIO()
    screen = Terminal()
    screen.out = Console(file=told, force_terminal=True, highlight=False, width=160, color_system=None)
    screen.verdict(run.verdict(), report=run.report_path)
    screen.line(ATTACK)
    screen.table("", ["a"], [[ATTACK]])
    return told.getvalue()


def formatted(name: str) -> Callable[[RunFolder], str]:
    def made(run: RunFolder) -> str:
        return FORMATS[name].make(public(run)).decode("utf-8")

    return made


OUTPUTS: dict[str, Callable[[RunFolder], str]] = {
    "report.html": single,
    "report/index.html": index,
    "report/report.css": style,
    "report/report.js": script,
    "report.pdf": paper,
    "terminal": terminal,
    **{form.file: formatted(name) for name, form in FORMATS.items()},
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "report.pdf" else ()) for name in OUTPUTS]
)
def test_no_attack_acts(name, run):
    text = OUTPUTS[name](run)
    assert not UNSEEN.search(text), repr(text[UNSEEN.search(text).start() - 40 :][:80])
    assert len(text) < 5_000_000
    assert Path(name).suffix not in (".csv", ".tsv", ".xlsx"), "cells that begin with =, +, - or @ need a quote"
    if name.endswith((".json", ".sarif")):
        json.loads(text)
    if name.endswith(".xml"):
        ElementTree.fromstring(text)
    if name == "terminal" or name.endswith(".md"):
        assert not re.search(r"^\s*(::|##\[|##vso)", text, re.MULTILINE)
    if name == "annotations.txt":
        assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in text.splitlines())
    if name.endswith((".md", ".html", ".xml")):
        assert not re.search(r"<(script>alert|img)", text)
