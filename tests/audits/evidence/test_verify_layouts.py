"""Reports as folder and as PDF: verified like the single file, and never left from another state of the run."""

from __future__ import annotations

import hashlib

import pytest

from audits.evidence.bundle import seal
from audits.evidence.checked import Outcome
from audits.evidence.verify import verify
from probes.core.errors import IntegrityError
from reports import write_report
from reports.pdf import PDF, page_on_paper
from tests.audits.evidence.runs import judged, measured, policy


def answers(run):
    return {check.name: check for check in verify(run).checks}


@pytest.fixture
def run(tmp_path):
    found = measured(tmp_path / "runs" / "a")
    judged(found)
    return found


@pytest.mark.parametrize("unmask", [False, True])
def test_a_folder_is_made_again_and_compared(run, unmask):
    write_report(run, layout="dir", unmask=unmask)
    seal(run)
    assert answers(run)["report"].outcome is Outcome.OK
    verify(run).require()


@pytest.mark.parametrize("name", ["index.html", "report.css", "report.js"])
def test_a_folder_that_was_changed_and_sealed_again_is_found(run, name, monkeypatch):
    monkeypatch.setattr("audits.evidence.rederived._tool", lambda: run.manifest().environment.tool)
    write_report(run, layout="dir")
    path = run.path / "report" / name
    path.write_bytes(path.read_bytes() + b" ")
    seal(run)
    found = answers(run)["report"]
    assert (found.outcome, found.files) == (Outcome.FAILED, (f"report/{name}",))
    with pytest.raises(IntegrityError, match=f"report/{name}"):
        verify(run).require()


def test_a_file_that_does_not_belong_in_the_folder_is_found(run, monkeypatch):
    monkeypatch.setattr("audits.evidence.rederived._tool", lambda: run.manifest().environment.tool)
    write_report(run, layout="dir")
    (run.path / "report" / "more.html").write_bytes(b"passed")
    seal(run)
    assert answers(run)["report"].files == ("report/more.html",)


def test_a_run_may_have_the_folder_alone(run):
    write_report(run, layout="dir")
    run.report_path.unlink()
    seal(run)
    assert answers(run)["report"].outcome is Outcome.OK


def paper(run, source: str) -> None:
    run.file(PDF).write_bytes(f"%PDF-1.7\n<< /ID [({source}) ({'0' * 32})] >>\n%%EOF".encode())
    seal(run)


def test_a_pdf_names_the_page_it_was_made_from(run, monkeypatch):
    monkeypatch.setattr("audits.evidence.rederived._tool", lambda: run.manifest().environment.tool)
    assert "report as PDF" not in answers(run)
    paper(run, hashlib.sha256(page_on_paper(run)).hexdigest())
    assert answers(run)["report as PDF"].outcome is Outcome.OK
    assert "report.pdf" not in answers(run)["derived files"].sentence


@pytest.mark.parametrize("source", ["0" * 64, ""])
def test_a_pdf_of_another_state_of_the_run_is_found(run, source, monkeypatch):
    monkeypatch.setattr("audits.evidence.rederived._tool", lambda: run.manifest().environment.tool)
    paper(run, source)
    found = answers(run)["report as PDF"]
    assert (found.outcome, found.files) == (Outcome.FAILED, (PDF,))


def test_a_pdf_from_before_another_verdict_is_found(run, monkeypatch):
    monkeypatch.setattr("audits.evidence.rederived._tool", lambda: run.manifest().environment.tool)
    paper(run, hashlib.sha256(page_on_paper(run)).hexdigest())
    judged(run, text=policy(0.99), time="2026-11-21T12:00:00Z")
    assert answers(run)["report as PDF"].outcome is Outcome.FAILED
