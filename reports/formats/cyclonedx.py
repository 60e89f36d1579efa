"""A CycloneDX 1.6 bill of materials of the model: its files by digest, what was measured, what its owner declared.

Written as JSON by hand, as cyclonedx-python-lib has no classes for model cards; the tests hold it against the schema
that this library bundles.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from probes.core.records import Better, Measurement
from reports.formats.outcome import Outcome, outcome
from reports.formats.plain import line
from reports.load import Loaded
from reports.numbers import part_in_words

MOST_METRICS = 2_000
"""Numbers listed; a property counts the rest."""
_NAME = 300
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def cyclonedx(loaded: Loaded) -> bytes:
    """The bill of materials; its serial number follows from the run, so the same run gives the same bytes."""
    manifest, result = loaded.manifest, outcome(loaded)
    tool, _, version = manifest.environment.tool.rpartition(" ")
    metadata = {
        "timestamp": manifest.created,
        "tools": {
            "components": [
                {"type": "application", "name": line(tool or version, _NAME), "version": line(version, _NAME)}
            ]
        },
        "component": _model(loaded),
        "properties": _properties(loaded, result),
    }
    if not _DATE.fullmatch(manifest.created):
        del metadata["timestamp"]
    identity = f"{manifest.run_id} {manifest.model.fingerprint}".encode("utf-8", errors="surrogatepass").hex()
    bom = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid5(NAMESPACE_URL, identity).urn,
        "version": 1,
        "metadata": metadata,
        "components": [_data(loaded)],
    }
    return (json.dumps(bom, ensure_ascii=False, indent=1) + "\n").encode()


def _model(loaded: Loaded) -> dict[str, Any]:
    model = loaded.manifest.model
    return {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": line(model.name, _NAME),
        "version": line(model.revision or model.fingerprint[:12], _NAME),
        **_hashes(model.fingerprint),
        **({"licenses": [{"license": {"name": line(model.licence, _NAME)}}]} if model.licence else {}),
        "components": [{"type": "file", "name": line(path, _NAME), **_hashes(digest)} for path, digest in model.files],
        "modelCard": {
            "modelParameters": {
                "task": line(model.task, _NAME),
                "architectureFamily": line(model.model_type, _NAME),
                "modelArchitecture": line(model.architecture, _NAME),
                "datasets": [{"ref": "data"}],
            },
            "quantitativeAnalysis": {"performanceMetrics": _metrics(loaded)[:MOST_METRICS]},
            "considerations": _considerations(loaded),
        },
        "properties": [_property("fingerprint", model.fingerprint), _property("fingerprint-of", _FINGERPRINT)],
    }


_FINGERPRINT = "sorted pairs of path and SHA-256 of the files with config, weights and tokenizer"
_ITEMS = "sorted ids of the items and of what belongs together; not of a file"


def _hashes(digest: str) -> dict[str, Any]:
    return {"hashes": [{"alg": "SHA-256", "content": digest}]} if _SHA256.fullmatch(digest) else {}


def _data(loaded: Loaded) -> dict[str, Any]:
    data = loaded.manifest.data
    return {
        "type": "data",
        "bom-ref": "data",
        "name": line(data.name, _NAME),
        "description": f"What the model was audited on: {data.n:,} items, {data.labelled:,} with a right answer.",
        **({"licenses": [{"license": {"name": line(data.licence, _NAME)}}]} if data.licence else {}),
        "data": [{"type": "dataset", "name": line(data.name, _NAME)}],
        "properties": [_property("fingerprint", data.fingerprint), _property("fingerprint-of", _ITEMS)],
    }


def _measurements(loaded: Loaded) -> Iterator[tuple[str, Measurement]]:
    """(probe id, number) of the finished steps; numbers that only help to read others are left out."""
    for step, record in loaded.records():
        done = loaded.steps[step.step_id].end.status == "done"
        if done and isinstance(record, Measurement) and record.better is not Better.CONTEXT:
            yield step.probe, record


def _metrics(loaded: Loaded) -> list[dict[str, Any]]:
    return [
        {
            "type": line(f"{probe}.{found.name}", _NAME),
            "value": repr(found.estimate.value),
            "slice": line(part_in_words(found.slice), _NAME) or "all",
            "confidenceInterval": {"lowerBound": repr(found.estimate.low), "upperBound": repr(found.estimate.high)},
        }
        for probe, found in _measurements(loaded)
    ]


def _considerations(loaded: Loaded) -> dict[str, Any]:
    """What people declared, and the limits of each test; what was not declared is left out."""
    card, docs = loaded.manifest.card, loaded.manifest.methodology
    ran = dict.fromkeys(step.probe for step in loaded.manifest.steps if step.step_id in loaded.steps)
    risks = [*card.unmeasured_risks, *([card.foreseeable_misuse] if card.foreseeable_misuse else [])]
    declared: dict[str, list[Any]] = {
        "users": [line(card.users)] if card.users else [],
        "useCases": [line(card.intended_purpose)] if card.intended_purpose else [],
        "technicalLimitations": [f"{line(probe, _NAME)}: {line(docs[probe].limits)}" for probe in ran if probe in docs],
        "ethicalConsiderations": [{"name": line(risk)} for risk in risks],
        "fairnessAssessments": [{"groupAtRisk": line(group)} for group in card.affected_groups],
    }
    return {name: told for name, told in declared.items() if told}


def _properties(loaded: Loaded, result: Outcome) -> list[dict[str, str]]:
    listed = sum(1 for _ in _measurements(loaded))
    policy = loaded.verdict.policy_digest if loaded.verdict else loaded.manifest.policy_digest
    return [
        _property("run", loaded.manifest.run_id),
        _property("verdict", result.word),
        _property("verdict-sentence", result.sentence),
        *(_property(f"checks:{status}", str(number)) for status, number in result.counts.items()),
        _property("policy-digest", policy),
        _property("metrics-left-out", str(max(0, listed - MOST_METRICS))),
    ]


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": f"responsible-audit:{name}", "value": line(value, 1_000)}
