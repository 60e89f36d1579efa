"""What the gate concludes: a status for every check, and one verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum, StrEnum

from probes.core.records import Better, Estimate, Frozen, Unit


class Status(StrEnum):
    """Outcome of one check."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_RUN = "NOT_RUN"
    ERROR = "ERROR"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    WAIVED = "WAIVED"


class Level(StrEnum):
    """What a check that does not pass does to the verdict."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"
    OFF = "off"


class Burden(StrEnum):
    """Who must prove what.

    PROVE_GOOD passes only when the unfavourable bound is on the good side of the threshold; PROVE_BAD fails only when
    the favourable bound is beyond it.
    """

    PROVE_GOOD = "prove_good"
    PROVE_BAD = "prove_bad"


class Finding(Frozen):
    """One check applied to one measurement, or to the lack of one.

    Attributes:
        check: "<probe id>.<measurement key>".
        bound: the one-sided bound that decided, on the side the burden looks at.
        needed_n: for INCONCLUSIVE: about how many items would decide it, were the value to stay as it is.
        message: one sentence for a reader who does not know the field.
        decisive: False for an alarm (prove_bad) for which the data hold too little: it can neither sound nor clear, and
            leaves the verdict to the other checks.
        waiver: id of the waiver under which a status was accepted; `underlying` is that status.
        policy_line: line of the check in the text of the policy, counted from 1.
    """

    check: str
    probe: str
    risk: str
    title: str
    status: Status
    level: Level
    message: str
    measurement: str | None = None
    slice: Mapping[str, str] = {}
    estimate: Estimate | None = None
    better: Better | None = None
    unit: Unit | None = None
    minimum: float | None = None
    maximum: float | None = None
    burden: Burden | None = None
    alpha: float | None = None
    bound: float | None = None
    needed_n: int | None = None
    family: str | None = None
    rationale: str = ""
    source: str = ""
    enable: str = ""
    decisive: bool = True
    waiver: str = ""
    underlying: Status | None = None
    policy_line: int | None = None


class WaiverState(StrEnum):
    """What became of a waiver when a run was judged."""

    USED = "used"
    EXPIRED = "expired"
    UNUSED = "unused"
    MISMATCHED = "mismatched"
    """It is for another model."""
    EXCEEDED = "exceeded"
    """The number has become worse than what was accepted."""
    NOT_WAIVABLE = "not_waivable"


class WaiverUse(Frozen):
    """A waiver and what became of it.

    Attributes:
        checks: names of checks, or patterns of them.
        scope: the model it is for, as its digest or a pattern of its name.
        created, expires: ISO dates.
        max_observed: the worst number that was accepted.
        note: the state in one sentence.
        findings: names of the checks it was applied to.
    """

    id: str
    checks: tuple[str, ...]
    scope: str
    owner: str
    approver: str
    reason: str
    created: str
    expires: str
    max_observed: float | None = None
    state: WaiverState
    note: str
    findings: tuple[str, ...] = ()


class BaselineUse(Frozen):
    """The run that a run was compared with.

    Attributes:
        model: fingerprint of its model.
        refused: why a comparison was not possible, probe by probe; empty where all could be compared.
    """

    run_id: str
    model_name: str
    model: str
    created: str
    bundle_digest: str = ""
    refused: tuple[str, ...] = ()


class ExitCode(IntEnum):
    """What the process says to the shell. Precedence: INTEGRITY, USAGE, INCOMPLETE, FAILED, INCONCLUSIVE, PASSED."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    INCONCLUSIVE = 3
    INCOMPLETE = 4
    INTEGRITY = 5
    INTERRUPTED = 130


class Verdict(Frozen):
    """The gate's whole output: `findings.json`."""

    schema_version: int
    run_id: str
    policy_id: str
    policy_digest: str
    policy_file: str | None = None
    """The file of the policy, relative to where the command was given; "" where that is not the text whose lines are
    counted (a preset, a policy that extends another, a file outside)."""
    exit_code: int
    sentence: str
    """The verdict with its reason, for a reader who does not know the field."""
    counts: Mapping[str, int]
    findings: Sequence[Finding]
    waivers: tuple[WaiverUse, ...] = ()
    waivers_digest: str | None = None
    """SHA-256 of the file of waivers."""
    as_of: str | None = None
    """The ISO date on which waivers were judged; None where there was no file of them."""
    baseline: BaselineUse | None = None
