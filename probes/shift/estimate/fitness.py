"""Whether the in-domain items suffice to estimate anything from."""

from __future__ import annotations

from probes.core.records import Skip, SkipReason
from probes.core.stats.clusters import FEW, MIN_INFORMATIVE
from probes.shift.estimate.answered import Answered


def unfit(home: Answered) -> Skip | None:
    """Why nothing can be estimated from these in-domain items; None when it can."""
    if not len(home):
        return Skip(
            reason=SkipReason.NO_GOLD,
            detail="No in-domain item has a right answer, and every estimate starts from how often the model is right.",
            enable="name the label column of the audit's own data with --label-column",
        )
    independent = len(set(home.domain.clusters))
    if independent < FEW:
        return Skip(
            reason=SkipReason.TOO_FEW,
            detail=f"{independent} independent in-domain items have a right answer, of the {FEW} needed.",
            enable="give more labelled in-domain items",
            slice=home.domain.slice,
        )
    if len(set(home.gold)) < 2:
        return Skip(
            reason=SkipReason.UNDEFINED,
            detail="The in-domain items all have the same right answer, so errors on the other answers are not seen.",
            enable="give labelled in-domain items of every class",
            slice=home.domain.slice,
        )
    return _too_even(home)


def _too_even(home: Answered) -> Skip | None:
    """When too few in-domain answers are wrong, or right, to show how the model's confidence goes with either."""
    for kind, quality in (("wrong", 0.0), ("right", 1.0)):
        found = {cluster for cluster, q in zip(home.domain.clusters, home.quality, strict=True) if q == quality}
        if len(found) < MIN_INFORMATIVE:
            return Skip(
                reason=SkipReason.TOO_FEW,
                detail=f"Only {len(found)} of the independent in-domain items were answered {kind}; at least "
                f"{MIN_INFORMATIVE} are needed to see how sure the model is when it is {kind}.",
                enable="give more labelled in-domain items",
                slice=home.domain.slice,
            )
    return None
