"""`bundle.json`: what a run folder holds, by digest, in canonical JSON (RFC 8785).

Everything in it follows from the folder, so that sealing twice gives the same bytes, and anybody can make it again and
compare. `attest/` and `bundle.json` itself are left out, because what is there speaks about the bundle.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Literal

from audits.evidence.ledger import ledger_of, other_results, read_ledger, record_reopened
from probes.core.attestation import ATTEMPTS, BUNDLE, Attempts, canonical, read_canonical
from probes.core.errors import IntegrityError
from probes.core.manifest import Manifest
from probes.core.records import SCHEMA_VERSION, Frozen
from probes.core.run_folder import RunFolder, write_atomic
from reports.formats import FORMATS
from reports.pdf import PDF
from reports.render import FOLDER, INDEX, SCRIPT, STYLE


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


PRODUCTS = frozenset(
    {
        "policy.yaml",
        "waivers.yaml",
        "comparison.json",
        ATTEMPTS,
        "findings.json",
        "report.html",
        PDF,
        *(f"{FOLDER}/{name}" for name in (INDEX, STYLE, SCRIPT)),
        *(form.file for form in FORMATS.values()),
    }
)
"""What is written, or made again, whenever a run is judged or rendered. Everything else only measuring writes."""


def require_unchanged(run: RunFolder) -> None:
    """Refuse to go on from a sealed run in which anything but its products was changed, removed or added: sealing it
    again would hide that. The products are made again. Sealed or not, a run that the ledger beside it knows as judged
    must hold the results that were judged; one that it does not know and that was never sealed is taken as it is.

    Raises:
        UsageError: when another version of the tool wrote it.
        IntegrityError: naming the files, or the line of the ledger.
    """
    if run.bundle_path.is_file():
        _require_sealed_files(run)
    _require_judged_results(run)


def require_verdict_as_sealed(run: RunFolder) -> None:
    """Refuse a sealed run of which manifest or findings are not those in its bundle: for readers that make nothing
    again. No other file is read, so it takes no time; `require_unchanged` and `audit verify` look at the rest.

    Raises:
        UsageError: when another version of the tool wrote it.
        IntegrityError: naming the files.
    """
    if not run.bundle_path.is_file():
        return
    names = {run.manifest_path.name, run.findings_path.name}
    recorded = {file.path: file for file in _recorded(run) if file.path in names}
    present = {name: _bundled(run.file(name), name) for name in names if run.file(name).is_file()}
    changed = sorted(name for name in names if present.get(name) != recorded.get(name))
    if changed:
        raise IntegrityError(
            f"{run.path} was changed since it was sealed ({_some(changed)})",
            hint=f"find out who changed it; after an interruption `audit gate {run.path}` seals it",
        )


def _require_judged_results(run: RunFolder) -> None:
    lines = read_ledger(ledger_of(run))
    number = other_results(run, lines) if lines else None
    if number is None:
        return
    gone = "" if run.bundle_path.is_file() else f", and its {BUNDLE} is gone"
    raise IntegrityError(
        f"{run.path} was judged before on other results than it holds now"
        f" (line {number} of the ledger {ledger_of(run)}){gone}",
        hint="do not rely on this run; find out who changed it, or delete it and run the audit again",
    )


def _require_sealed_files(run: RunFolder) -> None:
    recorded, present = (
        {file.path: file for file in files if file.path not in PRODUCTS} for files in (_recorded(run), files_of(run))
    )
    changed = sorted(path for path, file in recorded.items() if present.get(path) != file)
    added = sorted(present.keys() - recorded.keys())
    if changed:
        raise IntegrityError(
            f"{run.path} is not what was sealed ({_some(changed)})",
            hint="do not rely on this run; find out who changed it, or delete it and run the audit again",
        )
    if added:
        raise IntegrityError(
            f"{run.path} holds what was not there when it was sealed ({_some(added)})",
            hint="find out who put it there, and move it out of the run folder",
        )


def unseal(run: RunFolder) -> None:
    """Before a run is measured further: what is there from now on is not what was sealed, nor what was judged.

    Raises:
        IntegrityError: when the ledger was changed.
        OutputError: when it cannot be written.
    """
    run.bundle_path.unlink(missing_ok=True)
    record_reopened(run, time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _recorded(run: RunFolder) -> tuple[BundledFile, ...]:
    try:
        return read_canonical(run.bundle_path, Bundle).files
    except IntegrityError:
        run.require_format()  # a run of another version has another kind of bundle, and is not damaged
        raise


def _some(paths: Sequence[str]) -> str:
    return f"{', '.join(paths[:8])}{' and more' if len(paths) > 8 else ''}"


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
    return tuple(_bundled(run.path / path, path) for path in sorted(_walk(run.path)))


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


def _bundled(path: Path, inside: str) -> BundledFile:
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
