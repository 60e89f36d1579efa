"""Which harmful texts are found before and after they are disguised."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core import stats
from probes.core.answers import Bools, Ints
from probes.core.measuring import share
from probes.core.positive import PositiveClass
from probes.core.records import Estimate, SkipReason
from probes.core.stats.derived import UnmeasurableError
from probes.text.trials import Trials
from probes.toxicity.evasion.harmful import Harmful


@dataclass(frozen=True)
class Found:
    """Trials with whether each text was called harmful before and after the disguise."""

    trials: Trials
    positive: PositiveClass
    texts: Harmful

    @cached_property
    def before(self) -> Bools:
        """(rows,): the text itself is found."""
        return self.positive.decided(self.trials.before)

    @cached_property
    def after(self) -> Bools:
        """(rows,): the disguised text is found; an answer within numerical noise counts as unchanged."""
        return np.where(self.trials.tied, self.before, self.positive.decided(self.trials.after))

    @cached_property
    def own(self) -> Bools:
        """(rows,): the text is a sentence of our own."""
        return self.texts.own[self.trials.item]

    @cached_property
    def known(self) -> Bools:
        """(rows,): the text is known to be harmful, whatever the model says."""
        return self.texts.known[self.trials.item]

    def where(self, rows: Bools | Ints) -> Found:
        """The rows picked."""
        return Found(self.trials.where(rows), self.positive, self.texts)

    def kept(self, rows: Bools) -> Estimate:
        """Share still found, among `rows` whose text itself is found.

        Raises:
            UnmeasurableError: when there is none.
        """
        return share(
            self.after, among=rows & self.before, clusters=self.trials.clusters, of="harmful text that the model finds"
        )

    def recall(self, rows: Bools) -> Estimate:
        """Share of disguised texts found, among `rows` known to be harmful.

        Raises:
            UnmeasurableError: when there is none.
        """
        return share(self.after, among=rows & self.known, clusters=self.trials.clusters, of="text known to be harmful")

    def drop(self, rows: Bools) -> Estimate:
        """Recall on the texts themselves minus recall on the disguised ones.

        Raises:
            UnmeasurableError: when there is none.
        """
        picked = self.where(rows & self.known)
        if not len(picked.trials):
            raise UnmeasurableError(SkipReason.UNDEFINED, "There is no text known to be harmful.")
        return stats.paired_difference(picked.after, picked.before, clusters=picked.trials.clusters)
