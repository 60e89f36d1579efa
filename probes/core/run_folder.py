"""The run folder: the interface between measuring, judging and reporting.

manifest.json                 frozen before the first step
steps/<step-id>.jsonl         records; last line StepEnd. Same inputs, same bytes
steps/<step-id>.parquet       per-item outcomes, where the probe has them
steps/<step-id>.failed.jsonl  what a crashed step had produced, and its traceback
telemetry/<step-id>.json      seconds and engine counters: facts about one execution, not results
policy.yaml, waivers.yaml     what it was last judged by, as read
comparison.json               measurements of the difference to a baseline, where there is one
findings.json, report.html    derived, and derived again at will; so are the files for CI beside them
bundle.json                   digests of all of the above
attest/                       statements about the bundle and their signatures
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from probes.core.comparison import Comparison
from probes.core.errors import IntegrityError, OutputError, UsageError
from probes.core.findings import Verdict
from probes.core.manifest import Manifest
from probes.core.records import SCHEMA_VERSION, Frozen, Record, StepEnd, from_line


class Telemetry(Frozen):
    """What one execution of a step cost.

    asked: texts asked for; distinct: after removing repeats; cached: answered from the cache; computed: sent through
    the model; tokens: in what was sent, padding not counted; forward_seconds: inside the model; way: how texts were
    classified where not by the code of the network alone, such as "packed".
    """

    seconds: float
    asked: int = 0
    distinct: int = 0
    cached: int = 0
    computed: int = 0
    tokens: int = 0
    forward_seconds: float = 0.0
    way: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """A step as read back from disk; `end.status` says whether it finished."""

    step_id: str
    records: tuple[Record, ...]
    end: StepEnd
    telemetry: Telemetry | None


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths and reading of one run folder."""

    path: Path

    @property
    def manifest_path(self) -> Path:
        return self.path / "manifest.json"

    @property
    def findings_path(self) -> Path:
        return self.path / "findings.json"

    @property
    def report_path(self) -> Path:
        return self.path / "report.html"

    @property
    def policy_path(self) -> Path:
        return self.path / "policy.yaml"

    @property
    def waivers_path(self) -> Path:
        return self.path / "waivers.yaml"

    @property
    def comparison_path(self) -> Path:
        return self.path / "comparison.json"

    @property
    def bundle_path(self) -> Path:
        return self.path / "bundle.json"

    @property
    def attestations(self) -> Path:
        return self.path / "attest"

    def file(self, name: str) -> Path:
        """A derived file at the top of the folder."""
        return self.path / name

    def step_path(self, step_id: str) -> Path:
        return self.path / "steps" / f"{step_id}.jsonl"

    def failed_path(self, step_id: str) -> Path:
        return self.path / "steps" / f"{step_id}.failed.jsonl"

    def outcomes_path(self, step_id: str) -> Path:
        return self.path / "steps" / f"{step_id}.parquet"

    def telemetry_path(self, step_id: str) -> Path:
        return self.path / "telemetry" / f"{step_id}.json"

    def manifest(self) -> Manifest:
        """Read the manifest.

        Raises:
            UsageError: when this is no run folder, or one that another version of the tool wrote in another format.
            IntegrityError: when the manifest is not one of ours.
        """
        self.require_format()
        try:
            return Manifest.model_validate_json(self._manifest())
        except ValidationError as error:
            raise _damaged(self.manifest_path, error) from None

    def require_format(self) -> None:
        """Refuse a run that another version of the tool wrote in another format, saying which; nothing else is read.

        Raises:
            UsageError: when it is one, or no run folder.
        """
        _require_this_format(self.path, self._manifest())

    def _manifest(self) -> bytes:
        try:
            return self.manifest_path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise UsageError(
                f"not a run folder: {self.path}", hint="pass the folder that `audit run` printed"
            ) from None

    def verdict(self) -> Verdict:
        """Read what the gate concluded last."""
        try:
            return Verdict.model_validate_json(self.findings_path.read_bytes())
        except FileNotFoundError:
            raise UsageError(f"not judged yet: {self.path}", hint=f"run `audit gate {self.path}` first") from None
        except ValidationError as error:
            raise _damaged(self.findings_path, error) from None

    def comparison(self) -> Comparison | None:
        """The comparison with a baseline, where there is one."""
        try:
            return Comparison.model_validate_json(self.comparison_path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise _damaged(self.comparison_path, error) from None

    def step(self, step_id: str) -> StepResult | None:
        """A finished or failed step, or None when neither is on disk. A finished one wins."""
        for path in (self.step_path(step_id), self.failed_path(step_id)):
            if path.exists():
                records, end = _read_lines(path)
                return StepResult(step_id=step_id, records=records, end=end, telemetry=self._telemetry(step_id))
        return None

    def _telemetry(self, step_id: str) -> Telemetry | None:
        try:
            return Telemetry.model_validate_json(self.telemetry_path(step_id).read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise _damaged(self.telemetry_path(step_id), error) from None


def write_atomic(path: Path, content: bytes) -> None:
    """Write beside the target, flush to disk, rename over it: a reader sees the old file or the new one, whole.

    Raises:
        OutputError: when the disk is full or the folder cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}",
            hint="free some space or choose another folder with --out; finished steps are kept",
        ) from error


_AGAIN = "delete this file and run the same command again"


def _read_lines(path: Path) -> tuple[tuple[Record, ...], StepEnd]:
    # Split at "\n" alone: texts may hold U+2028 and other characters that splitlines() would break at.
    try:
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        read = [from_line(line) for line in lines]
    except ValidationError as error:
        raise _damaged(path, error) from None
    except UnicodeDecodeError:
        raise IntegrityError(f"damaged: {path} is not UTF-8 text", hint=_AGAIN) from None
    end = read.pop()
    records = tuple(record for record in read if not isinstance(record, StepEnd))
    if not isinstance(end, StepEnd) or not len(records) == len(read) == end.records:
        raise IntegrityError(f"cut short, or lines are missing: {path}", hint=_AGAIN)
    return records, end


def _require_this_format(run: Path, manifest: bytes) -> None:
    """Read without the schema, which is that of this format alone."""
    try:
        content = json.loads(manifest)
        found, tool = content["schema_version"], content["environment"]["tool"]
    except (ValueError, KeyError, TypeError):
        return  # no manifest of any version: reading it by the schema says what is wrong
    if type(found) is not int or found == SCHEMA_VERSION:
        return
    than = "a newer" if found > SCHEMA_VERSION else "an older"
    told = f"{run} was written by {_printable(tool)} in {than} format ({found}; this version reads {SCHEMA_VERSION})"
    raise UsageError(told, hint="read it with the version that wrote it, or run the audit again with this one")


def _printable(name: object) -> str:
    return "".join(c if c.isprintable() else "?" for c in str(name)[:60])


def _damaged(path: Path, error: ValidationError) -> IntegrityError:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return IntegrityError(
        f"damaged or from another version: {path} ({where}: {first['msg']})",
        hint="delete the run folder and run the audit again",
    )
