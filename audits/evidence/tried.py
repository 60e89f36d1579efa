"""Do the ledger of attempts and the run agree: how it was frozen, what was tried before it, what came out last.

Of a disagreement the line of the ledger is named, since the run folder alone looks whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from audits.evidence.checked import Checked, Outcome
from audits.evidence.history import lines_about, other_results, unrecorded
from audits.evidence.ledger import LEDGER, Line, has_ledger, ledger_of, read_ledger, refrozen
from audits.evidence.recording import frozen_line
from probes.core.attestation import ATTEMPTS
from probes.core.errors import IntegrityError
from probes.core.run_folder import RunFolder
from reports.numbers import plural

_NAME = "ledger of attempts"


def checked_ledger(run: RunFolder) -> Checked:
    """The ledger beside the run folder, where there is one."""
    if not has_ledger(run):
        told = f"there is no ledger beside the run folder; {ATTEMPTS} was checked by its digest alone"
        return Checked(_NAME, Outcome.NOT_DONE, told)
    try:
        lines = read_ledger(ledger_of(run))
    except IntegrityError as error:
        return _failed(error.message, LEDGER)
    held = Checked(_NAME, Outcome.OK, f"{plural(len(lines), 'line')}, each bound to the one before")
    return (
        _begun(run, lines)
        or _frozen(run, lines)
        or _earlier(run, lines)
        or _judged(run, lines)
        or _measured(run, lines)
        or held
    )


def _failed(told: str, *files: str) -> Checked:
    return Checked(_NAME, Outcome.FAILED, told, files)


def _begun(run: RunFolder, lines: Sequence[Line]) -> Checked | None:
    """Every run is written down when it is frozen, so one without that line was renamed, or the ledger is another."""
    if any(line.event == "frozen" for _, line in lines_about(lines, run.manifest())):
        return None
    told = f"the ledger {ledger_of(run)} has no line of the freezing of this run: either is not what it was"
    return _failed(f"{told}, or they do not belong together", LEDGER)


def _frozen(run: RunFolder, lines: Sequence[Line]) -> Checked | None:
    """Policy, model and data are those that the run was frozen with: policy and manifest could change together."""
    found = refrozen(lines, frozen_line(run))
    if found is None:
        return None
    told = f"line {found.number} of the ledger {ledger_of(run)} says that this run was frozen with {found.told}"
    return _failed(told, LEDGER, run.manifest_path.name)


def _earlier(run: RunFolder, lines: Sequence[Line]) -> Checked | None:
    missing = unrecorded(run, lines)
    if not missing:
        return None
    named = ", ".join(f"{each} (line {_first(lines, each)})" for each in missing)
    return _failed(f"{ATTEMPTS} lacks earlier runs that the ledger {ledger_of(run)} has: {named}", ATTEMPTS)


def _first(lines: Sequence[Line], run_id: str) -> int:
    return next(number for number, line in enumerate(lines, start=1) if line.run_id == run_id)


def _judged(run: RunFolder, lines: Sequence[Line]) -> Checked | None:
    """The last verdict is the one that was written down."""
    written = [(number, line) for number, line in lines_about(lines, run.manifest()) if line.event == "judged"][-1:]
    verdict = run.verdict() if run.findings_path.exists() else None
    stored = [(verdict.policy_digest, verdict.exit_code)] if verdict else []
    if [(line.policy_digest, line.exit_code) for _, line in written] == stored:
        return None
    where = f"line {written[0][0]} of the ledger" if written else "the ledger"
    told = f"{where} {ledger_of(run)} and {run.findings_path.name} disagree about the last verdict"
    return _failed(told, LEDGER, run.findings_path.name)


def _measured(run: RunFolder, lines: Sequence[Line]) -> Checked | None:
    """The results are those that were judged last: a folder that was judged and sealed again elsewhere looks whole."""
    number = other_results(run, lines)
    if number is None:
        return None
    told = f"line {number} of the ledger {ledger_of(run)} says that this run was judged on other results than it holds"
    return _failed(told, LEDGER)
