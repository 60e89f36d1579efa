"""What is written into the ledger: that a run begins, what came out of it, and that it is measured further."""

from __future__ import annotations

from audits.evidence.history import known, last_judged, merged, up_to
from audits.evidence.ledger import Event, Line, append, has_ledger, ledger_of, read_ledger
from audits.evidence.measured import results_digest
from audits.policy.policy import frozen_policy
from probes.core.attestation import ATTEMPTS, Attempts, canonical
from probes.core.findings import Verdict
from probes.core.manifest import Manifest
from probes.core.records import SCHEMA_VERSION
from probes.core.run_folder import RunFolder, write_atomic


def record_frozen(run: RunFolder) -> Attempts:
    """Write down that a run has begun; a run that is resumed is no new attempt.

    Raises:
        IntegrityError: naming the line at which the ledger was changed, or that says that the run was frozen otherwise.
        OutputError: when it cannot be written.
    """
    return _record(run, frozen_line(run))


def frozen_line(run: RunFolder) -> Line:
    """What stands in the ledger of a run that has begun, but for the line before it."""
    manifest = run.manifest()
    policy = frozen_policy(manifest)
    return _line(manifest, "frozen", time=manifest.created, policy_id=policy.id, policy_digest=policy.digest)


def record_judged(run: RunFolder, verdict: Verdict, *, time: str) -> Attempts:
    """Write down what came out of which results; nothing is added where the last judgement of this run was the same.

    Where there is no ledger at all, as beside a run that was moved, it begins with the freezing of this run.

    Args:
        time: UTC, ISO 8601.

    Raises:
        IntegrityError: naming the line at which the ledger was changed.
        OutputError: when it cannot be written.
    """
    line = _line(
        run.manifest(), "judged", time=time, policy_id=verdict.policy_id, policy_digest=verdict.policy_digest
    ).model_copy(update={"exit_code": verdict.exit_code, "results": results_digest(run)})
    if not has_ledger(run):
        record_frozen(run)
    return _record(run, line)


def record_reopened(run: RunFolder, *, time: str) -> None:
    """Write down that a judged run is measured further; nothing is added about a run that was not judged.

    Args:
        time: UTC, ISO 8601.

    Raises:
        IntegrityError: naming the line at which the ledger was changed.
        OutputError: when it cannot be written.
    """
    manifest = run.manifest()
    if last_judged(read_ledger(ledger_of(run)), manifest) is not None:
        policy = frozen_policy(manifest)
        line = _line(manifest, "reopened", time=time, policy_id=policy.id, policy_digest=policy.digest)
        append(ledger_of(run), line)


def _line(manifest: Manifest, event: Event, *, time: str, policy_id: str, policy_digest: str) -> Line:
    return Line(
        event=event,
        time=time,
        run_id=manifest.run_id,
        created=manifest.created,
        model=manifest.model.fingerprint,
        data=manifest.data.fingerprint,
        policy_id=policy_id,
        policy_digest=policy_digest,
    )


def _record(run: RunFolder, line: Line) -> Attempts:
    lines = append(ledger_of(run), line)
    found = Attempts(
        schema_version=SCHEMA_VERSION,
        run_id=line.run_id,
        created=line.created,
        model=line.model,
        policy_digest=line.policy_digest,
        # A run folder that was moved has left its ledger behind: what it knew already stays.
        attempts=merged(known(run), up_to(lines, run=line.run, model=line.model)),
    )
    content = canonical(found)
    if not run.file(ATTEMPTS).exists() or run.file(ATTEMPTS).read_bytes() != content:
        write_atomic(run.file(ATTEMPTS), content)
    return found
