"""Where a number stands: file, line and digest, so that a reader can go from a finding to the record it rests on."""

from __future__ import annotations

from collections.abc import Iterator

from probes.core.comparison import SUFFIX
from probes.core.findings import Finding
from probes.core.records import Measurement
from reports.load import Loaded

_COMPARISON = "comparison.json"


def pointer(finding: Finding, loaded: Loaded) -> str:
    """The file and line that a finding rests on with the file's SHA-256; "" where it rests on no file."""
    where = next(_places(finding, loaded), None)
    if where is None:
        return ""
    path, line = where
    digest = next((file.sha256 for file in loaded.files if file.path == path), "")
    return f"{path}{line}" + (f", SHA-256 {digest}" if digest else "")


def _places(finding: Finding, loaded: Loaded) -> Iterator[tuple[str, str]]:
    """The record itself, or else the step it would stand in."""
    if SUFFIX in (finding.measurement or "") and loaded.comparison is not None:
        yield _COMPARISON, ""
    steps = [
        step.step_id for step in loaded.manifest.steps if step.probe == finding.probe and step.step_id in loaded.steps
    ]
    for step_id in steps:
        for line, record in enumerate(loaded.steps[step_id].records, start=1):
            if (
                isinstance(record, Measurement)
                and record.name == finding.measurement
                and dict(record.slice) == dict(finding.slice)
            ):
                yield _file(step_id, loaded), f", line {line}"
    for step_id in steps:
        yield _file(step_id, loaded), ""


def _file(step_id: str, loaded: Loaded) -> str:
    failed = ".failed" if loaded.steps[step_id].end.status == "failed" else ""
    return f"steps/{step_id}{failed}.jsonl"
