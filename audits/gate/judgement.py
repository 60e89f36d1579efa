"""From measurements and a policy to a verdict. Pure but for `run_gate`, which reads a run folder and writes findings.

Nothing is praised for being absent: a step that crashed or never ran, a required check without a measurement, a
blocking check that matches nothing and a policy that judged nothing each make the audit incomplete.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audits.gate.absences import Absence, absences, measurements, unasked, uncompared, unmatched
from audits.gate.decide import Case, Decision, decide
from audits.gate.rounding import rounding
from audits.gate.sentence import DECIDED, GATING, circumstances, sentence
from audits.gate.waivers import Waivers, apply, require_within
from audits.policy.policy import Check, Policy, frozen_policy
from audits.policy.published import PUBLISHED
from probes.core.comparison import Comparison
from probes.core.findings import ExitCode, Finding, Level, Status, Verdict, WaiverState, WaiverUse
from probes.core.manifest import Manifest, PlannedStep
from probes.core.records import SCHEMA_VERSION, Measurement, Unit
from probes.core.run_folder import RunFolder, StepResult, write_atomic
from reports.marks import visible
from reports.numbers import in_words, part_in_words

Results = Mapping[str, StepResult | None]
"""Step id -> what is on disk; None or no key where there is nothing."""


def run_gate(run: RunFolder, policy: Policy, *, waivers: Waivers | None = None) -> Verdict:
    """Judge a run and write `findings.json`: same run, policy and waivers, same bytes.

    Raises:
        UsageError: when this is no run folder, or a waiver lasts longer than the policy allows.
        PolicyError: when the policy does not fit the run.
        IntegrityError: when stored results are damaged, or the frozen policy is not the one recorded.
        OutputError: when the findings cannot be written.
    """
    verdict = judgement(run, policy, waivers=waivers)
    write_atomic(run.findings_path, findings_json(verdict))
    return verdict


def judgement(run: RunFolder, policy: Policy, *, waivers: Waivers | None = None) -> Verdict:
    """What `run_gate` would write; raises likewise."""
    manifest = run.manifest()
    frozen_policy(manifest)
    steps = {step.step_id: run.step(step.step_id) for step in manifest.steps}
    return judge(manifest, steps, policy, waivers=waivers, comparison=run.comparison())


def findings_json(verdict: Verdict) -> bytes:
    """The content of `findings.json`."""
    return (verdict.model_dump_json(indent=1) + "\n").encode()


def judge(
    manifest: Manifest,
    steps: Results,
    policy: Policy,
    *,
    waivers: Waivers | None = None,
    comparison: Comparison | None = None,
) -> Verdict:
    """Apply a policy to what was measured.

    Args:
        manifest: of the run.
        steps: see `Results`.
        policy: need not be the one frozen with the run, but then the verdict says so.
        waivers: exceptions that people granted.
        comparison: with a baseline, whose numbers are judged like those of the run.

    Raises:
        PolicyError: when a check names no probe that this run could have had, or limits the wrong side of a number.
        UsageError: when a waiver lasts longer than the policy allows.
    """
    policy.require_known(manifest.probes)  # an old run may hold numbers that no probe publishes today
    if waivers is not None:
        require_within(waivers, days=policy.max_waiver_days)
    active = policy.active(manifest.model.problem)
    numbers = _numbers(manifest, steps, comparison)
    judged = _judged(numbers, policy, manifest, steps)
    missing = _missing(manifest, active, steps, numbers, comparison)
    findings = [_finding(item.case, item.decision, policy) for item in judged]
    findings += _absent(missing, _titles(manifest), policy)
    findings, uses = _excepted(findings, policy, manifest, waivers)
    lacking = _incomplete(_on(active), judged, missing)
    verdict = _verdict(manifest, policy, findings, lacking=lacking, uses=uses, comparison=comparison)
    return verdict if waivers is None else verdict.model_copy(update=_dated(waivers))


def _on(active: Sequence[Check]) -> list[Check]:
    """Those of the checks that are not off."""
    return [check for check in active if check.level is not Level.OFF]


def _missing(
    manifest: Manifest,
    active: Sequence[Check],
    steps: Results,
    numbers: Sequence[tuple[PlannedStep, Measurement]],
    comparison: Comparison | None,
) -> list[Absence]:
    """All that the policy asks about and that was not measured."""
    checks = _on(active)
    own = [check for check in active if not check.needs_baseline]
    found = absences(manifest, steps, own)
    found += uncompared([check for check in checks if check.needs_baseline], manifest, comparison)
    able = [check for check in checks if comparison or not check.needs_baseline]
    present, ran = [(step.probe, number.key) for step, number in numbers], [step.probe for step in manifest.steps]
    found += unmatched(able, present=present, missing=found, ran=ran)
    return found + unasked(able, manifest)


def _excepted(
    findings: list[Finding], policy: Policy, manifest: Manifest, waivers: Waivers | None
) -> tuple[list[Finding], tuple[WaiverUse, ...]]:
    """The findings with the exceptions that people granted."""
    if waivers is None:
        return findings, ()
    return apply(findings, waivers, model=manifest.model, non_waivable=policy.non_waivable)


def _verdict(
    manifest: Manifest,
    policy: Policy,
    findings: Sequence[Finding],
    *,
    lacking: Sequence[str],
    uses: tuple[WaiverUse, ...],
    comparison: Comparison | None,
) -> Verdict:
    exit_code = _exit_code(findings, incomplete=bool(lacking), waivers=uses)
    counts = Counter(finding.status for finding in findings)
    blocks = any(check.level is Level.BLOCK for check in policy.effective)
    told = sentence(exit_code, findings, lacking=lacking, blocks=blocks, waivers=uses)
    told += circumstances(manifest, exit_code, findings, said=told, policy=policy.digest, comparison=comparison)
    return Verdict(
        schema_version=SCHEMA_VERSION,
        run_id=manifest.run_id,
        policy_id=policy.id,
        policy_digest=policy.digest,
        policy_file=policy.path,
        exit_code=exit_code,
        sentence=told,
        counts={status.value: counts[status] for status in Status},
        findings=findings,
        waivers=uses,
        baseline=comparison.baseline if comparison else None,
    )


def _dated(waivers: Waivers) -> dict[str, str]:
    """Which file of exceptions counted, and on which day."""
    return {"waivers_digest": waivers.digest, "as_of": waivers.as_of.isoformat()}


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


def _titles(manifest: Manifest) -> dict[str, str]:
    """Probe id -> its title."""
    return {skip.probe: skip.title for skip in manifest.skips} | {step.probe: step.title for step in manifest.steps}


def _numbers(
    manifest: Manifest, steps: Results, comparison: Comparison | None
) -> list[tuple[PlannedStep, Measurement]]:
    """All that was measured, each step's own numbers before those against the baseline."""
    found: list[tuple[PlannedStep, Measurement]] = []
    for step in manifest.steps:
        compared = comparison.of(step.step_id) if comparison else None
        differences = compared.measurements if compared else ()
        found += [(step, number) for number in (*measurements(steps.get(step.step_id)), *differences)]
    return found


def _judged(
    numbers: Sequence[tuple[PlannedStep, Measurement]], policy: Policy, manifest: Manifest, steps: Results
) -> list[_Judged]:
    """Every measurement that a check decides about, with what follows."""
    cases = _cases(numbers, policy, manifest, steps)
    return [_Judged(case, decision) for case, decision in zip(cases, decide(cases), strict=True)]


def _cases(
    numbers: Sequence[tuple[PlannedStep, Measurement]], policy: Policy, manifest: Manifest, steps: Results
) -> list[Case]:
    """Every measurement with the check that decides about it, unless that one is off."""
    cases = []
    for step, number in numbers:
        check = policy.deciding(step.probe, number.key, manifest.model.problem)
        if check and check.level is not Level.OFF:
            result = steps.get(step.step_id)
            moved = rounding(number, result.records if result else (), dtype=manifest.environment.dtype)
            cases.append(Case(check=check, step=step, measurement=number, rounding=moved))
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


def _exit_code(findings: Sequence[Finding], *, incomplete: bool, waivers: Sequence[WaiverUse]) -> ExitCode:
    blocking = {finding.status for finding in findings if finding.level is Level.BLOCK and finding.decisive}
    if incomplete:
        return ExitCode.INCOMPLETE
    if Status.FAIL in blocking:
        return ExitCode.FAILED
    # A blocking check that could not be made is for a person to decide: it is neither the model's fault nor a pass.
    # So is a waiver that is not in order: somebody believes that something is accepted, and it is not.
    disorder = any(use.state is not WaiverState.USED for use in waivers)
    undecided = blocking & {Status.INCONCLUSIVE, Status.NOT_RUN}
    return ExitCode.INCONCLUSIVE if undecided or disorder else ExitCode.PASSED


def _finding(case: Case, decision: Decision, policy: Policy) -> Finding:
    check, found = case.check, case.measurement
    where = part_in_words(found.slice)
    title = f"{case.step.title}: {found.title}" + (f" ({where})" if where else "")
    told = in_words(found.estimate, found.unit, minimum=check.minimum, maximum=check.maximum, name=found.name)
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
        policy_line=policy.line_of(check),
    )


def _absent(missing: Sequence[Absence], titles: Mapping[str, str], policy: Policy) -> list[Finding]:
    """A row for each check that was not made and each probe that broke.

    Where one absence says that this very number is missing, others that merely concern the check are left out.
    """
    rows: list[Finding] = []
    for absence in missing:
        if absence.status is Status.ERROR or not absence.checks:
            rows.append(_row(absence, policy, name=absence.name, title=absence.title, level=absence.level))
            continue
        for check in absence.checks:
            exact = _names(absence, check)
            if exact or not any(_names(other, check) for other in missing if other.probe == absence.probe):
                title = absence.title if exact else _title(titles.get(absence.probe, absence.title), check)
                name = absence.name if exact else f"{absence.probe}.{check.key}"
                rows.append(_row(absence, policy, name=name, title=title, level=check.level, check=check))
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


def _unit(probe: str, check: Check) -> Unit | None:
    """In what the number would have been, as far as that is known, so that its limit is told likewise."""
    number = PUBLISHED.get(probe, {}).get(check.key.partition("[")[0])
    return number.unit if number else None


def _row(
    absence: Absence, policy: Policy, *, name: str, title: str, level: Level, check: Check | None = None
) -> Finding:
    return Finding(
        check=name,
        probe=absence.probe,
        risk=absence.risk,
        title=title,
        status=absence.status,
        level=level,
        message=visible(absence.message),
        slice=absence.slice,
        unit=_unit(absence.probe, check) if check else None,
        minimum=check.minimum if check else None,
        maximum=check.maximum if check else None,
        rationale=check.rationale if check else "",
        source=check.source if check else "",
        enable=absence.enable,
        decisive=absence.decisive,
        policy_line=policy.line_of(check) if check else None,
    )
