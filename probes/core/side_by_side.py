"""Several runs side by side: each number of each run, and how it differs from the first where the items are the same.

These models are the published schema of `audit compare --json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from probes.core.findings import Level, Status
from probes.core.records import Better, Estimate, Frozen, Unit

Direction = Literal["higher", "lower"]


class Reading(StrEnum):
    """What a paired difference shows."""

    WORSE = "worse"
    BETTER = "better"
    UNCLEAR = "no_difference_shown"
    """The interval holds zero: these items do not show a difference, which is not that there is none."""
    NEITHER = "neither"
    """The number has no good direction."""


def reading(difference: Estimate, better: Better) -> Reading:
    """What a difference to an earlier run shows: its interval lies wholly on one side of zero, or it does not."""
    if better is Better.CONTEXT:
        return Reading.NEITHER
    if difference.low <= 0 <= difference.high:
        return Reading.UNCLEAR
    return Reading.BETTER if (difference.value > 0) == (better is Better.HIGHER) else Reading.WORSE


def direction(difference: Estimate) -> Direction | None:
    """Which way a difference is shown to go, good or bad; None where its interval holds zero."""
    if difference.low <= 0 <= difference.high:
        return None
    return "higher" if difference.value > 0 else "lower"


def apart(difference: Estimate) -> float:
    """How far from zero, in widths of the interval."""
    width = difference.high - difference.low
    return abs(difference.value) / width if width > 0 else 0.0


class Standing(StrEnum):
    """What a number has to say to who compares, in the order in which they need it."""

    WORSE = "worse"
    """Shown to be worse in a later run than in the first."""
    STATUS_WORSE = "status_worse"
    """Not that, but its check came out worse: the difference may be chance, what the policy asks is not met."""
    NOT_IN_ALL = "not_in_all"
    BETTER = "better"
    UNPAIRED = "unpaired"
    UNCLEAR = "no_difference_shown"
    NEITHER = "neither"
    """The number has no good direction."""
    NOWHERE = "not_measured"
    """A check that no run could make."""


class ComparedRun(Frozen):
    """One of the runs.

    Attributes:
        letter: by which the numbers name it; "A" is the first, with which the others are compared.
        model, data: fingerprints.
        policy: id of the policy it was judged by; "" where it was not judged, and `exit_code` is None.
        same_data: it was measured on the same items as the first run.
        readings: how many of its numbers differ from the first run's in which way; "unpaired" counts those that
            could not be paired.
    """

    letter: str
    run_id: str
    created: str
    model_name: str
    model: str
    data_name: str
    data: str
    items: int
    policy: str
    policy_digest: str
    exit_code: int | None
    sentence: str
    same_data: bool
    readings: Mapping[str, int] = {}


class Differing(Frozen):
    """Something that is not the same in all runs, in the order of the runs; "" for a run that does not have it."""

    what: str
    values: tuple[str, ...]


class Value(Frozen):
    """A number in one run.

    Attributes:
        letter: of the run.
        absent: why there is no estimate.
        status, level, minimum, maximum: of the check that is about it; None where there is none.
        difference: this run's number less the first run's, for the same items; None for the first run, and where
            `unpaired` or `absent` says why.
        reading: whether the difference is shown to be for the worse or the better.
        direction: which way it is shown to go; None where neither is shown.
        adjusted: p-value that there is none, from its interval and adjusted for all differences of the run (Benjamini
            and Hochberg 1995).
    """

    letter: str
    estimate: Estimate | None = None
    absent: str = ""
    status: Status | None = None
    level: Level | None = None
    minimum: float | None = None
    maximum: float | None = None
    difference: Estimate | None = None
    reading: Reading | None = None
    direction: Direction | None = None
    adjusted: float | None = None
    unpaired: str = ""


class ComparedNumber(Frozen):
    """A measurement, or a check without one, in every run.

    Attributes:
        name: "<probe id>.<measurement key>".
        better, unit: None where no run has a number.
    """

    standing: Standing
    name: str
    probe: str
    risk: str
    title: str
    part: Mapping[str, str] = {}
    better: Better | None = None
    unit: Unit | None = None
    values: tuple[Value, ...]


class SideBySide(Frozen):
    """The whole comparison; what is shown to be worse comes first."""

    kind: Literal["side_by_side"] = "side_by_side"
    schema_version: int
    runs: tuple[ComparedRun, ...]
    differing: tuple[Differing, ...]
    numbers: tuple[ComparedNumber, ...]
