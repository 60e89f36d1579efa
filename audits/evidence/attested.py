"""Is what is said about a run in order: signatures, sign-offs, and what has run out since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from audits.evidence.checked import Checked, Outcome, asked
from audits.evidence.rederived import differs
from audits.evidence.signing import Finding, check, keyid
from audits.evidence.signoff import SIGNED_COPY, preparers, require_allowed, require_same_preparer, signed_copy
from audits.evidence.statements import result_of
from probes.core.attestation import (
    BUNDLE,
    TEST_RESULT,
    Envelope,
    Signed,
    SignoffState,
    canonical,
    read_attestation,
    read_signoff,
    signoff_files,
)
from probes.core.findings import WaiverState
from probes.core.run_folder import RunFolder

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def attestations(run: RunFolder, digest: str, keys: Sequence[Ed25519PublicKey], *, intact: bool) -> Iterator[Checked]:
    """Everything under `attest/`, and that each key given has signed something about this bundle."""
    used: set[str] = set()
    for path in sorted(run.attestations.iterdir()) if run.attestations.is_dir() else []:
        name = f"attest/{path.name}"
        if path.name.endswith(".partial"):
            continue
        if path.is_symlink() or not path.is_file():
            yield Checked(name, Outcome.FAILED, f"{name} is no plain file", (name,))
            continue
        answer = asked(name, partial(_attestation, run, path, digest, keys, used, intact=intact))
        yield Checked(name, answer.outcome, answer.sentence, (name,)) if answer.outcome is Outcome.FAILED else answer
    for key in keys:
        if keyid(key) not in used:
            told = f"nothing about this bundle is signed with the key {keyid(key)}"
            yield Checked("signatures", Outcome.FAILED, told, (BUNDLE, "attest/"))
    if not run.attestations.is_dir() and not keys:
        yield Checked("signatures", Outcome.NOT_DONE, "there are none: whoever can write here can also seal again")


def _attestation(
    run: RunFolder, path: Path, digest: str, keys: Sequence[Ed25519PublicKey], used: set[str], *, intact: bool
) -> Checked:
    name = f"attest/{path.name}"
    if path.name == SIGNED_COPY:
        return _signed_copy(run, path, intact=intact)
    if path.name == TEST_RESULT:
        told = _test_result(run, path, digest, intact=intact)
    elif path in signoff_files(run):
        told = _signoff(run, path, digest, intact=intact)
    else:
        return Checked(name, Outcome.NOT_DONE, "not a statement of this tool")
    return told if isinstance(told, Checked) else _signed(path, told, digest, keys, used)


def _test_result(run: RunFolder, path: Path, digest: str, *, intact: bool) -> Checked | str:
    """What it says; or what is wrong with it."""
    name = f"attest/{path.name}"
    statement, envelope = read_attestation(path)
    if envelope is None:
        return Checked(name, Outcome.FAILED, f"{name} is not signed")
    if intact and statement.bundle == digest and canonical(result_of(run)) != envelope.content:
        return differs(run, name, name)
    return f"test result {statement.predicate.get('result')}"


def _signoff(run: RunFolder, path: Path, digest: str, *, intact: bool) -> str:
    """What it says.

    Raises:
        AuditError: when it is damaged, or the rules do not allow it.
    """
    signoff = read_signoff(path, digest=digest)
    record = signoff.record
    if intact and signoff.state is SignoffState.VALID:
        require_allowed(record, run.manifest())
        require_same_preparer(record, preparers(run, before=path.name))
    return f"{record.reviewer}, {record.role.value}, {record.date}: {record.decision.value}"


def _signed(path: Path, told: str, digest: str, keys: Sequence[Ed25519PublicKey], used: set[str]) -> Checked:
    """Whose it is and whether it is about this bundle; the keys that signed are added to `used`."""
    name = f"attest/{path.name}"
    statement, envelope = read_attestation(path)
    found = check(envelope, keys) if envelope is not None and keys else None
    if found is Finding.BROKEN:
        return Checked(name, Outcome.FAILED, f"the signature in {name} is not by the key it names")
    if statement.bundle != digest:
        return Checked(name, Outcome.NOTE, f"{told}; stale: it is about another bundle, {statement.bundle[:12]}")
    if found is Finding.VERIFIED and envelope is not None:
        used.update(signature.keyid for signature in envelope.signatures)
        return Checked(name, Outcome.OK, f"{told}; {Signed.VERIFIED.value}")
    return Checked(name, Outcome.NOT_DONE, f"{told}; {_unverified(envelope, given=bool(keys))}")


def _signed_copy(run: RunFolder, path: Path, *, intact: bool) -> Checked:
    name = f"attest/{path.name}"
    if not intact:
        return Checked(name, Outcome.NOT_DONE, "the files are not those that were sealed")
    if signed_copy(run) == path.read_bytes():
        return Checked(name, Outcome.OK, "the report with the sign-offs: rendering it again gives the same bytes")
    return differs(run, name, name)


def _unverified(envelope: Envelope | None, *, given: bool) -> str:
    if envelope is None:
        return "not signed, so anybody with access could have written it"
    by = ", ".join(signature.keyid[:19] for signature in envelope.signatures)
    return f"signed by another key ({by})" if given else f"signature present, not verified: give --key ({by})"


def expired(run: RunFolder, as_of: date) -> Iterator[Checked]:
    """What has run out since the run was judged."""
    today, verdict = as_of.isoformat(), run.verdict() if run.findings_path.exists() else None
    for waiver in verdict.waivers if verdict else ():
        if waiver.state is WaiverState.USED and waiver.expires < today:
            told = f"the waiver {waiver.id} expired on {waiver.expires}: judge the run again"
            yield Checked("waivers", Outcome.NOTE, told)
    until = run.manifest().card.report_expires
    if until and until < today:
        yield Checked("report", Outcome.NOTE, f"by its own statement it should not be relied upon after {until}")
