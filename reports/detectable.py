"""The smallest violation of a threshold that the data of a check could have shown, as the gate reckons it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from probes.core.findings import Burden, Finding
from probes.core.records import Unit
from probes.core.stats import POWER, detectable_effect
from reports.numbers import ends, rounded_up, threshold

POWER_SHOWN = f"{POWER:.0%}"


def smallest_effects(findings: Sequence[Finding]) -> Mapping[str, float]:
    """Check -> distance beyond the threshold that is shown with a chance of `POWER`, in the unit of the number.

    Alarms are reckoned at the error rate that is left after the correction for their family. Checks that nothing was
    decided about, which have no bound, are missing.
    """
    decided = [each for each in findings if each.bound is not None and each.alpha and each.estimate]
    sizes = Counter(_family(each) for each in decided if each.burden is Burden.PROVE_BAD)
    return {
        each.check: _effect(each, sizes[_family(each)]) for each in decided if each.estimate and each.estimate.tails
    }


def _family(finding: Finding) -> str:
    return finding.family or finding.probe


def _effect(finding: Finding, family: int) -> float:
    assert finding.estimate is not None  # nothing else was decided
    assert finding.alpha is not None
    alpha = finding.alpha / family if finding.burden is Burden.PROVE_BAD else finding.alpha
    return detectable_effect(finding.estimate, alpha=alpha)


def effect_in_words(effect: float, finding: Finding) -> str:
    """An effect in two digits, rounded up so that it is never said to be smaller than it is: "2.4 pp"; "none" where
    not even the largest violation that there can be would be shown.
    """
    if effect <= 0:
        return "–"
    if effect > _room(finding):
        return "none"
    return threshold(rounded_up(effect), Unit.DIFFERENCE if finding.unit is Unit.PROPORTION else finding.unit)


def _room(finding: Finding) -> float:
    """How far beyond its threshold the number could be."""
    low, high = ends(finding.unit)
    if finding.maximum is not None:
        return high - finding.maximum
    return math.inf if finding.minimum is None else finding.minimum - low
