"""An audit of a model with an encoder and a decoder, from the folder to the report."""

from __future__ import annotations

import pytest

from audits.config import Config
from audits.console import Terminal
from audits.run import run_audit
from probes.core.errors import UsageError
from probes.core.findings import Status
from tests.tiny_models import build

FEW = {
    "bias.prompted": {"axes": ("age",), "samples": 1},
    "toxicity.generations": {"samples": 2, "prompts": 4},
    "security.injection": {"documents": 2},
}


@pytest.mark.slow
def test_full_audit_with_the_built_in_sentences_has_no_error(tmp_path, monkeypatch):
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(tmp_path / "cache"))
    model = build("t5", tmp_path / "t5", language=True)
    config = Config(model=str(model), out=tmp_path / "runs", suite="full", limit=3, probes=FEW)
    audit = run_audit(config, command=["audit", "run"], reporter=Terminal(quiet=True))
    assert audit.verdict is not None
    assert not list(audit.run.path.glob("steps/*.failed.jsonl"))
    assert Status.ERROR not in {finding.status for finding in audit.verdict.findings}
    manifest = audit.run.manifest()
    assert {step.probe for step in manifest.steps} >= {"robustness.prompts", *FEW}
    assert {skip.probe for skip in manifest.skips} >= {"performance.quality", "performance.likelihood"}
    assert "T5ForConditionalGeneration" in audit.run.report_path.read_text(encoding="utf-8")


def test_a_task_it_was_not_made_for_is_refused(tmp_path):
    model = build("t5", tmp_path / "t5", language=True)
    config = Config(model=str(model), out=tmp_path / "runs", task="text-classification")
    with pytest.raises(UsageError, match="is made for text2text-generation"):
        run_audit(config, command=["audit", "run"], reporter=Terminal(quiet=True))
