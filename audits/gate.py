"""From measurements and a policy to a verdict. Pure but for `run_gate`, which reads a run folder and writes findings.

Nothing is praised for being absent: a step that crashed or never ran, a required check without a measurement, a
blocking check that matches nothing and a policy that judged nothing each make the audit incomplete.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audits.absences import Absence, absences, measurements, unmatched
from audits.decide import Case, Decision, decide
from audits.policy import Check, Policy, frozen_policy
from probes.core.findings import ExitCode, Finding, Level, Status, Verdict
from probes.core.manifest import Manifest
from probes.core.records import SCHEMA_VERSION
from probes.core.run_folder import RunFolder, StepResult, write_atomic
from reports.marks import visible
from reports.numbers import in_words, part_in_words, plural

Results = Mapping[str, StepResult | None]
"""Step id -> what is on disk; None or no key where there is nothing."""

DECIDED = frozenset({Status.PASS, Status.FAIL, Status.INCONCLUSIVE})
GATING = frozenset({Level.BLOCK, Level.WARN})


def run_gate(run: RunFolder, policy: Policy) -> Verdict:
    """Judge a run and write `findings.json`: same run and policy, same bytes.

    Raises:
        UsageError: when this is no run folder.
        PolicyError: when the policy does not fit the run.
        IntegrityError: when stored results are damaged, or the frozen policy is not the one recorded.
        OutputError: when the findings cannot be written.
    """
    manifest = run.manifest()
    frozen_policy(manifest)
    verdict = judge(manifest, {step.step_id: run.step(step.step_id) for step in manifest.steps}, policy)
    write_atomic(run.findings_path, (verdict.model_dump_json(indent=1) + "\n").encode())
    return verdict


def judge(manifest: Manifest, steps: Results, policy: Policy) -> Verdict:
    """Apply a policy to what was measured.

    Args:
        manifest: of the run.
        steps: see `Results`.
        policy: need not be the one frozen with the run, but then the verdict says so.

    Raises:
        PolicyError: when a check names no probe of this run, or limits the wrong side of a number.
    """
    policy.require_known(_probes(manifest))
    checks = [check for check in policy.active(manifest.model.problem) if check.level is not Level.OFF]
    cases = _cases(manifest, steps, policy)
    judged = [_Judged(case, decision) for case, decision in zip(cases, decide(cases), strict=True)]
    missing = absences(manifest, steps, policy.active(manifest.model.problem))
    missing += unmatched(checks, present=_present(manifest, steps), missing=missing)
    findings = [_finding(item.case, item.decision) for item in judged] + [_absent(absence) for absence in missing]
    lacking = _incomplete(checks, judged, missing)
    exit_code = _exit_code(findings, incomplete=bool(lacking))
    counts = Counter(finding.status for finding in findings)
    return Verdict(
        schema_version=SCHEMA_VERSION,
        run_id=manifest.run_id,
        policy_id=policy.id,
        policy_digest=policy.digest,
        exit_code=exit_code,
        sentence=_sentence(exit_code, findings, lacking) + _other_policy(manifest, policy),
        counts={status.value: counts[status] for status in Status},
        findings=findings,
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    case: Case
    decision: Decision

    @property
    def decided(self) -> bool:
        return self.decision.status in DECIDED

    def settles(self, check: Check) -> bool:
        """Was something decided that the check is about."""
        return self.decided and check.matches(self.case.step.probe, self.case.measurement.key)


def _probes(manifest: Manifest) -> set[str]:
    return {step.probe for step in manifest.steps} | {skip.probe for skip in manifest.skips} | set(manifest.methodology)


def _present(manifest: Manifest, steps: Results) -> list[tuple[str, str]]:
    return [(step.probe, found.key) for step in manifest.steps for found in measurements(steps.get(step.step_id))]


def _cases(manifest: Manifest, steps: Results, policy: Policy) -> list[Case]:
    """Every measurement with the last check that matches it, unless that one is off."""
    meant = [check for check in policy.checks if manifest.model.problem in check.problems]
    cases = []
    for step in manifest.steps:
        for found in measurements(steps.get(step.step_id)):
            check = next((check for check in reversed(meant) if check.matches(step.probe, found.key)), None)
            if check and check.level is not Level.OFF:
                cases.append(Case(check=check, step=step, measurement=found))
    return cases


def _incomplete(checks: Sequence[Check], judged: Sequence[_Judged], missing: Sequence[Absence]) -> list[str]:
    """Why no verdict on the model can be given, in plain words; empty where one can."""
    reasons = []
    for check in checks:
        if check.required and not any(item.settles(check) for item in judged):
            why = [absence.sentence for absence in missing if check in absence.checks]
            reasons += why[:1] or [f"The required check {check.check} could not be judged."]
    reasons = [absence.sentence for absence in missing if absence.status is Status.ERROR] + reasons
    reasons += [absence.sentence for absence in missing if absence.fatal]
    for item in judged:
        if item.decision.status is Status.ERROR:
            reasons.append(f"{item.case.name} could not be judged: {item.decision.reason}")
    if not any(item.decided and item.case.check.level in GATING for item in judged):
        reasons.append("Nothing that the policy gates on was measured.")
    return list(dict.fromkeys(reasons))


def _exit_code(findings: Sequence[Finding], *, incomplete: bool) -> ExitCode:
    blocking = {finding.status for finding in findings if finding.level is Level.BLOCK and finding.decisive}
    if incomplete:
        return ExitCode.INCOMPLETE
    if Status.FAIL in blocking:
        return ExitCode.FAILED
    # A blocking check that could not be made is for a person to decide: it is neither the model's fault nor a pass.
    return ExitCode.INCONCLUSIVE if blocking & {Status.INCONCLUSIVE, Status.NOT_RUN} else ExitCode.PASSED


def _finding(case: Case, decision: Decision) -> Finding:
    check, found = case.check, case.measurement
    where = part_in_words(found.slice)
    title = f"{case.step.title}: {found.title}" + (f" ({where})" if where else "")
    told = in_words(found.estimate, found.unit, minimum=check.minimum, maximum=check.maximum)
    return Finding(
        check=case.name,
        probe=case.step.probe,
        risk=case.step.risk,
        title=title,
        status=decision.status,
        level=check.level,
        message=visible(f"{title[:1].upper()}{title[1:]}: {told}. {decision.reason}"),
        measurement=found.name,
        slice=found.slice,
        estimate=found.estimate,
        better=found.better,
        unit=found.unit,
        minimum=check.minimum,
        maximum=check.maximum,
        burden=check.burden,
        alpha=check.alpha,
        bound=decision.bound,
        needed_n=decision.needed_n,
        family=case.family,
        rationale=check.rationale,
        source=check.source,
        decisive=decision.decisive,
    )


def _absent(absence: Absence) -> Finding:
    only = absence.checks[0] if len(absence.checks) == 1 else None
    return Finding(
        check=absence.name,
        probe=absence.probe,
        risk=absence.risk,
        title=absence.title,
        status=absence.status,
        level=absence.level,
        message=visible(absence.message),
        slice=absence.slice,
        minimum=only.minimum if only else None,
        maximum=only.maximum if only else None,
        rationale=only.rationale if only else "",
        source=only.source if only else "",
        enable=absence.enable,
        decisive=absence.decisive,
    )


def _sentence(exit_code: ExitCode, findings: Sequence[Finding], lacking: Sequence[str]) -> str:
    blocking = [finding for finding in findings if finding.level is Level.BLOCK and finding.decisive]
    failed = [finding for finding in blocking if finding.status is Status.FAIL]
    undecided = [finding for finding in blocking if finding.status is Status.INCONCLUSIVE]
    decided = sum(finding.status in DECIDED for finding in blocking)
    if exit_code is ExitCode.INCOMPLETE:
        besides = f" Of what was measured, {plural(len(failed), 'blocking check')} failed." if failed else ""
        return visible(f"The audit is incomplete, so it gives no verdict. {_first(lacking)}{besides}")
    if exit_code is ExitCode.FAILED:
        checks = plural(decided, "blocking check")
        return f"Blocked: {len(failed)} of {checks} failed. {_first([f.message for f in failed])}{_mute(findings)}"
    if exit_code is ExitCode.INCONCLUSIVE:
        unmeasured = [f for f in blocking if f.status is Status.NOT_RUN]
        return _undecided(undecided, unmeasured, decided=decided) + _mute(findings)
    warned = sum(f.level is Level.WARN and f.status in (Status.FAIL, Status.INCONCLUSIVE) for f in findings)
    aside = f"; {plural(warned, 'check')} that only warn did not" if warned else ""
    if not decided:
        return f"Nothing blocks: no blocking check of this policy applies to this model{aside}.{_mute(findings)}"
    return f"The gate passed: all blocking checks that apply were met ({decided}){aside}.{_mute(findings)}"


def _mute(findings: Sequence[Finding]) -> str:
    """The blocking alarms that nothing in the data could set off."""
    mute = sum(finding.level is Level.BLOCK and not finding.decisive for finding in findings)
    return f" Besides, {plural(mute, 'blocking alarm')} had too little data to sound or to clear." if mute else ""


def _undecided(undecided: Sequence[Finding], unmeasured: Sequence[Finding], *, decided: int) -> str:
    parts = []
    if undecided:
        need = "needs" if len(undecided) == 1 else "need"
        parts.append(f"{len(undecided)} of {plural(decided, 'blocking check')} {need} more items or a human decision")
    if unmeasured:
        were = "was" if len(unmeasured) == 1 else "were"
        parts.append(f"{plural(len(unmeasured), 'blocking check')} {were} not measured")
    reasons = [finding.message for finding in undecided] + [f"{f.title}: {f.message}" for f in unmeasured]
    return visible(f"Not decided: {', and '.join(parts)}. {_first(reasons)}")


def _first(reasons: Sequence[str]) -> str:
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return f"{reasons[0]}{more}"


def _other_policy(manifest: Manifest, policy: Policy) -> str:
    if policy.digest == manifest.policy_digest:
        return ""
    return " Judged by another policy than the one frozen before the run."
