"""Other kinds of text for taggers and readers, from the folder to the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audits.config import Config
from audits.console import Terminal
from audits.run import run_audit
from probes.core.findings import Status
from probes.core.records import Measurement
from tests.planted_reader import questions
from tests.planted_tagger import TAGS, tagged_sentences
from tests.tiny_models import build


def written(path: Path, rows: list[dict]) -> str:
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return str(path)


def tagged(name: str) -> list[dict]:
    rows = [{"tokens": list(words), "ner_tags": list(tags)} for words, tags in tagged_sentences()[:40]]
    return [{"tokens": [*row["tokens"], name], "ner_tags": [*row["ner_tags"], "O"]} for row in rows]


def asked(name: str) -> list[dict]:
    return [
        {"question": question, "context": f"{name}: {context}", "answers": {"text": [answer], "answer_start": [
            len(name) + 2 + context.rindex(answer)]}}
        for question, context, answer in questions()[:40]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("how", "rows", "number"),
    [
        ({"labels": TAGS, "tagger": True}, tagged, "f1_lost[domain=mail]"),
        ({"reader": True}, asked, "exact_match_lost[domain=mail]"),
    ],
    ids=["tagger", "reader"],
)
def test_other_kinds_are_compared(how, rows, number, tmp_path, monkeypatch):
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(tmp_path / "cache"))
    audit = run_audit(
        Config(
            model=str(build("bert", tmp_path / "model", **how)),
            data=written(tmp_path / "home.jsonl", rows("letter")),
            shifts={"mail": written(tmp_path / "mail.jsonl", rows("mail"))},
            only=("shift.performance", "shift.overlap", "shift.distance"),
            probes={"shift.distance": {"divisions": 100}},
            out=tmp_path / "runs",
        ),
        command=["audit", "run"],
        reporter=Terminal(quiet=True),
    )
    assert audit.verdict is not None
    assert not [finding for finding in audit.verdict.findings if finding.status is Status.ERROR]
    manifest = audit.run.manifest()
    assert {step.probe for step in manifest.steps} == {"shift.performance", "shift.overlap", "shift.distance"}
    found = [audit.run.step(step.step_id) for step in manifest.steps]
    records = [record for step in found if step for record in step.records]
    assert number in {record.key for record in records if isinstance(record, Measurement)}
    assert "Quality on other kinds of texts" in audit.run.report_path.read_text(encoding="utf-8")
