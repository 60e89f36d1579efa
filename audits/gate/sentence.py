"""The verdict in words: one sentence with its reason, for a reader who does not know the field."""

from __future__ import annotations

from collections.abc import Sequence

from probes.core.comparison import Comparison
from probes.core.findings import ExitCode, Finding, Level, Status, WaiverState, WaiverUse
from probes.core.manifest import Manifest
from probes.core.records import SkipReason
from reports.marks import visible
from reports.numbers import plural
from reports.ranking import ordered

DECIDED = frozenset({Status.PASS, Status.FAIL, Status.INCONCLUSIVE})
GATING = frozenset({Level.BLOCK, Level.WARN})


def sentence(
    exit_code: ExitCode,
    findings: Sequence[Finding],
    *,
    lacking: Sequence[str],
    blocks: bool,
    waivers: Sequence[WaiverUse] = (),
) -> str:
    """The verdict in words.

    Args:
        findings: in any order; the first to be named is the first of the report's register.
        lacking: why no verdict on the model can be given; empty where one can.
        blocks: has the policy any check that blocks, be it for other models.
        waivers: all that were given; those not in order are told.
    """
    blocking = [finding for finding in ordered(findings) if finding.level is Level.BLOCK and finding.decisive]
    asked = sum(finding.status is not Status.NOT_APPLICABLE for finding in blocking)
    decided = sum(finding.status in DECIDED for finding in blocking)
    failed = [finding for finding in blocking if finding.status is Status.FAIL]
    if exit_code is ExitCode.INCOMPLETE:
        besides = f" Of what was measured, {plural(len(failed), 'blocking check')} failed." if failed else ""
        told = f"The audit is incomplete, so it gives no verdict. {_first(lacking)}{besides}"
        return visible(told + _disorder(waivers))
    if exit_code is ExitCode.FAILED:
        checks = plural(asked, "blocking check")
        told = f"Blocked: {len(failed)} of {checks} failed. {_first([f.message for f in failed])}{_mute(findings)}"
        return told + _disorder(waivers)
    if exit_code is ExitCode.INCONCLUSIVE:
        return _undecided(blocking, asked=asked, waivers=waivers) + _mute(findings)
    warned = sum(f.level is Level.WARN and f.status in (Status.FAIL, Status.INCONCLUSIVE) for f in findings)
    passed = _passed(blocking, decided=decided, blocks=blocks, waivers=waivers)
    warnings = plural(warned, "check that only warns", "checks that only warn")
    aside = f"; {warnings} did not pass" if warned else ""
    return f"{passed}{aside}.{_mute(findings)}"


def _passed(blocking: Sequence[Finding], *, decided: int, blocks: bool, waivers: Sequence[WaiverUse]) -> str:
    """What was met, and what was accepted although it was not: of checks that are all waived none was met."""
    waived = sum(finding.status is Status.WAIVED for finding in blocking)
    accepted = f"accepted by waiver{_until(waivers)}"
    if waived and decided:
        are = "is" if waived == 1 else "are"
        return (
            f"The gate passed: the other blocking checks that apply were met ({decided}), and {waived} {are} {accepted}"
        )
    if waived == 1:
        return f"The gate passed by waiver alone: the one blocking check that applies did not pass, and is {accepted}"
    if waived:
        return f"The gate passed by waiver alone: none of {waived} blocking checks passed, and all are {accepted}"
    if decided:
        return f"The gate passed: all blocking checks that apply were met ({decided})"
    if not blocks:
        return "Nothing blocks: this policy has no blocking checks"
    return "Nothing blocks: no blocking check of this policy applies to this model"


def _until(waivers: Sequence[WaiverUse]) -> str:
    """The waivers in force, each with its end."""
    used = [f"{use.id} until {use.expires}" for use in waivers if use.state is WaiverState.USED]
    more = f" and {len(used) - 2} more" if len(used) > 2 else ""
    return f" ({', '.join(used[:2])}{more})" if used else ""


def _disorder(waivers: Sequence[WaiverUse]) -> str:
    """The waivers that a person must put in order."""
    wrong = [f"the waiver {use.id} is not in order: {use.note}" for use in waivers if use.state is not WaiverState.USED]
    return visible(f" Besides, {_first(wrong)}.") if wrong else ""


def _mute(findings: Sequence[Finding]) -> str:
    """The blocking alarms that nothing in the data could set off."""
    mute = sum(finding.level is Level.BLOCK and not finding.decisive for finding in findings)
    return f" Besides, {plural(mute, 'blocking alarm')} had too little data to sound or to clear." if mute else ""


def _undecided(blocking: Sequence[Finding], *, asked: int, waivers: Sequence[WaiverUse]) -> str:
    """What holds up the verdict; `asked` is how many blocking checks apply, whether or not they were measured."""
    wrong = [use for use in waivers if use.state is not WaiverState.USED]
    undecided = [finding for finding in blocking if finding.status is Status.INCONCLUSIVE]
    unmeasured = [finding for finding in blocking if finding.status is Status.NOT_RUN]
    checks = f"of {plural(asked, 'blocking check')}"
    were = "was not measured" if len(unmeasured) == 1 else "were not measured"
    if undecided:
        need = "needs" if len(undecided) == 1 else "need"
        told = f"{len(undecided)} {checks} {need} more items or a human decision"
        told += f", and {len(unmeasured)} {were}" if unmeasured else ""
    elif unmeasured:
        told = f"{len(unmeasured)} {checks} {were}"
    else:
        told = f"{plural(len(wrong), 'waiver')} must be put in order by a person"
    reasons = [finding.message for finding in undecided] + [_unmeasured(finding) for finding in unmeasured]
    reasons += [f"The waiver {use.id}: {use.note}." for use in wrong]
    return visible(f"Not decided: {told}. {_first(reasons)}")


def _unmeasured(finding: Finding) -> str:
    how = f" To measure it: {finding.enable}." if finding.enable else ""
    return f"{finding.title}: the check {finding.check} was not measured. {finding.message}{how}"


def _first(reasons: Sequence[str]) -> str:
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return f"{reasons[0]}{more}"


def circumstances(
    manifest: Manifest,
    exit_code: ExitCode,
    findings: Sequence[Finding],
    *,
    said: str,
    policy: str,
    comparison: Comparison | None,
) -> str:
    """What else a reader of the verdict must know: each a sentence after a blank; "" where there is nothing.

    Args:
        said: the verdict so far; no reason is told twice.
        policy: digest of the one that judged the run.
    """
    unjudged = _unjudged(manifest, exit_code, findings, said)
    told = (unjudged or _part_alone(manifest, exit_code, findings), _other_policy(manifest, policy))
    return "".join((*told, _own_baseline(manifest, comparison)))


def _unjudged(manifest: Manifest, exit_code: ExitCode, findings: Sequence[Finding], said: str) -> str:
    """Why nothing was judged that was asked for: what is said of the first check about it, unless it was said."""
    gating = [finding for finding in ordered(findings) if finding.level in GATING]
    if exit_code is not ExitCode.INCOMPLETE or any(finding.status in DECIDED for finding in gating):
        return ""
    probes = _asked(manifest)
    missed = [finding for finding in gating if finding.status is Status.NOT_RUN and finding.probe in probes]
    return visible(f" {_unmeasured(missed[0])}") if missed and missed[0].message not in said else ""


def _asked(manifest: Manifest) -> set[str]:
    """The probes that were not left out."""
    skipped = {each.probe for each in manifest.skips if each.skip.reason is not SkipReason.NOT_SELECTED}
    return skipped | {step.probe for step in manifest.steps}


def _part_alone(manifest: Manifest, exit_code: ExitCode, findings: Sequence[Finding]) -> str:
    """How to judge what --only left, where the policy asks for more than that."""
    left_out = {planned.probe for planned in manifest.skips if planned.skip.reason is SkipReason.NOT_SELECTED}
    narrowed = bool(manifest.config.get("only"))
    lacking = any(finding.status is Status.NOT_RUN and finding.probe in left_out for finding in findings)
    if not (narrowed and lacking and exit_code in (ExitCode.INCOMPLETE, ExitCode.INCONCLUSIVE)):
        return ""
    if any(finding.level in GATING and finding.status in DECIDED for finding in findings):
        return " To judge the part that --only left: audit gate RUN --policy screening, or a policy of your own."
    asked = _asked(manifest)
    if any(finding.level in GATING and finding.probe in asked for finding in findings):
        return ""  # there is a check, and why it could not be made is told
    none = " No check of this policy is about what --only left:"
    return f"{none} name one that has some (audit gate RUN --policy FILE), or only measure (--no-gate)."


def _other_policy(manifest: Manifest, policy: str) -> str:
    if policy == manifest.policy_digest:
        return ""
    return " Judged by another policy than the one frozen before the run."


def _own_baseline(manifest: Manifest, comparison: Comparison | None) -> str:
    """A difference to another run of one model is no change of the model."""
    if comparison is None or comparison.baseline.model != manifest.model.fingerprint:
        return ""
    return " The baseline is another run of this very model."
