"""Audits of language models, from the folder to the report."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from audits.conclusion import Conclusion
from audits.config import Config
from audits.console import Terminal
from audits.run import run_audit
from probes.core.errors import UsageError
from probes.core.findings import Status
from tests.tiny_models import SENTENCES, build

FULL = {"performance.likelihood", "bias.likelihood"}


def write_texts(path: Path, *, word: str, n: int = 36) -> Path:
    rows = [[f"{SENTENCES[k % 7]} {word} {k}", "anything"] for k in range(n)]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["text", "label"], *rows])
    return path


def audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, arch: str, **how) -> Conclusion:
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(tmp_path / "cache"))
    model = build(arch, tmp_path / arch, language=True)
    config = Config(model=str(model), out=tmp_path / "runs", **how)
    return run_audit(config, command=["audit", "run"], reporter=Terminal(quiet=True))


def statuses(audit: Conclusion) -> Counter[Status]:
    assert audit.verdict is not None
    assert not list(audit.run.path.glob("steps/*.failed.jsonl"))
    return Counter(finding.status for finding in audit.verdict.findings)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arch", "axes"),
    [("gpt2", ("age", "religion")), ("llama", ("age",)), ("bert", ("age", "religion")), ("roberta", ("age",))],
)
def test_full_audit_with_the_built_in_sentences_has_no_error(arch, axes, tmp_path, monkeypatch):
    few = {
        "bias.likelihood": {"axes": axes},
        "bias.prompted": {"axes": ("age",), "max_tokens": 5},
        "toxicity.generations": {"samples": 1, "prompts": 4, "max_tokens": 5},
    }
    audit = audited(tmp_path, monkeypatch, arch=arch, suite="full", limit=40, probes=few)
    assert statuses(audit)[Status.ERROR] == 0
    manifest = audit.run.manifest()
    assert {step.probe for step in manifest.steps} >= FULL
    assert manifest.model.labels == ()
    assert "performance.quality" in {skip.probe for skip in manifest.skips}
    found = {finding.check: finding for finding in audit.verdict.findings}
    assert found["performance.likelihood.bits_over_frequency"].status is Status.FAIL  # random weights know nothing
    assert found["bias.crows_pairs.stereotype_share"].status is Status.NOT_RUN  # it was given no benchmarks
    assert audit.verdict.exit_code == 1
    page = audit.run.report_path.read_text(encoding="utf-8")
    assert "How well texts are expected" in page
    assert "What is expected of each group" in page


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["gpt2", "bert"])
def test_texts_of_ones_own_need_no_labels_and_other_kinds_are_compared(arch, tmp_path, monkeypatch):
    data = write_texts(tmp_path / "own.csv", word="here")
    other = write_texts(tmp_path / "other.csv", word="zzxxqq jjkk")
    only = ("performance.likelihood", "shift.perplexity")
    audit = audited(tmp_path, monkeypatch, arch=arch, data=str(data), shifts={"odd": str(other)}, only=only)
    assert statuses(audit)[Status.ERROR] == 0
    manifest = audit.run.manifest()
    assert [step.probe for step in manifest.steps] == list(only)
    assert manifest.data.labelled == 0
    assert not any("right answers" in note for note in manifest.data.notes)
    found = {finding.check for finding in audit.verdict.findings}
    assert "shift.perplexity.word_perplexity_ratio[domain=odd]" in found


def test_benchmarks_named_by_the_user_are_asked(tmp_path, monkeypatch):
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    names = ["sent_more", "sent_less", "stereo_antistereo", "bias_type", "anon_writer"]
    rows = [[f"The film {k} is bad.", f"The book {k} is bad.", "stereo", "age", f"w{k % 12}"] for k in range(36)]
    with (folder / "crows.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, *rows])
    audit = audited(tmp_path, monkeypatch, arch="gpt2", benchmarks=folder, only=("bias.crows_pairs",))
    assert statuses(audit)[Status.ERROR] == 0
    (step,) = audit.run.manifest().steps
    assert (step.probe, step.items) == ("bias.crows_pairs", 0)
    assert "CrowS-Pairs" in audit.run.report_path.read_text(encoding="utf-8")


def test_labels_are_refused_for_masked_models(tmp_path, monkeypatch):
    data = write_texts(tmp_path / "own.csv", word="here")
    with pytest.raises(UsageError, match="no labels"):
        audited(tmp_path, monkeypatch, arch="bert", data=str(data), label_column="label")
