"""Which estimate to believe for a domain, decided without its own right answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from probes.shift.estimate.comparison import CALIBRATED, DIFFERENCE, ENTROPY, REWEIGHTED, THRESHOLD

ORDER = (THRESHOLD, ENTROPY, DIFFERENCE, CALIBRATED, REWEIGHTED)
"""The first is the default: it had the smallest error in most of the comparisons of Garg et al. (2022), ICLR."""

ENOUGH = 2
"""Other domains with known errors without which none is preferred: what one domain shows is mostly chance."""


@dataclass(frozen=True)
class Trust:
    """The estimate that is believed.

    Attributes:
        estimator: its name.
        reason: to read after "because".
    """

    estimator: str
    reason: str


def trusted(domain: str, errors: Mapping[str, Mapping[str, float]], *, usable: Collection[str]) -> Trust:
    """The estimator with the smallest mean absolute error over the other domains whose truth is known, or the default.

    Args:
        domain: the one it is for. Its own error is not looked at.
        errors: name of a domain whose truth is known -> estimator -> its error there.
        usable: estimators there are for this domain, the default among them.
    """
    others = [found for name, found in errors.items() if name != domain]
    if len(others) < ENOUGH:
        return Trust(
            THRESHOLD,
            f"it was the best in most published comparisons; right answers of {ENOUGH} other domains are needed to "
            f"choose by their errors, and {'only one' if others else 'none'} has them",
        )
    shared = [name for name in ORDER if name in usable and all(name in found for found in others)]
    distance = {name: sum(abs(found[name]) for found in others) / len(others) for name in shared}
    best = min(shared, key=lambda name: distance[name])
    return Trust(
        best,
        f"it has the smallest mean error on the {len(others)} other domains with known right answers "
        f"({100 * distance[best]:.1f} points)",
    )
