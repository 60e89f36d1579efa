"""Audits of taggers, from the folder to the report."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from audits.conclusion import Conclusion
from audits.config import Config
from audits.console import Terminal
from audits.run import run_audit
from probes.core.errors import UsageError
from probes.core.findings import Finding, Status
from tests.planted_tagger import TAGS, build_case_bound, build_case_free, tagged_sentences
from tests.tiny_models import build


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    rows = [{"tokens": words, "ner_tags": tags} for words, tags in tagged_sentences()[:120]]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, arch: str = "bert", **how) -> Conclusion:
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(tmp_path / "cache"))
    model = build(arch, tmp_path / arch, labels=TAGS, tagger=True)
    config = Config(model=str(model), out=tmp_path / "runs", **how)
    return run_audit(config, command=["audit", "run"], reporter=Terminal(quiet=True))


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["bert", "distilbert", "roberta"])
def test_full_audit_to_a_report_without_an_error(arch, data, tmp_path, monkeypatch):
    audit = audited(tmp_path, monkeypatch, arch=arch, data=str(data), suite="full")
    assert audit.verdict is not None
    counts = Counter(finding.status for finding in audit.verdict.findings)
    assert counts[Status.ERROR] == 0
    assert audit.verdict.exit_code == 1  # random weights find nothing right
    found = {finding.check: finding for finding in audit.verdict.findings}
    assert found["performance.tagging.f1"].status is Status.FAIL
    assert not list(audit.run.path.glob("steps/*.failed.jsonl"))
    page = audit.run.report_path.read_text(encoding="utf-8")
    assert "Quality of the tags" in page
    manifest = audit.run.manifest()
    assert manifest.model.task == "token-classification"
    run = {step.probe for step in manifest.steps}
    assert "performance.tagging" in run
    assert "performance.quality" not in run


def test_probes_of_whole_texts_are_named_with_the_reason(data, tmp_path, monkeypatch):
    manifest = audited(tmp_path, monkeypatch, data=str(data), only=("performance.*",)).run.manifest()
    skips = {skip.probe: skip.skip for skip in manifest.skips}
    quality = skips["performance.quality"]
    assert not quality.reason.applicable
    assert quality.detail == (
        "It applies to answers about whole texts only; the task of this model is token classification."
    )


def test_without_data_what_needs_no_right_answer_runs(tmp_path, monkeypatch):
    audit = audited(tmp_path, monkeypatch, suite="full", limit=40)
    assert audit.verdict is not None
    assert audit.verdict.exit_code == 4
    found = {finding.check: finding for finding in audit.verdict.findings}
    assert found["performance.tagging.f1"].status is Status.NOT_RUN
    assert {step.probe for step in audit.run.manifest().steps} >= {"robustness.lower_case", "robustness.ocr_confusions"}
    assert "no right answers" in found["performance.tagging.f1"].message
    assert not any(finding.status is Status.ERROR for finding in audit.verdict.findings)


def test_pairs_are_refused_before_anything_is_loaded(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="not a pair"):
        audited(tmp_path, monkeypatch, pairs=True)


def planted(builder, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Finding]:
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(tmp_path / "cache"))
    only = ("performance.tagging", "robustness.lower_case")
    config = Config(model=str(builder(tmp_path / "model")), data=str(data), only=only, out=tmp_path / "runs")
    audit = run_audit(config, command=["audit", "run"], reporter=Terminal(quiet=True))
    assert audit.verdict is not None
    return {finding.check: finding for finding in audit.verdict.findings}


def test_the_tagger_that_loses_names_in_small_letters_is_reported(data, tmp_path, monkeypatch):
    found = planted(build_case_bound, data, tmp_path, monkeypatch)
    assert found["performance.tagging.f1"].status is Status.PASS  # it does its task otherwise
    for name in ("flip_rate", "f1_drop"):
        assert found[f"robustness.lower_case.{name}[severity=2]"].status is Status.FAIL


def test_its_twin_is_not(data, tmp_path, monkeypatch):
    found = planted(build_case_free, data, tmp_path, monkeypatch)
    assert found["performance.tagging.f1"].status is Status.PASS
    for name in ("flip_rate", "f1_drop"):
        finding = found[f"robustness.lower_case.{name}[severity=2]"]
        assert finding.status is Status.PASS
        assert finding.estimate is not None
        assert finding.estimate.value == 0
