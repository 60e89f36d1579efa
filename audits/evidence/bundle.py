"""`bundle.json`: what a run folder holds, by digest, in canonical JSON (RFC 8785).

Everything in it follows from the folder, so that sealing twice gives the same bytes, and anybody can make it again and
compare. `attest/` and `bundle.json` itself are left out, because what is there speaks about the bundle.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

from probes.core.attestation import ATTEMPTS, BUNDLE, Attempts, canonical, read_canonical
from probes.core.errors import IntegrityError
from probes.core.manifest import Manifest
from probes.core.records import SCHEMA_VERSION, Frozen
from probes.core.run_folder import RunFolder, write_atomic


class BundledFile(Frozen):
    """A file of the run, its path relative to the folder and with "/"."""

    path: str
    sha256: str
    size: int
    media_type: str
    role: str


class NamedDigest(Frozen):
    """A model or a data set by its fingerprint."""

    name: str
    fingerprint: str


class FreezeRecord(Frozen):
    """When the manifest was frozen, its digest, and the policy in it."""

    frozen: str
    manifest_sha256: str
    policy_digest: str


class BundledVerdict(Frozen):
    """What the gate said, and by which policy."""

    exit_code: int
    sentence: str
    policy_id: str
    policy_digest: str


class EarlierAttempts(Frozen):
    """Other runs of the same model under the same policy: how many, and what each gave last (None: never judged)."""

    count: int
    outcomes: tuple[int | None, ...]
    other_policies: int


class Bundle(Frozen):
    """The content of `bundle.json`.

    Attributes:
        tool: that made the measurements.
        domains: data of other kinds, by name.
        attempts: None where no ledger was kept.
        files: sorted by path.
    """

    kind: Literal["bundle"] = "bundle"
    schema_version: int = SCHEMA_VERSION
    tool: str
    run_id: str
    created: str
    model: NamedDigest
    data: NamedDigest
    domains: Mapping[str, NamedDigest]
    freeze: FreezeRecord
    verdict: BundledVerdict | None
    attempts: EarlierAttempts | None
    files: tuple[BundledFile, ...]


def seal(run: RunFolder) -> str:
    """Write `bundle.json` and return its digest. The last act of a run: whatever is written later is not in it.

    Raises:
        UsageError: when this is no run folder.
        IntegrityError: when a file is damaged, or something in the folder is no plain file.
        OutputError: when it cannot be written.
    """
    content = canonical(make_bundle(run))
    if not run.bundle_path.is_file() or run.bundle_path.read_bytes() != content:
        write_atomic(run.bundle_path, content)
    return hashlib.sha256(content).hexdigest()


def make_bundle(run: RunFolder, files: Sequence[BundledFile] | None = None) -> Bundle:
    """What `seal` would write; raises likewise. `files` where they have been read already."""
    manifest = run.manifest()
    files = tuple(files_of(run) if files is None else files)
    frozen = next(file.sha256 for file in files if file.path == run.manifest_path.name)
    return Bundle(
        tool=manifest.environment.tool,
        run_id=manifest.run_id,
        created=manifest.created,
        model=NamedDigest(name=manifest.model.name, fingerprint=manifest.model.fingerprint),
        data=NamedDigest(name=manifest.data.name, fingerprint=manifest.data.fingerprint),
        domains={
            name: NamedDigest(name=card.name, fingerprint=card.fingerprint) for name, card in manifest.domains.items()
        },
        freeze=FreezeRecord(frozen=manifest.created, manifest_sha256=frozen, policy_digest=manifest.policy_digest),
        verdict=_verdict(run, manifest),
        attempts=_attempts(run),
        files=files,
    )


def files_of(run: RunFolder) -> tuple[BundledFile, ...]:
    """All files that belong in the bundle, as they are, sorted by path; unfinished ones are left out.

    Raises:
        IntegrityError: naming what is no plain file (a link, a device) or has a name that is no Unicode.
    """
    return tuple(bundled(run.path / path, path) for path in sorted(_walk(run.path)))


def _walk(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        if here == root:
            _require_plain(root, [root / "attest"] if "attest" in folders else [])
            folders[:] = [name for name in folders if name != "attest"]
        _require_plain(root, [here / name for name in folders])
        for name in names:
            path = here / name
            inside = path.relative_to(root).as_posix()
            if inside == BUNDLE or name.endswith(".partial"):
                continue
            _require_plain(root, [path])
            yield inside


def _require_plain(root: Path, paths: list[Path]) -> None:
    for path in paths:
        inside = path.relative_to(root).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise IntegrityError(
                f"{path} is no plain file or folder, so its content could be elsewhere",
                hint="put the content itself there, or remove it",
            )
        if not inside.isprintable() or not _is_unicode(inside):
            raise IntegrityError(
                f"a file in {root} has a name that cannot be recorded: {inside!r}", hint="rename or remove it"
            )


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def bundled(path: Path, inside: str) -> BundledFile:
    """A file as the bundle records it; `inside` is its path in the run folder."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    return BundledFile(
        path=inside,
        sha256=digest,
        size=size,
        media_type=_MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
        role=_role(PurePosixPath(inside)),
    )


_MEDIA_TYPES = {
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".parquet": "application/vnd.apache.parquet",
    ".html": "text/html",
    ".yaml": "application/yaml",
    ".xml": "application/xml",
    ".sarif": "application/sarif+json",
    ".md": "text/markdown",
    ".txt": "text/plain",
    ".css": "text/css",
    ".js": "text/javascript",
    ".pdf": "application/pdf",
}

_ROLES = {
    "manifest.json": "manifest",
    "policy.yaml": "policy",
    "waivers.yaml": "waivers",
    "comparison.json": "comparison",
    ATTEMPTS: "attempts",
    "findings.json": "findings",
    "report.html": "report",
}


def _role(path: PurePosixPath) -> str:
    if path.parent == PurePosixPath("steps"):
        if path.name.endswith(".failed.jsonl"):
            return "failed step"
        return {".jsonl": "records", ".parquet": "outcomes"}.get(path.suffix, "other")
    if path.parent in (PurePosixPath("telemetry"), PurePosixPath("report")):
        return path.parent.name
    return _ROLES.get(str(path), "other" if len(path.parts) > 1 else "derived")


def _verdict(run: RunFolder, manifest: Manifest) -> BundledVerdict | None:
    if not run.findings_path.exists():
        return None
    verdict = run.verdict()
    if verdict.run_id != manifest.run_id:
        raise IntegrityError(
            f"{run.findings_path} holds the findings of another run, {verdict.run_id}",
            hint=f"run `audit gate {run.path}` to judge this run",
        )
    return BundledVerdict(
        exit_code=verdict.exit_code,
        sentence=verdict.sentence,
        policy_id=verdict.policy_id,
        policy_digest=verdict.policy_digest,
    )


def _attempts(run: RunFolder) -> EarlierAttempts | None:
    path = run.file(ATTEMPTS)
    if not path.exists():
        return None
    attempts = read_canonical(path, Attempts)
    return EarlierAttempts(
        count=len(attempts.same_policy),
        outcomes=tuple(each.outcomes[-1].exit_code if each.outcomes else None for each in attempts.same_policy),
        other_policies=attempts.other_policies,
    )
