"""Judged and sealed run folders without a model."""

from __future__ import annotations

import json
from pathlib import Path

from audits.evidence.bundle import seal
from audits.evidence.recording import record_frozen, record_judged
from audits.gate.judgement import run_gate
from audits.policy.policy import frozen_policy, parse_policy
from probes.core.run_folder import RunFolder
from reports import write_report
from reports.formats import write_formats
from tests.reports import synthetic_run as synthetic

ROOT = Path(__file__).resolve().parents[3]
TOOL = "responsible-audit 9.9.9"
NOW = "2026-11-20T12:00:00Z"


def policy(minimum: float = 0.8, level: str = "block") -> str:
    return f"""\
apiVersion: audit-policy/v1
id: tickets
version: "1"
checks:
  - {{check: performance.quality.accuracy, min: {minimum}, level: {level}, burden: prove_good,
     rationale: agreed, source: product memo}}
  - {{check: robustness.*.flip_rate, max: 0.001, level: warn, burden: prove_bad, rationale: agreed, source: memo}}
"""


def measured(
    folder: Path, *, text: str = "", run_id: str = "tickets-20261120-1a2b3c", created: str = "", auditor: str = ""
) -> RunFolder:
    """A run with its manifest and steps, not judged."""
    text = text or policy()
    steps = [
        synthetic.Step("performance.quality", "Quality of the answers", synthetic.quality_records()),
        *synthetic.perturbation_steps(2),
    ]
    digest = parse_policy(text, name="policy").digest
    run = synthetic.write(folder, steps, None, policy=text, run_id=run_id)
    content = json.loads(run.manifest_path.read_text(encoding="utf-8"))
    content["policy_digest"] = digest
    content["environment"]["tool"] = TOOL
    content["created"] = created or content["created"]
    content["card"]["auditor"] = auditor
    run.manifest_path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    (folder / "steps" / f"{steps[0].step_id}.parquet").write_bytes(b"PAR1" + bytes(range(256)) + b"PAR1")
    return run


def written_down(run: RunFolder, *, text: str = "", time: str = NOW) -> None:
    """Judge and write in the ledger; neither rendered nor sealed."""
    chosen = parse_policy(text, name="policy") if text else frozen_policy(run.manifest())
    run.policy_path.write_text(chosen.text, encoding="utf-8")
    record_frozen(run)
    record_judged(run, run_gate(run, chosen), time=time)


def tried(folder: Path, **how: str) -> RunFolder:
    """A run of which the ledger alone matters."""
    run = measured(folder, **how)
    written_down(run)
    return run


def judged(run: RunFolder, *, text: str = "", time: str = NOW, unmask: bool = False) -> str:
    """Judge, render and seal, as the commands do."""
    written_down(run, text=text, time=time)
    write_report(run, unmask=unmask)
    write_formats(run)
    return seal(run)


def sealed(folder: Path, **how: str) -> RunFolder:
    run = measured(folder, **how)
    judged(run)
    return run


def flip(path: Path, place: int, bit: int = 1) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= bit
    path.write_bytes(bytes(content))
