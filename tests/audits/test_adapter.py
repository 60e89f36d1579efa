"""Audits of an adapter with its base, and of a multiple-choice model, from the files to the report."""

from __future__ import annotations

import csv

import pytest

from audits.config import Config
from audits.console import Terminal
from audits.run import run_audit
from probes.core.errors import UsageError
from tests.tiny_models import SENTENCES, build, no_progress_bar


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(tmp_path / "cache"))


def audited(config):
    audit = run_audit(config, command=["audit", "run"], reporter=Terminal(quiet=True))
    assert not list(audit.run.path.glob("steps/*.failed.jsonl"))
    return audit.run


def test_an_adapter_on_a_base_that_has_moved(tmp_path):
    pytest.importorskip("peft", reason="the extra `adapters` is not installed")
    from tests.tiny_adapters import tuned

    base = build("roberta", tmp_path / "base", language=True)
    folder = tuned(base, tmp_path / "adapter", r=2)
    moved = base.rename(tmp_path / "moved")
    only = ("robustness.lower_case",)
    run = audited(Config(model=str(folder), base=str(moved), out=tmp_path / "runs", only=only, limit=4))
    manifest = run.manifest()
    assert manifest.model.base == str(moved)
    assert [step.probe for step in manifest.steps] == list(only)
    report = run.report_path.read_text(encoding="utf-8")
    assert "Adapter on" in report
    assert "stores no names of labels" in report
    with pytest.raises(UsageError, match="not an adapter"):
        audited(Config(model=str(moved), base=str(moved), out=tmp_path / "runs", only=only))


def test_a_multiple_choice_model(tmp_path):
    import transformers

    model = build("bert", tmp_path / "model")
    with no_progress_bar():
        config = transformers.AutoConfig.from_pretrained(model)
        transformers.AutoModelForMultipleChoice.from_config(config).save_pretrained(model)
    with (tmp_path / "data.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["question", "choice", "score"])
        for place, question in enumerate(SENTENCES):
            rows.writerows([question, SENTENCES[k], int(k == place % 4)] for k in range(4))
    columns = {"text_columns": ("question", "choice"), "label_column": "score"}
    data = str(tmp_path / "data.csv")
    run = audited(Config(model=str(model), data=data, **columns, out=tmp_path / "runs", only=("performance.ranking",)))
    (step,) = run.path.glob("steps/*.jsonl")
    assert '"first_right"' in step.read_text(encoding="utf-8")
    assert "BertForMultipleChoice" in run.report_path.read_text(encoding="utf-8")
