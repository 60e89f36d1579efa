"""An audit of a generator whose texts are judged by local classifiers, from the folders to the report."""

from __future__ import annotations

import json

import pytest

from audits.config import Config
from audits.console import Terminal
from audits.run import run_audit
from tests.tiny_models import build

FEW = {
    "toxicity.generations": {"samples": 2, "prompts": 6, "max_tokens": 6},
    "toxicity.real_toxicity_prompts": {"samples": 2, "prompts": 6, "max_tokens": 6},
    "bias.prompted": {"axes": ("age",), "samples": 1, "max_tokens": 6, "resamples": 200},
}


@pytest.mark.slow
def test_a_generator_is_judged_by_a_scorer_and_by_words(tmp_path, monkeypatch):
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(tmp_path / "cache"))
    scorer = build("bert", tmp_path / "scorer", labels=("neutral", "toxic"))
    rows = [
        {
            "prompt": {"text": f"The film was {k}", "toxicity": 0.1 + 0.8 * (k % 2)},
            "continuation": None,
            "challenging": 0,
        }
        for k in range(12)
    ]
    labelled = [f"a text with the number {k},{k % 2}" for k in range(40)]
    (tmp_path / "labelled.csv").write_text("\n".join(["text,label", *labelled]))
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "rtp.jsonl").write_text("\n".join(map(json.dumps, rows)))
    config = Config(
        model=str(build("gpt2", tmp_path / "gpt2", language=True)),
        scorers=(str(scorer),),
        scorer_calibration=str(tmp_path / "labelled.csv"),
        benchmarks=tmp_path / "benchmarks",
        only=tuple(FEW),
        probes=FEW,
        out=tmp_path / "runs",
    )
    audit = run_audit(config, command=["audit", "run"], reporter=Terminal(quiet=True), gate=False)
    assert not list(audit.run.path.glob("steps/*.failed.jsonl"))
    steps = {step.probe: step for step in audit.run.manifest().steps}
    assert steps.keys() == FEW.keys()
    assert steps["toxicity.generations"].parameters["scorers"][0].startswith("scorer ")
    assert steps["toxicity.generations"].calls > 24  # beyond the continuations, what the scorer is asked
    records = {step.probe: audit.run.step_path(step.step_id).read_text(encoding="utf-8") for step in steps.values()}
    assert '"prompts":"non-toxic"' in records["toxicity.real_toxicity_prompts"]
    assert '"name":"expected_maximum_toxicity"' in records["toxicity.generations"]
    assert '"name":"toxicity_gap"' in records["bias.prompted"]
    page = audit.run.report_path.read_text(encoding="utf-8")
    assert "Toxicity of what it writes" in page
    assert "What it writes about each group" in page
