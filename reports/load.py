"""Everything a report is made of, read from a run folder once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from probes.core.attestation import ATTEMPTS, Attempts, Signoff, read_canonical
from probes.core.comparison import Comparison
from probes.core.errors import IntegrityError
from probes.core.findings import Finding, Verdict
from probes.core.manifest import Manifest, PlannedStep
from probes.core.records import Record
from probes.core.run_folder import RunFolder, StepResult


@dataclass(frozen=True, slots=True)
class FileDigest:
    """A file of the run folder as it was when the report was made."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A run folder in memory.

    Attributes:
        verdict: None where nothing has been judged yet.
        comparison: with a baseline; None where none was named.
        attempts: what had been tried with this model; None where no ledger was kept.
        judged_by: text of the policy that judged it; "" where only the frozen one is at hand.
        steps: by step id; a planned step that is missing here has not finished.
        files: what the report was made from, sorted by path.
        signoffs: what people decided about the run, for a copy that is made after it was sealed.
        bundle: digest of the bundle that this is a copy of; "" in the report that is part of it.
    """

    manifest: Manifest
    verdict: Verdict | None
    comparison: Comparison | None = None
    attempts: Attempts | None = None
    judged_by: str = ""
    steps: Mapping[str, StepResult]
    files: tuple[FileDigest, ...]
    signoffs: tuple[Signoff, ...] = ()
    bundle: str = ""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the gate found; empty where nothing has been judged."""
        return tuple(self.verdict.findings) if self.verdict else ()

    @property
    def titles(self) -> Mapping[str, str]:
        """Probe id -> title, of every probe that was planned or left out."""
        left_out = {skip.probe: skip.title for skip in self.manifest.skips}
        return left_out | {step.probe: step.title for step in self.manifest.steps}

    def records(self) -> Iterator[tuple[PlannedStep, Record]]:
        """All records in the order of the plan."""
        for planned in self.manifest.steps:
            if planned.step_id in self.steps:
                for record in self.steps[planned.step_id].records:
                    yield planned, record


def load(run: RunFolder) -> Loaded:
    """Read a run folder.

    Raises:
        UsageError: when it is no run folder.
        IntegrityError: when a file is damaged, or the findings are those of another run.
    """
    manifest = run.manifest()
    verdict = run.verdict() if run.findings_path.exists() else None
    if verdict is not None and verdict.run_id != manifest.run_id:
        raise IntegrityError(
            f"findings of another run in {run.path}: {verdict.run_id} instead of {manifest.run_id}",
            hint=f"run `audit gate {run.path}` to judge this run",
        )
    found = ((planned.step_id, run.step(planned.step_id)) for planned in manifest.steps)
    return Loaded(
        manifest=manifest,
        verdict=verdict,
        comparison=run.comparison(),
        attempts=read_canonical(run.file(ATTEMPTS), Attempts) if run.file(ATTEMPTS).exists() else None,
        judged_by=run.policy_path.read_bytes().decode(errors="replace") if run.policy_path.exists() else "",
        steps={step_id: step for step_id, step in found if step is not None},
        files=tuple(_digest(path, run.path) for path in _evidence_files(run)),
    )


def _evidence_files(run: RunFolder) -> list[Path]:
    steps = [*run.path.glob("steps/*.jsonl"), *run.path.glob("steps/*.parquet")]
    judged_by = (run.policy_path, run.waivers_path, run.comparison_path, run.file(ATTEMPTS))
    top = [path for path in (run.manifest_path, run.findings_path, *judged_by) if path.exists()]
    return sorted([*top, *steps])


def _digest(path: Path, root: Path) -> FileDigest:
    content = path.read_bytes()
    return FileDigest(path.relative_to(root).as_posix(), len(content), hashlib.sha256(content).hexdigest())
