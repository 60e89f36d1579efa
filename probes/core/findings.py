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
    exit_code: int
    sentence: str
    """The verdict with its reason, for a reader who does not know the field."""
    counts: Mapping[str, int]
    findings: Sequence[Finding]
