"""Audits through another engine: what is recorded, what is left out and why, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from audits.config import Config, resolve
from audits.console import Terminal
from audits.planning.plan import Plan, make_plan
from audits.planning.subject import prepare
from audits.run import run_audit
from probes.core.errors import UsageError
from probes.core.records import SkipReason
from probes.model import vllm_start
from tests import vllm_stand_in
from tests.tiny_models import build

LIKELIHOOD = ("performance.likelihood",)
SOME = (*LIKELIHOOD, "explanation.*", "bias.likelihood")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("gpt2", tmp_path_factory.mktemp("engines") / "gpt2", language=True)


def config(folder: Path, **how) -> Config:
    return Config(model=str(folder), device="cpu", **how)


def planned(request: Config) -> Plan:
    subject = prepare(request)
    known = {"registry": subject.registry, "model": subject.model, "data": subject.data, "card": subject.card}
    return make_plan(subject.config, **known)


def audited(request: Config, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(request.out / "cache"))
    return run_audit(request, command=["audit", "run"], reporter=Terminal(quiet=True))


def test_a_plan_needs_no_vllm_and_names_what_the_engine_leaves_out(folder, monkeypatch):
    monkeypatch.setattr(vllm_start, "find_spec", lambda name: None)
    by_vllm, plain = (planned(config(folder, engine=engine, only=SOME)) for engine in ("vllm", "transformers"))
    lost = {row.probe: row.skip for row in by_vllm.skips}
    missing = {step.planned.probe for step in plain.steps} - {step.planned.probe for step in by_vllm.steps}
    assert "explanation.generation" in missing
    for name in missing:
        assert lost[name].reason is SkipReason.NOT_BY_ENGINE
        assert lost[name].reason.applicable  # a check that requires it has not been passed by choosing an engine
        assert "vLLM computes no gradients" in lost[name].detail
        assert lost[name].enable == "leave out --engine vllm"
    ids = [{step.planned.probe: step.planned.step_id for step in plan.steps} for plan in (plain, by_vllm)]
    assert all(ids[0][name] != ids[1][name] for name in ids[1])


def test_a_run_records_the_engine_and_is_not_resumed_by_another(folder, tmp_path, monkeypatch):
    vllm_stand_in.install(monkeypatch)
    how = {"only": LIKELIHOOD, "limit": 12, "out": tmp_path}
    runs = [audited(config(folder, engine=engine, **how), monkeypatch).run for engine in ("vllm", "transformers")]
    assert runs[0].path != runs[1].path
    by_vllm, plain = (run.manifest() for run in runs)
    assert (by_vllm.model.engine, plain.model.engine) == ("vllm", "transformers")
    assert by_vllm.config["engine"] == "vllm"
    assert by_vllm.environment.packages["vllm"] == "not installed"  # the stand-in is no distribution
    assert "vllm" not in plain.environment.packages
    assert any("vLLM" in note for note in by_vllm.notes)
    values = [numbers(run) for run in runs]
    assert values[0] == pytest.approx(values[1], rel=1e-4)
    assert values[0]
    told = ["<dt>Engine</dt>" in re.sub(r">\s+|\s+<", lambda each: each[0].strip(), page(run)) for run in runs]
    assert told == [True, False]
    assert audited(config(folder, engine="vllm", **how), monkeypatch).run.path == runs[0].path


def page(run) -> str:
    return (run.path / "report.html").read_text(encoding="utf-8")


def numbers(run) -> dict[str, float]:
    found = {}
    for step in run.manifest().steps:
        for record in run.step(step.step_id).records:
            if record.kind == "measurement":
                found[record.name] = record.estimate.value
    return found


def test_a_run_without_vllm_begins_nothing(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(vllm_start, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="not installed"):
        audited(config(folder, engine="vllm", only=LIKELIHOOD, out=tmp_path / "runs"), monkeypatch)
    assert not list(tmp_path.rglob("manifest.json"))


def test_a_classifier_is_refused(tmp_path):
    classifier = build("bert", tmp_path / "bert")
    with pytest.raises(UsageError, match="for causal language models") as caught:
        prepare(config(classifier, engine="vllm"))
    assert caught.value.exit_code == 2


def test_a_file_may_name_the_engine(tmp_path):
    file = tmp_path / "audit.yaml"
    file.write_text("model: m\nengine: vllm\n", encoding="utf-8")
    assert resolve({}, file=file).engine == "vllm"
    assert resolve({"engine": "transformers"}, file=file).engine == "transformers"
    file.write_text("model: m\nengine: vlm\n", encoding="utf-8")
    with pytest.raises(UsageError, match="engine"):
        resolve({}, file=file)
