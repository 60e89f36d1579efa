"""Audits of models that answer questions, from the folder to the report."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from audits.conclusion import Conclusion
from audits.config import Config
from audits.console import Terminal
from audits.run import run_audit
from probes.core.findings import Finding, Status
from tests.planted_reader import build_attentive, build_misled, questions
from tests.tiny_models import build


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "squad.jsonl"
    rows = [
        {
            "question": question,
            "context": context,
            "answers": {"text": [answer], "answer_start": [context.rindex(answer)]},
        }
        for question, context, answer in questions()
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, arch: str = "bert", **how) -> Conclusion:
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(tmp_path / "cache"))
    model = build(arch, tmp_path / arch, reader=True)
    config = Config(model=str(model), out=tmp_path / "runs", **how)
    return run_audit(config, command=["audit", "run"], reporter=Terminal(quiet=True))


@pytest.mark.slow
@pytest.mark.parametrize(("arch", "suite"), [("bert", "full"), ("roberta", "quick")])  # both run every probe
def test_audit_to_a_report_without_an_error(arch, suite, data, tmp_path, monkeypatch):
    audit = audited(tmp_path, monkeypatch, arch=arch, data=str(data), suite=suite, limit=40)
    assert audit.verdict is not None
    counts = Counter(finding.status for finding in audit.verdict.findings)
    assert counts[Status.ERROR] == 0
    assert audit.verdict.exit_code == 1  # random weights find nothing right
    found = {finding.check: finding for finding in audit.verdict.findings}
    assert found["performance.answers.f1"].status is Status.FAIL
    assert "robustness.distractors.f1_drop[place=end]" in found
    assert "robustness.keyboard_typos.f1_drop[part=question,severity=2]" in found
    assert found["robustness.keyboard_typos.flip_rate[severity=2]"].status is not Status.NOT_RUN
    assert not list(audit.run.path.glob("steps/*.failed.jsonl"))
    page = audit.run.report_path.read_text(encoding="utf-8")
    assert "Answers found in texts" in page
    assert "Misleading sentences" in page
    manifest = audit.run.manifest()
    assert manifest.model.task == "question-answering"
    skips = {skip.probe: skip.skip for skip in manifest.skips}
    assert "the task of this model is question answering" in skips["performance.quality"].detail


def test_without_data_the_built_in_questions_are_asked(tmp_path, monkeypatch):
    only = ("performance.*", "robustness.distractors", "robustness.lower_case")
    audit = audited(tmp_path, monkeypatch, only=only)
    assert audit.verdict is not None
    found = {finding.check: finding for finding in audit.verdict.findings}
    assert found["performance.answers.f1"].status is Status.INCONCLUSIVE  # too few to say how well it does its task
    assert audit.run.manifest().data.name == "built-in questions"
    assert not any(finding.status is Status.ERROR for finding in audit.verdict.findings)


def planted(builder, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Finding]:
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(tmp_path / "cache"))
    only = ("performance.answers", "robustness.distractors")
    config = Config(model=str(builder(tmp_path / "model")), data=str(data), only=only, out=tmp_path / "runs")
    audit = run_audit(config, command=["audit", "run"], reporter=Terminal(quiet=True))
    assert audit.verdict is not None
    return {finding.check: finding for finding in audit.verdict.findings}


def test_the_reader_that_is_misled_is_reported(data, tmp_path, monkeypatch):
    found = planted(build_misled, data, tmp_path, monkeypatch)
    assert found["performance.answers.f1"].status is Status.PASS  # it does its task otherwise
    assert found["robustness.distractors.f1_drop[place=end]"].status is Status.FAIL


def test_its_twin_is_not(data, tmp_path, monkeypatch):
    found = planted(build_attentive, data, tmp_path, monkeypatch)
    assert found["performance.answers.f1"].status is Status.PASS
    for place in ("end", "start"):
        assert found[f"robustness.distractors.f1_drop[place={place}]"].status is Status.PASS
