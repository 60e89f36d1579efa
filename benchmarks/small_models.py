"""Small classifiers fine-tuned on public data, and audits of them: what the benchmarks on real data share."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from audits.demo.sources import encoder_folder
from probes.core.examples import Example
from probes.core.records import Measurement
from probes.core.run_folder import RunFolder
from probes.core.sampling import stratified
from probes.model.finetune import Recipe, finetune

TRAIN_ON = 4000


def train(examples: Sequence[Example], labels: tuple[str, ...], out: Path) -> Path:
    """MiniLM with a head, one pass over at most TRAIN_ON labelled examples; kept when it is there already."""
    if (out / "config.json").exists():
        return out
    chosen = stratified(examples, limit=TRAIN_ON, seed=0)
    finetune(
        encoder_folder(),
        [str(example.text) for example in chosen],
        [str(example.gold) for example in chosen],
        labels=labels,
        out=out,
        recipe=Recipe(),
        checkpoint=out.with_suffix(".safetensors"),
    )
    return out


def audit(model: Path, out: Path, *flags: str) -> tuple[RunFolder, int, float]:
    """The run folder, the exit code and the seconds of one audit."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "audits", "run", "--model", str(model), "--out", str(out), *flags]
    done = subprocess.run(command, check=False)
    return newest(out), done.returncode, time.perf_counter() - begin


def newest(out: Path) -> RunFolder:
    """The last run folder under a folder."""
    return RunFolder(max((path for path in out.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime))


def numbers(run: RunFolder) -> dict[tuple[str, str], Measurement]:
    """(probe, measurement key) -> measurement."""
    found = {}
    for step in run.manifest().steps:
        result = run.step(step.step_id)
        for record in result.records if result else ():
            if isinstance(record, Measurement):
                found[step.probe, record.key] = record
    return found


def cell(measurement: Measurement | None) -> str:
    """Value (95 % interval), n."""
    if measurement is None:
        return "not run"
    estimate = measurement.estimate
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f}), {estimate.n}"
