"""Audits of models that write: by what they write, and as classifiers by a prompt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audits.commands.run import command
from audits.conclusion import Conclusion
from audits.config import Config
from audits.console import Terminal
from audits.planning.plan import Plan, make_plan
from audits.planning.subject import Subject, prepare
from audits.run import run_audit
from probes.core.errors import UsageError
from probes.core.findings import Status
from probes.core.verbaliser import LabelScore
from tests.tiny_models import SENTENCES, build

PROMPT = "Review: {text}\nSentiment:"
LABELS = ("positive=good", "negative=very bad")


def write_rows(path: Path, rows: list[dict[str, object]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("writers")
    build("gpt2", place / "gpt2", language=True)
    labelled = [{"text": f"{SENTENCES[k % 7]} {k}", "label": ("negative", "positive")[k % 2]} for k in range(40)]
    write_rows(place / "labelled.jsonl", labelled)
    asked = [{"prompt": f"{SENTENCES[k % 7]} {k}", "answer": ["good", "very good"], "place": k % 2} for k in range(24)]
    write_rows(place / "asked.jsonl", asked)
    return place


def audited(folder, out, monkeypatch, **how) -> Conclusion:
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(folder / "cache"))
    config = Config(model=str(folder / "gpt2"), out=out, **how)
    return run_audit(config, command=["audit", "run"], reporter=Terminal(quiet=True))


def make_plan_of(subject: Subject) -> Plan:
    known = {"registry": subject.registry, "model": subject.model, "data": subject.data, "card": subject.card}
    return make_plan(subject.config, **known)


def statuses(audit: Conclusion) -> set[Status]:
    assert audit.verdict is not None
    assert not list(audit.run.path.glob("steps/*.failed.jsonl"))
    return {finding.status for finding in audit.verdict.findings}


def test_a_language_model_is_audited_as_a_classifier(folder, tmp_path, monkeypatch):
    how = {
        "data": str(folder / "labelled.jsonl"),
        "task": "text-classification",
        "labels": LABELS,
        "only": ("performance.*", "robustness.upper_case"),
        "suite": "quick",
    }
    audit = audited(folder, tmp_path, monkeypatch, prompt=PROMPT, **how)
    assert Status.ERROR not in statuses(audit)
    manifest = audit.run.manifest()
    assert [step.probe for step in manifest.steps] == [
        "performance.quality",
        "performance.calibration",
        "robustness.upper_case",
    ]
    assert manifest.model.labels == ("positive", "negative")
    assert manifest.model.verbaliser.words == ("good", "very bad")
    assert manifest.model.verbaliser.prompt == PROMPT
    assert manifest.data.labelled == 40
    page = audit.run.report_path.read_text(encoding="utf-8")
    assert "log-probability of positive = good, negative = very bad after" in page
    changed = Config(model=str(folder / "gpt2"), prompt=PROMPT, label_score=LabelScore.CALIBRATED, **how)
    other = make_plan_of(prepare(changed))
    assert {step.planned.step_id for step in other.steps}.isdisjoint(step.step_id for step in manifest.steps)


def test_what_is_written_is_compared_with_references(folder, tmp_path, monkeypatch):
    only = ("performance.generation",)
    audit = audited(
        folder, tmp_path, monkeypatch, data=str(folder / "asked.jsonl"), only=only, group_columns=("place",)
    )
    assert Status.ERROR not in statuses(audit)
    (step,) = audit.run.manifest().steps
    assert (step.probe, step.items) == ("performance.generation", 24)
    page = audit.run.report_path.read_text(encoding="utf-8")
    assert "Quality of written texts" in page
    assert "ROUGE-L" in page


def test_labels_and_prompt_as_typed():
    typed = ["--labels", "positive=very good, negative", "--labels", "neither", "--prompt", r"Review: {text}\nIt is:"]
    flags = command.make_context("run", typed).params
    assert flags["labels"] == ("positive=very good", "negative", "neither")
    assert flags["prompt"] == "Review: {text}\nIt is:"
    assert command.make_context("run", []).params["prompt"] is None


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"labels": ("one",)}, "two labels or more"),
        ({"labels": LABELS, "prompt": "no place"}, "no place for the text"),
        ({"labels": LABELS, "task": "text-generation"}, "not for text-generation"),
        ({"prompt": PROMPT}, "none are named"),
        ({"task": "text-classification"}, "made for text-generation"),
        ({"labels": LABELS, "prompt": "{text} {text_pair}"}, "single texts"),
        ({"labels": LABELS, "prompt": PROMPT, "text_columns": ("text", "label")}, "pairs of texts"),
    ],
)
def test_what_makes_no_classifier_is_told(folder, tmp_path, monkeypatch, how, message):
    how = {"data": str(folder / "labelled.jsonl"), **how}
    with pytest.raises(UsageError, match=message):
        audited(folder, tmp_path, monkeypatch, only=("performance.quality",), **how)


def test_a_classifier_has_labels_of_its_own(folder, tmp_path, monkeypatch):
    build("bert", folder / "bert")
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(folder / "cache"))
    config = Config(model=str(folder / "bert"), out=tmp_path, labels=LABELS)
    with pytest.raises(UsageError, match="for models that write"):
        run_audit(config, command=["audit", "run"], reporter=Terminal(quiet=True))
