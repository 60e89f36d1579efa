"""Sign-offs: a person decides about a run, under their name, bound to the digest of its bundle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from audits.evidence.bundle import Bundle
from audits.evidence.signing import sign_statement
from audits.evidence.statements import subjects
from audits.persons import person, same_person
from probes.core.attestation import (
    SIGNOFF,
    Decision,
    Role,
    SignoffRecord,
    SignoffState,
    Statement,
    bundle_digest,
    canonical,
    read_canonical,
    signoff_files,
    signoffs,
)
from probes.core.errors import OutputError, UsageError
from probes.core.findings import ExitCode
from probes.core.manifest import Manifest
from probes.core.run_folder import RunFolder, write_atomic
from reports.load import load
from reports.render import render_loaded

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIGNED_COPY = "report.html"
"""Below `attest/`."""


def sign_off(
    run: RunFolder,
    *,
    reviewer: str,
    role: Role,
    decision: Decision,
    on: date,
    conditions: Iterable[str] = (),
    reason: str = "",
    dissent: str = "",
    preparer: str = "",
    key: Ed25519PrivateKey | None = None,
) -> Path:
    """Put a decision on record, in the next free `attest/signoff-<n>.json`; signed where a key is given.

    The run should have been verified: the statement is about its bundle, whatever that says.

    Args:
        on: the day of the decision.
        preparer: who ran the audit; by default as the sign-offs of this bundle say, or as the run declares. What it
            declares as its auditor counts in any case.

    Raises:
        UsageError: when the rules for sign-offs do not allow it.
        IntegrityError: when the bundle is damaged.
        OutputError: when it cannot be written.
    """
    digest, earlier = bundle_digest(run), preparers(run)
    bundle, manifest = read_canonical(run.bundle_path, Bundle), run.manifest()
    if bundle.verdict is None:
        raise UsageError(f"not judged yet: {run.path}", hint=f"run `audit gate {run.path}` first")
    record = SignoffRecord(
        reviewer=_text(reviewer),
        role=role,
        decision=decision,
        conditions=tuple(_text(condition) for condition in conditions),
        reason=_text(reason),
        dissent=_text(dissent),
        preparer=_text(preparer) or next(iter(earlier), "") or _text(manifest.card.auditor),
        date=on.isoformat(),
        verdict=bundle.verdict.exit_code,
    )
    require_allowed(record, manifest)
    require_same_preparer(record, earlier)
    statement = Statement(
        subject=subjects(bundle, digest=digest), predicate_type=SIGNOFF, predicate=record.model_dump(mode="json")
    )
    return _write(run, canonical(sign_statement(statement, key) if key else statement))


def write_signed_copy(run: RunFolder) -> Path:
    """Write `attest/report.html`: the report with the digest of the bundle and every sign-off.

    The report in the bundle cannot hold them: they are about it. The copy says of no signature that it is valid, so
    that anybody can make it again from the folder; `audit verify --key` says that.

    Raises:
        IntegrityError: when a statement is damaged.
        OutputError: when it cannot be written.
    """
    path = run.attestations / SIGNED_COPY
    write_atomic(path, signed_copy(run))
    return path


def signed_copy(run: RunFolder) -> bytes:
    """What `write_signed_copy` writes; raises likewise."""
    return render_loaded(replace(load(run), signoffs=signoffs(run), bundle=bundle_digest(run)))


def require_allowed(record: SignoffRecord, manifest: Manifest) -> None:
    """The rules for sign-offs.

    Raises:
        UsageError: saying which one is broken.
    """
    if not person(record.reviewer):
        raise UsageError("a sign-off needs a name", hint="give it with --reviewer")
    if record.date < manifest.created[:10]:
        raise UsageError(
            f"the sign-off of {record.date} is older than the run, {manifest.created[:10]}", hint="correct --date"
        )
    _require_conditions(record)
    _require_reason(record)
    if record.role is Role.APPROVER:
        _require_another_person(record, manifest)


def require_same_preparer(record: SignoffRecord, earlier: Sequence[str]) -> None:
    """One audit has one preparer: otherwise two people could approve each other's work in turn.

    Args:
        earlier: who prepared it as the earlier sign-offs of the same bundle say.

    Raises:
        UsageError: when they say somebody else, or name whoever approves now.
    """
    for preparer in earlier:
        if record.role is Role.APPROVER and same_person(record.reviewer, preparer):
            raise _prepared_by(record.reviewer)
        if person(record.preparer) and not same_person(record.preparer, preparer):
            raise UsageError(
                f"an earlier sign-off says that {preparer} prepared the audit, and not {record.preparer}",
                hint="leave out --preparer, or name the same person; an audit has one preparer",
            )


def preparers(run: RunFolder, *, before: str = "") -> list[str]:
    """Who prepared the audit, as the sign-offs of its bundle say, the first one first.

    Args:
        before: file of a sign-off; only those that were given before it are asked. Empty: all are.

    Raises:
        IntegrityError: naming a file that is damaged.
    """
    earlier = takewhile(lambda signoff: signoff.file != before, signoffs(run))
    valid = (signoff.record for signoff in earlier if signoff.state is SignoffState.VALID)
    return [record.preparer for record in valid if person(record.preparer)]


def _require_conditions(record: SignoffRecord) -> None:
    conditional = record.decision is Decision.ACCEPT_WITH_CONDITIONS
    if not all(record.conditions) or conditional != bool(record.conditions):
        if conditional:
            raise UsageError("an acceptance with conditions needs conditions", hint="give each with --condition TEXT")
        raise UsageError(
            f"conditions do not go with the decision {record.decision.value!r}",
            hint="use --decision accept-with-conditions, or give what is to be said with --reason",
        )


def _require_reason(record: SignoffRecord) -> None:
    """Whoever accepts what the gate did not pass says why; what failed or is incomplete needs conditions as well."""
    if record.verdict == ExitCode.PASSED or record.decision is Decision.REJECT:
        return
    if record.verdict != ExitCode.INCONCLUSIVE and record.decision is Decision.ACCEPT:
        raise UsageError(
            "the gate did not pass this run, so it cannot be accepted as it is",
            hint="use --decision reject, or accept-with-conditions with --condition and --reason",
        )
    if not record.reason:
        raise UsageError("the gate did not pass this run: say why it is accepted", hint="give it with --reason TEXT")


def _require_another_person(record: SignoffRecord, manifest: Manifest) -> None:
    preparers = [name for name in (record.preparer, manifest.card.auditor) if person(name)]
    if not preparers:
        raise UsageError(
            "it is not known who prepared the audit, so nobody can approve it as somebody else",
            hint="name them with --preparer, or as `auditor` in the section `card` of audit.yaml",
        )
    if any(same_person(record.reviewer, preparer) for preparer in preparers):
        raise _prepared_by(record.reviewer)


def _prepared_by(reviewer: str) -> UsageError:
    return UsageError(
        f"{reviewer} prepared the audit and cannot approve it",
        hint="let somebody else approve it; --role reviewer is open to everybody",
    )


def _text(given: str) -> str:
    return " ".join(given.split())


def _write(run: RunFolder, content: bytes) -> Path:
    """In a file that was not there before: a sign-off is never overwritten."""
    numbers = [int(path.stem.removeprefix("signoff-")) for path in signoff_files(run)]
    path = run.attestations / f"signoff-{max(numbers, default=0) + 1}.json"
    try:
        run.attestations.mkdir(exist_ok=True)
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise OutputError(f"{path} appeared at the same moment", hint="run the command again") from None
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}", hint="choose a folder that you may write to"
        ) from None
    return path
