"""What the held-out items say about each candidate, and about the worst of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core import stats
from probes.core.answers import Bools, Floats
from probes.core.records import Estimate, SkipReason
from probes.core.stats.derived import FEW, UnmeasurableError
from probes.explanation.explained import LEAST_EFFECT
from probes.explanation.shortcuts.association import Justified, association
from probes.explanation.shortcuts.candidates import Candidate, golds
from probes.explanation.shortcuts.held import Held
from probes.explanation.shortcuts.interventions import Effects

ALPHA = 0.05
"""Chance that any candidate without effect is called confirmed."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A candidate on the held-out items; its numbers raise UnmeasurableError where there are too few items.

    Attributes:
        insertion, deletion: what putting it in and taking it out did.
        tried: candidates that are tested together with it, itself included.
    """

    candidate: Candidate
    held: Held
    insertion: Effects
    deletion: Effects
    tried: int

    def attribution(self) -> Estimate:
        """Mean push of an occurrence towards the label, in logits, over the items explained towards it that hold it."""
        rows = np.flatnonzero(self.held.holding(self.candidate.word) & self.held.targeted(self.candidate.label))
        clusters = [self.held.items.clusters[row] for row in rows]
        if len(set(clusters)) < 2:
            raise UnmeasurableError(SkipReason.TOO_FEW, f"It is in {len(rows)} held-out items with this answer.")
        reach = max(float(np.abs(each.scores).max()) for each in self.held.items.attributions)
        return stats.mean(self._pushes(rows.tolist()), clusters=clusters, limits=(-reach, reach))

    def _pushes(self, rows: Sequence[int]) -> Floats:
        attributions, named = self.held.items.attributions, self.held.names
        own = [np.array([name == self.candidate.word for name in named[row]]) for row in rows]
        return np.array([attributions[row].scores[mine].mean() for row, mine in zip(rows, own, strict=True)])

    def share(self) -> Estimate:
        """Share of the held-out items that hold it."""
        return stats.rate(self.held.holding(self.candidate.word), clusters=self.held.items.clusters)

    def association(self) -> Estimate:
        """How much commoner the label is among items that hold the word: by right answers, without them by answers."""
        items, holding = self.held.items, self.held.holding(self.candidate.word)
        if not self.held.graded:
            return association(self.held.answered(self.candidate.label), holding, clusters=items.clusters)
        known = items.labelled
        clusters = [cluster for cluster, kept in zip(items.clusters, known, strict=True) if kept]
        return association(golds(items, self.candidate.label), holding[known], clusters=clusters)

    def effect(self) -> Estimate:
        """Change of the label's probability by insertion, over control."""
        return self.insertion.mean(self.insertion.moved)

    def flips(self) -> Estimate:
        """Share of answers that gain the label by insertion, over control."""
        return self.insertion.mean(self.insertion.flipped)

    def loss(self) -> Estimate:
        """Loss of the label's probability by deletion, over control."""
        return self.deletion.mean(self.deletion.moved)

    def lost(self) -> Estimate:
        """Share of answers that lose the label by deletion, over control."""
        return self.deletion.mean(self.deletion.flipped)

    @cached_property
    def justified(self) -> Justified:
        """What the right answers say."""
        if not self.held.graded:
            return Justified.UNKNOWN
        try:
            return Justified.by(self.association(), effect=self.effect().value)
        except UnmeasurableError:
            return Justified.UNDECIDED

    @cached_property
    def confirmed(self) -> bool:
        """It pushes on held-out items too, and putting it in moves the answers: simultaneously over the candidates."""
        try:
            return self.attribution().low > 0 and self.effect().tail(ALPHA / self.tried).low > LEAST_EFFECT
        except UnmeasurableError:
            return False

    @cached_property
    def rank(self) -> tuple[bool, bool, bool, float, str]:
        """For a reviewer: what the right answers do not explain first, then by what insertion does."""
        effect = float(self.insertion.moved.mean()) if len(self.insertion.moved) else 0.0
        justified = self.justified is Justified.YES
        return not self.justified.suspicious, justified, not self.confirmed, -effect, self.candidate.word


def largest_flip_rate(
    findings: Sequence[Finding], *, suspicious: bool, rng: np.random.Generator, resamples: int
) -> Estimate:
    """The largest share of held-out answers that one word turns towards its label, over control.

    Args:
        suspicious: only of words of which the right answers can tell; those that they justify count 0.

    Raises:
        UnmeasurableError: when no candidate could be put into enough items.
    """
    measured = [each for each in findings if each.insertion.enough and (each.justified.decided or not suspicious)]
    if not measured:
        of_which = " of which the right labels can tell" if suspicious else ""
        raise UnmeasurableError(SkipReason.TOO_FEW, f"No word{of_which} could be put into {FEW} independent items.")
    matrix = np.full((len(measured[0].held.items), len(measured)), np.nan)
    for column, each in enumerate(measured):
        counts = each.justified.suspicious or not suspicious
        matrix[each.insertion.rows, column] = each.insertion.flipped if counts else 0.0
    tried: Bools = ~np.isnan(matrix).all(axis=1)
    clusters = [cluster for cluster, kept in zip(measured[0].held.items.clusters, tried, strict=True) if kept]
    return stats.worst_of(matrix[tried], clusters=clusters, rng=rng, resamples=resamples, limits=(-1.0, 1.0))
