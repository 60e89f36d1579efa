"""The bill of materials, by the schema of CycloneDX 1.6."""

from __future__ import annotations

import json

import pytest

from probes.core.audit_card import AuditCard
from probes.core.records import Better, Measurement
from reports.formats.cyclonedx import cyclonedx
from reports.load import load
from tests.reports import synthetic_run as synthetic
from tests.reports.formats import runs

validation = pytest.importorskip("cyclonedx.validation.json", reason="cyclonedx-python-lib is a development dependency")
schema = pytest.importorskip("cyclonedx.schema")
pytest.importorskip("jsonschema")


def bom(loaded) -> dict:
    content = cyclonedx(loaded)
    validator = validation.JsonStrictValidator(schema.SchemaVersion.V1_6)
    assert validator.validate_str(content.decode()) is None
    return json.loads(content)


@pytest.mark.parametrize("told", ["rich", "passing", "everything skipped", "unjudged", "hostile"])
def test_it_is_valid(told, situation):
    bom(situation(told))


@pytest.mark.parametrize("attack", runs.ATTACKS)
def test_hostile_text_is_valid_too(attack, attacked):
    bom(attacked(attack))


def test_the_schema_notices_a_violation(situation):
    broken = json.loads(cyclonedx(situation("passing"))) | {"components": [{"type": "model", "name": "x"}]}
    validator = validation.JsonStrictValidator(schema.SchemaVersion.V1_6)
    assert validator.validate_str(json.dumps(broken)) is not None


def test_the_model_is_named_by_its_digests(situation):
    loaded = situation("rich")
    model = bom(loaded)["metadata"]["component"]
    assert model["type"] == "machine-learning-model"
    assert model["hashes"] == [{"alg": "SHA-256", "content": loaded.manifest.model.fingerprint}]
    assert [(file["name"], file["hashes"][0]["content"]) for file in model["components"]] == list(
        loaded.manifest.model.files
    )


def test_every_number_has_its_slice_and_its_interval(situation):
    loaded = situation("passing")
    found = bom(loaded)["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    told = [r for _, r in loaded.records() if isinstance(r, Measurement) and r.better is not Better.CONTEXT]
    assert [float(metric["value"]) for metric in found] == [record.estimate.value for record in told]
    for metric, record in zip(found, told, strict=True):
        interval = metric["confidenceInterval"]
        assert float(interval["lowerBound"]) == record.estimate.low
        assert float(interval["upperBound"]) == record.estimate.high
        assert (metric["slice"] == "all") is (not record.slice)


def test_what_was_declared_is_there_and_nothing_else(tmp_path):
    run = synthetic.passing(tmp_path / "run")
    card = AuditCard(intended_purpose="Sort tickets", affected_groups=("customers",), unmeasured_risks=("fraud",))
    run.manifest_path.write_text(run.manifest().model_copy(update={"card": card}).model_dump_json(), encoding="utf-8")
    told = bom(load(run))["metadata"]["component"]["modelCard"]["considerations"]
    assert told["useCases"] == ["Sort tickets"]
    assert told["fairnessAssessments"] == [{"groupAtRisk": "customers"}]
    assert told["ethicalConsiderations"] == [{"name": "fraud"}]
    assert "users" not in told
    assert any("Other changes" in limit for limit in told["technicalLimitations"])


def test_the_serial_number_follows_from_the_run(situation, tmp_path):
    other = load(synthetic.write(tmp_path / "run", [], [], run_id="another"))
    assert bom(other)["serialNumber"] != bom(situation("rich"))["serialNumber"]
