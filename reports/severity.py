"""How grave a finding is: by the policy and the distance to its threshold, because nothing else is known."""

from __future__ import annotations

from collections.abc import Mapping

from probes.core.findings import Finding, Level, Status
from probes.core.records import Unit
from reports.numbers import NAMED, SUFFIX, decimals, fixed
from reports.ranking import beyond

_OF_LEVEL: Mapping[Level, str] = {Level.BLOCK: "High", Level.WARN: "Medium", Level.INFO: "Low", Level.OFF: "Low"}
_WHY: Mapping[Level, str] = {
    Level.BLOCK: "the policy lets nothing pass while it stands",
    Level.WARN: "the policy asks for attention and does not block",
    Level.INFO: "the policy asks for it to be known",
    Level.OFF: "the policy has switched the check off",
}
_HARM = "What harm follows from that is for the reviewer to judge; no test measures it."


def severity(finding: Finding) -> str:
    """The word, and what it rests on; of a waived finding that of the status beneath."""
    state = finding.underlying or finding.status
    level = _OF_LEVEL[finding.level]
    if finding.estimate is None or state in (Status.INCONCLUSIVE, Status.ERROR, Status.NOT_RUN):
        return f"Not known: the check was not settled, and {_WHY[finding.level]}. Up to {level.lower()}. {_HARM}"
    distance = beyond(finding)
    far = f", and the value is {_printed(distance, finding, NAMED)} beyond the threshold" if distance > 0 else ""
    return f"{level}: {_WHY[finding.level]}{far}. {_HARM}"


def margin(finding: Finding) -> str:
    """How far the value is from its threshold, and on which side: "4.3 pp inside"; "" where there is none."""
    if finding.estimate is None or (finding.minimum is None and finding.maximum is None):
        return ""
    distance = beyond(finding)
    return f"{_printed(abs(distance), finding, SUFFIX)} {'beyond' if distance > 0 else 'inside'}"


def _printed(distance: float, finding: Finding, units: Mapping[Unit, str]) -> str:
    """In the digits of the estimate; the distance of two shares is in percentage points."""
    estimate, shares = finding.estimate, finding.unit in (Unit.PROPORTION, Unit.DIFFERENCE)
    if estimate is None:
        raise ValueError(f"nothing was measured for {finding.check}")
    scale = 100 if shares else 1
    places = decimals(scale * estimate.low, scale * estimate.high, value=scale * distance)
    return fixed(scale * distance, places) + units[Unit.DIFFERENCE if shares else Unit.SCORE]
