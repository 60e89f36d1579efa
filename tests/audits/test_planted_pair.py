"""The auditor on real models, one with a planted defect and its clean twin, from folder to verdict."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audits.config import Config
from audits.console import Terminal
from audits.run import run_audit
from probes.core.findings import Finding, Status
from tests.planted import build_case_blind, build_case_flip, planted_sentences

CHECK = "robustness.upper_case.{}[severity=2]"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("planted") / "data.jsonl"
    rows = [json.dumps({"text": text, "label": label}) for text, label in planted_sentences()]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def findings(model: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Finding]:
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(tmp_path / "cache"))
    config = Config(
        model=str(model), data=str(data), only=("performance.quality", "robustness.upper_case"), out=tmp_path
    )
    audit = run_audit(config, command=["audit", "run"], reporter=Terminal(quiet=True))
    assert audit.verdict is not None
    assert audit.run.report_path.exists()
    return {finding.check: finding for finding in audit.verdict.findings}


def test_the_model_that_flips_on_capitals_is_reported(trained, data, tmp_path, monkeypatch):
    found = findings(trained(build_case_flip), data, tmp_path, monkeypatch)
    drop = found[CHECK.format("accuracy_drop")]
    assert found["performance.quality.accuracy_over_majority"].status is Status.PASS  # it does its task otherwise
    assert drop.status is Status.FAIL
    assert drop.level == "block"
    assert found[CHECK.format("flip_rate")].status is Status.FAIL


def test_its_twin_is_not(trained, data, tmp_path, monkeypatch):
    found = findings(trained(build_case_blind), data, tmp_path, monkeypatch)
    for name in ("accuracy_drop", "flip_rate"):
        finding = found[CHECK.format(name)]
        assert finding.status is Status.PASS
        assert finding.estimate is not None
        assert finding.estimate.value == 0
        assert finding.estimate.n > 100  # "0 changes" after so many trials, not "0 trials"
