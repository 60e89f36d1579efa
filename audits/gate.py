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
    findings = [_finding(item.case, item.decision) for item in judged] + _absent(missing, _titles(manifest))
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


def _titles(manifest: Manifest) -> dict[str, str]:
    """Probe id -> its title."""
    return {skip.probe: skip.title for skip in manifest.skips} | {step.probe: step.title for step in manifest.steps}


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
            why = [_why(absence, check) for absence in missing if check in absence.checks]
            reasons += why[:1] or [f"The required check {check.check} could not be judged."]
    reasons = [absence.sentence for absence in missing if absence.status is Status.ERROR] + reasons
    reasons += [_why(absence, *absence.checks[:1]) for absence in missing if absence.fatal]
    for item in judged:
        if item.decision.status is Status.ERROR:
            reasons.append(f"{item.case.name} could not be judged: {item.decision.reason}")
    if not any(item.decided and item.case.check.level in GATING for item in judged):
        reasons.append("Nothing that the policy gates on was measured.")
    return list(dict.fromkeys(reasons))


def _why(absence: Absence, check: Check | None = None) -> str:
    """Why a check was not made, under the name that the policy gives it; of a step that broke, why it did."""
    if check is None or (absence.fatal and absence.name == absence.probe):
        return absence.sentence
    kind = "required check" if check.required else "check"
    how = f" To measure it: {absence.enable}." if absence.enable else ""
    return f"{absence.title}: the {kind} {check.check} was not measured. {absence.message}{how}"


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


def _absent(missing: Sequence[Absence], titles: Mapping[str, str]) -> list[Finding]:
    """A row for each check that was not made and each probe that broke.

    Where one absence says that this very number is missing, others that merely concern the check are left out.
    """
    rows: list[Finding] = []
    for absence in missing:
        if absence.status is Status.ERROR or not absence.checks:
            rows.append(_row(absence, name=absence.name, title=absence.title, level=absence.level))
            continue
        for check in absence.checks:
            exact = _names(absence, check)
            if exact or not any(_names(other, check) for other in missing if other.probe == absence.probe):
                title = absence.title if exact else _title(titles.get(absence.probe, absence.title), check)
                name = absence.name if exact else f"{absence.probe}.{check.key}"
                rows.append(_row(absence, name=name, title=title, level=check.level, check=check))
    return list({(row.check, tuple(row.slice.items())): row for row in reversed(rows)}.values())[::-1]


def _names(absence: Absence, check: Check) -> bool:
    """Is the absence that of a number the check is about, or of the check itself."""
    key = absence.name.removeprefix(f"{absence.probe}.")
    return absence.name == check.check or check.matches(absence.probe, key)


def _title(probe: str, check: Check) -> str:
    """What a check is about, in words: "Keyboard typos: accuracy drop (severity 2)"."""
    name, _, part = check.key.rstrip("]").partition("[")
    settings = dict(setting.split("=", 1) for setting in part.split(",") if "=" in setting and "*" not in setting)
    where = f" ({part_in_words(settings)})" if settings else ""
    return probe if "*" in name else f"{probe}: {name.replace('_', ' ')}{where}"


def _row(absence: Absence, *, name: str, title: str, level: Level, check: Check | None = None) -> Finding:
    return Finding(
        check=name,
        probe=absence.probe,
        risk=absence.risk,
        title=title,
        status=absence.status,
        level=level,
        message=visible(absence.message),
        slice=absence.slice,
        minimum=check.minimum if check else None,
        maximum=check.maximum if check else None,
        rationale=check.rationale if check else "",
        source=check.source if check else "",
        enable=absence.enable,
        decisive=absence.decisive,
    )


def _sentence(exit_code: ExitCode, findings: Sequence[Finding], lacking: Sequence[str]) -> str:
    blocking = [finding for finding in findings if finding.level is Level.BLOCK and finding.decisive]
    asked = sum(finding.status is not Status.NOT_APPLICABLE for finding in blocking)
    decided = sum(finding.status in DECIDED for finding in blocking)
    failed = [finding for finding in blocking if finding.status is Status.FAIL]
    if exit_code is ExitCode.INCOMPLETE:
        besides = f" Of what was measured, {plural(len(failed), 'blocking check')} failed." if failed else ""
        return visible(f"The audit is incomplete, so it gives no verdict. {_first(lacking)}{besides}")
    if exit_code is ExitCode.FAILED:
        checks = plural(asked, "blocking check")
        return f"Blocked: {len(failed)} of {checks} failed. {_first([f.message for f in failed])}{_mute(findings)}"
    if exit_code is ExitCode.INCONCLUSIVE:
        return _undecided(blocking, asked=asked) + _mute(findings)
    warned = sum(f.level is Level.WARN and f.status in (Status.FAIL, Status.INCONCLUSIVE) for f in findings)
    aside = f"; {plural(warned, 'check')} that only warn did not" if warned else ""
    if not decided:
        return f"Nothing blocks: no blocking check of this policy applies to this model{aside}.{_mute(findings)}"
    return f"The gate passed: all blocking checks that apply were met ({decided}){aside}.{_mute(findings)}"


def _mute(findings: Sequence[Finding]) -> str:
    """The blocking alarms that nothing in the data could set off."""
    mute = sum(finding.level is Level.BLOCK and not finding.decisive for finding in findings)
    return f" Besides, {plural(mute, 'blocking alarm')} had too little data to sound or to clear." if mute else ""


def _undecided(blocking: Sequence[Finding], *, asked: int) -> str:
    """What holds up the verdict; `asked` is how many blocking checks apply, whether or not they were measured."""
    undecided = [finding for finding in blocking if finding.status is Status.INCONCLUSIVE]
    unmeasured = [finding for finding in blocking if finding.status is Status.NOT_RUN]
    checks = f"of {plural(asked, 'blocking check')}"
    were = "was not measured" if len(unmeasured) == 1 else "were not measured"
    if undecided:
        need = "needs" if len(undecided) == 1 else "need"
        told = f"{len(undecided)} {checks} {need} more items or a human decision"
        told += f", and {len(unmeasured)} {were}" if unmeasured else ""
    else:
        told = f"{len(unmeasured)} {checks} {were}"
    reasons = [finding.message for finding in undecided] + [_unmeasured(finding) for finding in unmeasured]
    return visible(f"Not decided: {told}. {_first(reasons)}")


def _unmeasured(finding: Finding) -> str:
    how = f" To measure it: {finding.enable}." if finding.enable else ""
    return f"{finding.title}: the check {finding.check} was not measured. {finding.message}{how}"


def _first(reasons: Sequence[str]) -> str:
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return f"{reasons[0]}{more}"


def _other_policy(manifest: Manifest, policy: Policy) -> str:
    if policy.digest == manifest.policy_digest:
        return ""
    return " Judged by another policy than the one frozen before the run."
