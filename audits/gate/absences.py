"""What the policy asks about and the run does not have: every absence is a row with its reason, never a silence."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from audits.policy.policy import Check
from audits.policy.published import ON_REQUEST, PUBLISHED, SLICES
from audits.policy.slices import unknown
from probes.core.comparison import SUFFIX, Comparison
from probes.core.errors import did_you_mean
from probes.core.findings import Burden, Level, Status
from probes.core.manifest import Manifest, PlannedStep
from probes.core.records import Measurement, Skip, SkipReason, measurement_key
from probes.core.run_folder import StepResult
from reports.numbers import part_in_words

NO_MATERIAL = frozenset(
    {
        SkipReason.NO_GOLD,
        SkipReason.NO_GROUPS,
        SkipReason.NO_DOMAINS,
        SkipReason.NO_TEXTS,
        SkipReason.NOTHING_PERTURBED,
        SkipReason.TOO_FEW,
        SkipReason.UNDEFINED,
    }
)
"""Reasons that lie in the data; a probe that was left out of the run is another matter."""

_MOST_PARTS = 8
"""How many parts of a number are listed, so that a message stays a sentence."""

_ORDER = (Level.BLOCK, Level.WARN, Level.INFO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Something that was not measured.

    Attributes:
        name: "<probe id>", "<probe id>.<measurement key>", or the text of a check that matches nothing.
        checks: the checks that would have applied.
        fatal: the audit is incomplete whatever the checks say.
        decisive: False where only alarms would have applied, and the data hold nothing that could set them off.
    """

    name: str
    probe: str
    risk: str
    title: str
    status: Status
    message: str
    checks: tuple[Check, ...]
    fatal: bool = False
    enable: str = ""
    slice: Mapping[str, str] = field(default_factory=dict)
    decisive: bool = True

    @property
    def level(self) -> Level:
        """The strictest level of the checks that would have applied."""
        return min((check.level for check in self.checks), key=_ORDER.index, default=Level.INFO)

    @property
    def sentence(self) -> str:
        """For the verdict."""
        how = f" To measure it: {self.enable}." if self.enable else ""
        return f"{self.title} ({self.name}) was not measured: {self.message}{how}"


def absences(manifest: Manifest, steps: Mapping[str, StepResult | None], checks: Sequence[Check]) -> list[Absence]:
    """Steps that failed or never ran, and skips that a check is about, in the order of the plan.

    Args:
        checks: in the order of the policy, with those that are off: they take probes out of the wildcards above them.
    """
    found: list[Absence] = []
    for step in manifest.steps:
        found += _of_step(step, steps.get(step.step_id), checks)
    for planned in manifest.skips:
        about = tuple(check for check in _deciding(checks, planned.probe) if _may_hold(planned.probe, check))
        if about:
            found.append(
                _skipped(planned.skip, probe=planned.probe, risk=planned.risk, title=planned.title, checks=about)
            )
    return found


def unmatched(
    checks: Sequence[Check],
    *,
    present: Sequence[tuple[str, str]],
    missing: Sequence[Absence],
    ran: Collection[str] = (),
) -> list[Absence]:
    """Checks without a measurement, though a probe they name ran without saying why; fatal where they block.

    An absence explains a check for its own probe only: one skipped perturbation must not hide a mistyped wildcard. Of
    a wildcard's probes those count that can have such a number which no later check decides about, unless none can.

    Args:
        present: probe and key of each number.
        ran: probes with a step, though it may have come to no number at all.
    """
    explained = {(absence.probe, check.check) for absence in missing for check in absence.checks}
    probes = {probe for probe, _ in present} | {absence.probe for absence in missing} | set(ran)
    return [
        _matches_nothing(check, present)
        for place, check in enumerate(checks)
        if check.level is not Level.OFF
        and not any(check.matches(*place) for place in present)
        and any((probe, check.check) not in explained for probe in _meant(check, checks[place + 1 :], probes))
    ]


def _meant(check: Check, later: Sequence[Check], probes: Collection[str]) -> list[str]:
    named = [probe for probe in probes if check.matches_probe(probe)]
    able = (probe for probe in named if _may_hold(probe, check))
    return [probe for probe in able if not any(each.matches(probe, check.key) for each in later)] or named


def _may_hold(probe: str, check: Check) -> bool:
    """Can the probe have a number that the check is about; True of one of which that is not known."""
    if probe not in PUBLISHED:
        return True
    slices = None if check.needs_baseline else unknown(check.key, SLICES[probe])
    return slices is None and any(map(check.may_name, PUBLISHED[probe]))


def unasked(checks: Sequence[Check], manifest: Manifest) -> list[Absence]:
    """Checks about probes that exist only where a run asks for them, which this one did not."""
    return [
        _not_asked(check, option)
        for check in checks
        if not any(map(check.matches_probe, manifest.probes))
        and (option := next((option for probe, option in ON_REQUEST.items() if check.matches_probe(probe)), None))
    ]


def uncompared(checks: Sequence[Check], manifest: Manifest, comparison: Comparison | None) -> list[Absence]:
    """Checks of the change since a baseline that cannot be made: no baseline was named, or it cannot be paired.

    Without a baseline they do not apply, unless the policy requires one. A step that keeps no outcomes of single items
    has nothing to pair with any baseline: a wildcard passes over it.
    """
    if comparison is None:
        return [_no_baseline(check) for check in checks]
    return [
        _refused(step, compared.refused, about)
        for step in manifest.steps
        if (compared := comparison.of(step.step_id))
        and compared.refused
        and compared.outcomes
        and (about := tuple(check for check in checks if check.matches_probe(step.probe)))
    ]


def _no_baseline(check: Check) -> Absence:
    return Absence(
        name=check.check,
        probe=check.probe,
        risk=check.probe.split(".")[0],
        title="Change since the baseline",
        status=Status.NOT_RUN if check.required else Status.NOT_APPLICABLE,
        message="No earlier run was named as a baseline.",
        checks=(check,),
        enable="name the run of the model that was approved last with --baseline",
    )


def _not_asked(check: Check, option: str) -> Absence:
    return Absence(
        name=check.check,
        probe=check.probe,
        risk=check.probe.split(".")[0],
        title="A check of published test cases",
        status=Status.NOT_RUN,
        message=f"No test cases for it were given with {option}.",
        checks=(check,),
        enable=f"run with {option} and the files of these test cases",
    )


def _refused(step: PlannedStep, why: str, checks: tuple[Check, ...]) -> Absence:
    return Absence(
        name=f"{step.probe}{SUFFIX}",
        probe=step.probe,
        risk=step.risk,
        title=f"{step.title}: change since the baseline",
        status=Status.NOT_RUN,
        message=f"The baseline cannot be compared with: {why}.",
        checks=checks,
        enable="run the baseline's model again with this version and these data, and name that run",
    )


def measurements(result: StepResult | None) -> list[Measurement]:
    """Those of a finished step; what a crashed one left behind is not judged."""
    if result is None or result.end.status != "done":
        return []
    return [record for record in result.records if isinstance(record, Measurement)]


def _of_step(step: PlannedStep, result: StepResult | None, checks: Sequence[Check]) -> list[Absence]:
    about = _deciding(checks, step.probe)
    if result is None:
        message, status = "The step never ran to its end.", Status.NOT_RUN
    elif result.end.status == "failed":
        message, status = f"The probe crashed: {result.end.error or 'no reason recorded'}.", Status.ERROR
    else:
        return _skips_in(step, result, about)
    return [
        Absence(
            name=step.probe,
            probe=step.probe,
            risk=step.risk,
            title=step.title,
            status=status,
            message=message,
            checks=about,
            fatal=True,
            enable="run the same command again; finished steps are kept",
        )
    ]


def _deciding(checks: Sequence[Check], probe: str) -> tuple[Check, ...]:
    """The checks about a probe that no later one replaces for it."""
    return tuple(
        check
        for place, check in enumerate(checks)
        if check.level is not Level.OFF
        and check.matches_probe(probe)
        and not any(later.matches(probe, check.key) for later in checks[place + 1 :])
    )


def _skips_in(step: PlannedStep, result: StepResult, checks: Sequence[Check]) -> list[Absence]:
    rows = []
    keys = [record.key for record in result.records if isinstance(record, Measurement)]
    skips = [record for record in result.records if isinstance(record, Skip)]
    for skip in skips:
        about = tuple(check for check in checks if _is_about(check, step.probe, skip))
        if skip.name is None and not skip.slice:  # what was measured all the same is judged by its number
            about = tuple(check for check in about if not any(check.matches(step.probe, key) for key in keys))
        if about:
            rows.append(_skipped(skip, probe=step.probe, risk=step.risk, title=step.title, checks=about))
    return rows if keys else rows + _for_want_of_parts(step, skips, checks, told=rows)


def _for_want_of_parts(
    step: PlannedStep, skips: Sequence[Skip], checks: Sequence[Check], *, told: Sequence[Absence]
) -> list[Absence]:
    """Numbers over all parts of a step that came to no number: they are missing for the reason that its parts are."""
    explained = {check.check for absence in told for check in absence.checks}
    whole = [check for check in checks if "[" not in check.key and check.check not in explained]
    about = tuple(check for check in whole if _may_hold(step.probe, check))
    if not skips or not about:
        return []
    skip = min(skips, key=_beyond_reach).model_copy(update={"name": None, "slice": {}})
    return [_skipped(skip, probe=step.probe, risk=step.risk, title=step.title, checks=about)]


def _beyond_reach(skip: Skip) -> int:
    """How little a user can do about it: get what is missing, give other data, or nothing with this model."""
    if not skip.reason.applicable:
        return 2
    return 1 if skip.reason in NO_MATERIAL else 0


def _is_about(check: Check, probe: str, skip: Skip) -> bool:
    """A skip without a slice stands for all slices of that name, and one without a name for all names of the slice.

    Where nothing was perturbed nothing of any name was measured.
    """
    if skip.name is None or skip.reason is SkipReason.NOTHING_PERTURBED:
        return not skip.slice or check.matches_slice(skip.slice)
    if check.matches(probe, measurement_key(skip.name, skip.slice)):
        return True
    return not skip.slice and check.whole_name().matches(probe, skip.name)


def _skipped(skip: Skip, *, probe: str, risk: str, title: str, checks: tuple[Check, ...]) -> Absence:
    key = measurement_key(skip.name or "", skip.slice)
    return Absence(
        name=f"{probe}.{key}" if skip.name else f"{probe}{key}",
        probe=probe,
        risk=risk,
        title=_title(title, skip),
        status=Status.NOT_RUN if skip.reason.applicable else Status.NOT_APPLICABLE,
        message=skip.detail,
        checks=checks,
        enable=skip.enable,
        slice=skip.slice,
        decisive=skip.reason not in NO_MATERIAL or any(_insists(check) for check in checks),
    )


def _title(title: str, skip: Skip) -> str:
    """What is missing, in words: "Groups in the data: accuracy difference (age)"."""
    named = f"{title}: {skip.name.replace('_', ' ')}" if skip.name else title
    return f"{named} ({part_in_words(skip.slice)})" if skip.slice else named


def _insists(check: Check) -> bool:
    """Does the check ask for evidence, so that the lack of it counts."""
    return check.required or check.burden is Burden.PROVE_GOOD


def _matches_nothing(check: Check, present: Sequence[tuple[str, str]]) -> Absence:
    near = {key for probe, key in present if check.matches_probe(probe)}
    return Absence(
        name=check.check,
        probe=check.probe,
        risk=check.probe.split(".")[0],
        title="A check without a measurement",
        status=Status.NOT_RUN,
        message=_other_parts(check, near) or _no_such_name(check, near),
        checks=(check,),
        fatal=check.required or check.level is Level.BLOCK,
    )


def _no_such_name(check: Check, near: Collection[str]) -> str:
    hint = f" ({did_you_mean(check.key, near)})" if near else ""
    return f"No measurement of this run has that name{hint}."


def _other_parts(check: Check, near: Collection[str]) -> str:
    """For which other parts of the same kind there is the number; "" where there are none."""
    name, _, wanted = check.key.removesuffix("]").partition("[")
    parts = sorted(key.partition("[")[2].removesuffix("]") for key in near if key.startswith(f"{name}["))
    parts = [part for part in parts if part.partition("=")[0] == wanted.partition("=")[0]]
    if not parts:
        return ""
    if len(parts) > _MOST_PARTS:
        parts = [*parts[:_MOST_PARTS], f"{len(parts) - _MOST_PARTS} more"]
    listed = " and ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)
    return f"This run has {name} for {listed}, not for {wanted}."
