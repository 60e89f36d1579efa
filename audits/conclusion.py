"""What follows from measurements, in its one order: comparison, verdict, ledger, report, formats, bundle.

Whoever changes anything of it, by another policy, a waiver or a baseline, makes all of it again, so that no file of a
run speaks of a state that the others have left.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audits.comparison.baseline import compare_with, require_another_run, require_same_data, write_comparison
from audits.evidence.bundle import seal
from audits.evidence.recording import record_judged
from audits.evidence.unchanged import require_unchanged
from audits.gate.judgement import findings_json, judgement
from audits.gate.waivers import Waivers, load_waivers
from audits.policy.policy import Policy
from probes.core.findings import ExitCode, Verdict
from probes.core.run_folder import RunFolder, write_atomic
from reports.formats import publish_to_github, write_formats
from reports.load import Loaded, load
from reports.pdf import PDF, write_pdf
from reports.render import Layout, report_path, write_report


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How the report is written.

    Attributes:
        unmask: offensive words and personal data are shown.
        pdf: as PDF as well.
    """

    unmask: bool = False
    layout: Layout = "single"
    pdf: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """A concluded run; `verdict` is None where it was not judged.

    Attributes:
        report: where the report begins.
        bundle: SHA-256 of `bundle.json`.
        annotations: lines for the log of a GitHub job; empty elsewhere.
    """

    run: RunFolder
    report: Path
    verdict: Verdict | None
    bundle: str
    annotations: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """What the process says: the verdict, or that all went well."""
        return self.verdict.exit_code if self.verdict else ExitCode.PASSED

    @property
    def payload(self) -> dict[str, Any]:
        """For `--json`."""
        verdict = self.verdict.model_dump(mode="json") if self.verdict else {}
        return {"run": str(self.run.path), "bundle_digest": self.bundle, **verdict}


def conclude(
    run: RunFolder,
    policy: Policy | None,
    *,
    waivers: Path | None = None,
    baseline: Path | None = None,
    form: Form | None = None,
) -> Conclusion:
    """Judge a run, write everything that is derived from it, and seal it.

    Args:
        policy: None: measure only, nothing is judged.
        waivers: file of accepted exceptions, as they count today (UTC); None: there are none.
        baseline: run folder to compare with; None: a comparison that the run has already stays.

    Raises:
        UsageError: when a file or folder is not what it should be, or the policy has expired.
        IntegrityError: when the run or the baseline is not what was sealed, or they were measured on different data.
        OutputError: when something cannot be written.
    """
    require_unchanged(run)
    now = datetime.now(UTC)
    if baseline is not None:
        require_another_run(run, RunFolder(baseline))  # before the seal, which a copy that was renamed does not keep
        require_comparable(baseline, data=run.manifest().data.fingerprint)
        write_comparison(run, compare_with(run, RunFolder(baseline)))
    verdict = _judged(run, policy, waivers, now) if policy is not None else None
    form = form or Form()
    loaded = load(run)
    digest = publish(run, form=form, loaded=loaded)
    told = publish_to_github(loaded, os.environ, bundle_digest=digest) if verdict else []
    return Conclusion(
        run=run, report=report_path(run, form.layout), verdict=verdict, bundle=digest, annotations=tuple(told)
    )


def require_comparable(baseline: Path, *, data: str) -> None:
    """Refuse a baseline before anything is measured, rather than after.

    Args:
        data: fingerprint of the data that will be measured on.

    Raises:
        UsageError: when it is no run folder.
        IntegrityError: when it was measured on other data, or is not what was sealed.
    """
    folder = RunFolder(baseline)
    require_same_data(data, folder.manifest())
    require_unchanged(folder)


def publish(run: RunFolder, *, form: Form, loaded: Loaded | None = None) -> str:
    """Write the report and the files for CI, and seal the run; returns the digest of the bundle.

    Args:
        loaded: the run in memory, for those who have read it already.
    """
    loaded = loaded or load(run)
    write_report(run, unmask=form.unmask, layout=form.layout, loaded=loaded)
    if form.pdf:
        write_pdf(run, unmask=form.unmask)
    else:
        run.file(PDF).unlink(missing_ok=True)  # one of an earlier state would speak of that state
    write_formats(run, loaded=loaded)
    return seal(run)


def _judged(run: RunFolder, policy: Policy, waivers: Path | None, now: datetime) -> Verdict:
    policy.require_current(now.date())
    accepted = load_waivers(waivers, as_of=now.date()) if waivers else None
    verdict = judgement(run, policy, waivers=accepted)  # what is refused leaves the run as it was sealed
    write_atomic(run.policy_path, policy.text.encode())
    _keep_waivers(run, accepted)
    write_atomic(run.findings_path, findings_json(verdict))
    record_judged(run, verdict, time=now.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return verdict


def _keep_waivers(run: RunFolder, waivers: Waivers | None) -> None:
    """The file as judged; none where there was none, so that an old one accepts nothing."""
    if waivers is not None:
        write_atomic(run.waivers_path, waivers.text.encode())
        return
    with contextlib.suppress(FileNotFoundError):
        run.waivers_path.unlink()
