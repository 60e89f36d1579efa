"""The report as PDF/UA: tagged, complete, dated by the run, the same bytes, nothing fetched."""

from __future__ import annotations

import builtins
import hashlib
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from probes.core.errors import UsageError
from probes.core.run_folder import RunFolder
from reports import pdf, render
from reports.pdf import PDF, drawing_rules, page_on_paper, render_pdf, source_of, typeset, write_pdf
from tests.reports import synthetic_run as synthetic
from tests.reports.test_masking import offensive_run

ROOT = Path(__file__).resolve().parents[2]
READER = shutil.which("pdftotext")
CREATED = "2026-11-20T11:40:03Z"


def installed() -> str:
    """Why WeasyPrint cannot be used here; "" where it can."""
    try:
        pdf._weasyprint()
    except UsageError as error:
        return error.message
    return ""


needs_weasyprint = pytest.mark.skipif(bool(installed()), reason=installed() or "WeasyPrint is installed")
needs_reader = pytest.mark.skipif(READER is None, reason="pdftotext (poppler) is not installed")


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> RunFolder:
    return offensive_run(tmp_path_factory.mktemp("offensive") / "run")


@pytest.fixture(scope="module")
def made(run) -> bytes:
    return render_pdf(run)


def text_of(content: bytes, folder: Path) -> str:
    path = folder / "read.pdf"
    path.write_bytes(content)
    told = subprocess.run([str(READER), "-layout", str(path), "-"], capture_output=True, text=True, check=True).stdout
    return " ".join(told.split())


def objects_of(content: bytes) -> bytes:
    """The file with its compressed objects opened."""
    opened = [content]
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        try:
            opened.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return b"\n".join(opened)


SMALL = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Audit report: m</title>
<style>:root { --k: #000; --fail: #a11222; --paper: #fdfcf9 } .k-fail { --k: var(--fail) } .mark { fill: var(--k) }
@media print { :root { --paper: #fff } } @media screen { .mark { fill: #123456 } } .hollow { fill: var(--paper) }
.icon { color: var(--k) } .far::before { color: #765432 }</style></head><body>
<svg class="definitions" width="0" height="0"><defs><symbol id="i-fail" viewBox="0 0 16 16"><path d="M1 1h9v9z"
fill="currentColor"/></symbol><g id="m-fail"><path d="M-5-5h10v10h-10z"/></g></defs></svg>
<h1>Report</h1><p><svg class="icon k-fail" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><use
href="#i-fail"/></svg>Fail</p><svg class="chart" role="img" viewBox="0 0 90 30" width="90" height="30">
<title>Rates</title><desc>All of them are high.</desc><use href="#m-fail" x="45" y="15" class="mark k-fail"/></svg>
<details><summary>More</summary><p>What was folded away.</p></details>
<details class="sensitive"><summary>Content note</summary><p>What may hurt.</p></details>
<details class="sensitive" open><summary>Content note</summary><p>What was asked for.</p></details>
EXTRA</body></html>"""


def small(extra: str = "", *, created: str = CREATED) -> bytes:
    return typeset(SMALL.replace("EXTRA", extra).encode(), created=created)


@needs_weasyprint
def test_it_is_tagged_and_names_its_language_title_date_and_source():
    content = objects_of(small())
    for part in (b"/MarkInfo", b"/Marked true", b"/StructTreeRoot", b"/Lang (en)", b"/DisplayDocTitle true",
                 b"(D:20261120114003Z)", b"/Title (Audit report: m)"):  # fmt: skip
        assert part in content, part
    assert b'pdfuaid:part="1"' in content or b"<pdfuaid:part>1" in content
    assert source_of(small()) == hashlib.sha256(SMALL.replace("EXTRA", "").encode()).hexdigest()
    assert source_of(b"%PDF-1.7") == ""


@needs_weasyprint
def test_charts_have_a_text_and_their_colours_and_icons_are_no_content():
    content = objects_of(small())
    assert b"/Alt (Rates. All of them are high.)" in content
    assert content.count(b"/S /Figure") == 1
    assert re.search(rb"0\.631\d* 0\.070\d* 0\.133\d* ", content), "the colour of a failure"


@needs_weasyprint
@needs_reader
def test_what_was_folded_away_is_printed_and_what_may_hurt_only_when_asked_for(tmp_path):
    text = text_of(small(), tmp_path)
    assert "What was folded away." in text
    assert "What may hurt." not in text
    assert "What was asked for." in text


@needs_weasyprint
@pytest.mark.parametrize(
    "extra",
    ['<img src="http://127.0.0.1:9/x.png">', '<img src="file:///etc/hostname">', '<img src="icon:../i-fail">',
     "<style>@import 'http://127.0.0.1:9/x.css'; body { background: url(http://127.0.0.1:9/y.png) }</style>",
     '<link rel="stylesheet" href="http://127.0.0.1:9/z.css">', '<link rel="attachment" href="file:///etc/hostname">',
     '<svg class="chart" width="9" height="9"><image href="http://127.0.0.1:9/i.png"/></svg>'],
)  # fmt: skip
def test_nothing_is_fetched(extra, monkeypatch):
    def opened(*_: object, **__: object) -> None:
        raise AssertionError("something was opened")

    monkeypatch.setattr("urllib.request.OpenerDirector.open", opened)
    monkeypatch.setattr("socket.socket.connect", opened)
    content = small(extra)
    assert b"/EmbeddedFile" not in content


@needs_weasyprint
@pytest.mark.parametrize("created", ["yesterday", "2026-11-20T11:40:03Z)/Author(x", ""])
def test_a_date_that_is_none_is_left_out(created):
    content = objects_of(small(created=created))
    assert b"/CreationDate" not in content
    assert b"Author" not in content


@needs_weasyprint
def test_the_same_page_gives_the_same_bytes_in_another_process():
    again = (
        "import hashlib, sys\nfrom reports.pdf import typeset\n"
        "print(hashlib.sha256(typeset(sys.stdin.buffer.read(), created=sys.argv[1])).hexdigest())"
    )
    told = subprocess.run(
        [sys.executable, "-c", again, CREATED], input=SMALL.replace("EXTRA", "").encode(), capture_output=True,
        check=True, env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
    ).stdout.decode()  # fmt: skip
    assert told.strip() == hashlib.sha256(small()).hexdigest()


@needs_weasyprint
@needs_reader
@pytest.mark.slow
def test_a_whole_report_is_on_paper_with_its_first_page_on_one_sheet(run, made, tmp_path):
    text = text_of(made, tmp_path)
    for part in ("s∗∗∗ is late", "What the reviewer must do", "Words and names used", "How to read this", "Page 1 of"):
        assert part in text
    assert "shit is late" not in text
    assert text.count("This s∗∗∗ is late.") == 1, "the case without a note, and not the other"
    first = text[: text.index("Page 1 of")]
    assert "Not legal advice." in first
    assert source_of(made) == hashlib.sha256(page_on_paper(run)).hexdigest() == hashlib.sha256(render(run)).hexdigest()


@needs_weasyprint
@pytest.mark.slow
def test_it_is_written_beside_the_report(tmp_path):
    brief = synthetic.with_one_map(offensive_run(tmp_path / "run"))
    path = write_pdf(brief)
    assert path == brief.path / PDF
    assert path.read_bytes() == render_pdf(brief)


def test_rules_for_shapes_are_those_of_paper():
    style = SMALL[SMALL.index("<style>") + 7 : SMALL.index("</style>")]
    pytest.importorskip("tinycss2", reason="WeasyPrint is not installed")
    assert drawing_rules(style).splitlines() == [
        ".k-fail { color: #a11222 }",
        ".mark { fill: currentColor }",
        ".hollow { fill: #fff }",
    ]


@pytest.mark.parametrize(
    ("error", "said"),
    [(ImportError("No module named 'weasyprint'"), "No module named"),
     (OSError("cannot load library 'libpango-1.0-0': error\nmore"), "cannot load library 'libpango-1.0-0': error")],
)  # fmt: skip
def test_without_weasyprint_one_error_says_what_to_install(tmp_path, error, said, monkeypatch):
    run = synthetic.passing(tmp_path / "run")
    original = builtins.__import__

    def missing(name: str, *args: object, **kwargs: object) -> object:
        if name == "weasyprint":
            raise error
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UsageError) as caught:
        write_pdf(run)
    assert said in caught.value.message
    assert "\n" not in caught.value.message
    assert "pip install 'responsible-audit[pdf]'" in caught.value.hint
    assert "Pango" in caught.value.hint
    assert not (run.path / PDF).exists()


def test_a_page_too_long_for_paper_is_shortened_further(tmp_path, monkeypatch):
    run = synthetic.rich(tmp_path / "run", perturbations=6)
    whole = render(run)
    monkeypatch.setattr("reports.pdf.MOST_PAGE", len(whole) - 1)
    assert len(page_on_paper(run)) < len(whole)
