"""Run folders of real probes on a rule-based model that is made to err on chosen items."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from audits.executor import parquet
from audits.gate.judgement import run_gate
from audits.policy.policy import parse_policy
from probes.core.examples import DataCard, Example, data_fingerprint
from probes.core.manifest import Environment, Manifest, PlannedStep
from probes.core.probe import Context
from probes.core.records import SCHEMA_VERSION, Outcomes, StepEnd, to_line
from probes.core.run_folder import RunFolder, write_atomic
from probes.performance.quality import Quality
from probes.robustness.perturbed import PROBES
from probes.robustness.worst_case import WorstCase
from tests.conftest import FakeModel, model_card

POLICY = """\
apiVersion: audit-policy/v1
id: tickets
version: "1"
checks:
  - {check: performance.quality.accuracy, min: 0.7, level: block, burden: prove_good, rationale: agreed, source: memo}
  - {check: robustness.upper_case.flip_rate, max: 0.3, level: warn, burden: prove_bad, rationale: agreed, source: memo}
"""
LABELS = ("billing", "delivery", "other")
UPPER = next(probe for probe in PROBES if probe.info.id == "robustness.upper_case")
SUITE = (Quality(), UPPER, WorstCase())


def data(n: int = 300, *, start: int = 0) -> list[Example]:
    """Labelled texts; every third is one of two with the same cluster."""
    return [
        Example.of(
            f"message number {k} about {LABELS[k % 3]} today",
            gold=LABELS[k % 3],
            groups={"channel": "chat" if k % 2 else "mail"},
            cluster=f"c{k // 6}" if k % 3 == 0 else f"d{k}",
        )
        for k in range(start, start + n)
    ]


def model(wrong: Sequence[int] = (), *, frail: Sequence[int] = ()) -> FakeModel:
    """Right but for the texts whose number is in `wrong`, and in `frail` once they are in capitals."""

    def rule(text: object) -> tuple[float, ...]:
        words = str(text).split()
        number = next((int(word) for word in words if word.isdigit()), -1)
        right = next((k for k, label in enumerate(LABELS) if label in str(text).lower()), 0)
        shouted = str(text).isupper()
        off = number in wrong or (shouted and number in frail)
        return tuple(2.0 + 0.001 * (number % 7) if k == (right + off) % 3 else 0.0 for k in range(3))

    return FakeModel(rule=rule, card=model_card(labels=LABELS))


def run(
    folder: Path,
    asked: FakeModel,
    examples: Sequence[Example],
    *,
    probes: Sequence[object] = SUITE,
    policy: str | None = POLICY,
    name: str = "tickets",
    packages: Mapping[str, str] | None = None,
    versions: Mapping[str, int] | None = None,
    created: str = "2026-01-01T00:00:00Z",
) -> RunFolder:
    """Run the probes, keep records and outcomes, and judge by `policy` unless it is None."""
    made, steps = RunFolder(folder), []
    sample = hashlib.sha256("".join(sorted(e.id for e in examples)).encode()).hexdigest()
    for probe in probes:
        step_id = hashlib.sha256(f"{folder.name}{probe.info.id}".encode()).hexdigest()[:12]
        found = list(probe.run(asked, examples, Context(probe=probe.info.id)))
        records = [record for record in found if not isinstance(record, Outcomes)]
        outcomes = next((record for record in found if isinstance(record, Outcomes)), None)
        end = StepEnd(status="done", records=len(records), items=len(outcomes) if outcomes else 0)
        write_atomic(made.step_path(step_id), "".join(to_line(each) + "\n" for each in [*records, end]).encode())
        if outcomes is not None:
            write_atomic(made.outcomes_path(step_id), parquet(outcomes))
        steps.append(
            PlannedStep(
                step_id=step_id, probe=probe.info.id, version=(versions or {}).get(probe.info.id, probe.info.version),
                risk=probe.info.risk, title=probe.info.title, items=len(examples), calls=1, sample=sample,
            )
        )  # fmt: skip
    text = policy or POLICY
    manifest = Manifest(
        schema_version=SCHEMA_VERSION,
        run_id=f"{name}-{folder.name}",
        created=created,
        command=(),
        config={},
        policy=text,
        policy_digest=parse_policy(text, name="policy").digest,
        seed=0,
        model=asked.card.model_copy(
            update={"name": name, "fingerprint": hashlib.sha256(folder.name.encode()).hexdigest()}
        ),
        data=DataCard(
            name="tickets.csv", source="tickets.csv", fingerprint=data_fingerprint(examples), n=len(examples),
            labelled=len(examples),
        ),
        environment=Environment(
            tool="1", python="3", platform="p", device="cpu", device_name="c", dtype="float32", threads=1,
            packages=dict(packages or {"numpy": "2.1"}),
        ),
        steps=tuple(steps),
        skips=(),
        methodology={},
        suite="full",
    )  # fmt: skip
    write_atomic(made.manifest_path, manifest.model_dump_json().encode())
    if policy is not None:
        run_gate(made, parse_policy(text, name="policy"))
    return made


def picked(share: float, *, n: int = 300, seed: int = 0) -> list[int]:
    """Numbers of texts, drawn."""
    return [int(k) for k in np.flatnonzero(np.random.default_rng(seed).random(n) < share)]
