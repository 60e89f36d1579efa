"""Do the right answers justify what a word does: how much commoner is a label among the items that hold the word."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from probes.core import stats
from probes.core.answers import Bools
from probes.core.records import Estimate, SkipReason
from probes.core.stats.derived import UnmeasurableError


class Justified(StrEnum):
    """What the right answers say to a word that pushes towards a label; in words for a reader."""

    YES = "the right labels agree"
    NOT_SHOWN = "the right labels do not explain it"
    OPPOSITE = "the right labels point the other way"
    UNDECIDED = "too few right labels to tell"
    UNKNOWN = "no right labels to compare with"

    @classmethod
    def by(cls, association: Estimate, *, effect: float) -> Justified:
        """Read off a difference of shares, set against what the word does to the probability of the label.

        Shown only where the whole interval is on one side of 0. An interval that holds 0 is wide where few items hold
        the word, which is no evidence against it: the word is unexplained only where even the upper bound is less than
        the model makes of it.
        """
        if association.low > 0:
            return cls.YES
        if association.high < 0:
            return cls.OPPOSITE
        return cls.NOT_SHOWN if association.high < effect else cls.UNDECIDED

    @property
    def suspicious(self) -> bool:
        """The right answers were there, and do not justify it."""
        return self in (Justified.NOT_SHOWN, Justified.OPPOSITE)

    @property
    def decided(self) -> bool:
        """The right answers were there, and can tell."""
        return self.suspicious or self is Justified.YES


def association(labelled: Bools, holding: Bools, *, clusters: Sequence[str]) -> Estimate:
    """Share of a label among the items that hold a word, minus that among all others.

    Args:
        labelled: (n,) is the label right for the item.
        holding: (n,) does the item hold the word.

    Raises:
        UnmeasurableError: when no item, or every item, holds it.
    """
    if not holding.any() or holding.all():
        raise UnmeasurableError(SkipReason.UNDEFINED, "There are no labelled items with the word, or none without it.")
    return stats.rate_difference(labelled, holding, clusters=clusters)
