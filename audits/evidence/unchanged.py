"""May one go on from a run: is it what was sealed, and does it hold what was judged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from audits.evidence.bundle import Bundle, BundledFile, bundled, files_of
from audits.evidence.history import other_results
from audits.evidence.ledger import ledger_of, read_ledger
from audits.evidence.recording import record_reopened
from probes.core.attestation import ATTEMPTS, BUNDLE, read_canonical
from probes.core.errors import IntegrityError
from probes.core.run_folder import RunFolder
from reports.formats import FORMATS
from reports.pdf import PDF
from reports.render import FOLDER, INDEX, SCRIPT, STYLE

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
    present = {name: bundled(run.file(name), name) for name in names if run.file(name).is_file()}
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
