"""What a model answers to contrasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.bias.counterfactual.contrasts import Contrast
from probes.core.answers import Bools, Classifications, Floats, Ints, ProblemType, changed
from probes.core.model import ModelCard
from probes.core.positive import PositiveClass
from probes.core.records import Unit
from probes.text.trials import regression_step

_BY_ROW = ("control", "flipped", "places", "gap", "distance")
"""What is known of each row whatever the others are."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """Contrasts with the answers to both of their texts.

    Attributes:
        rows: (rows,).
        before, after: (rows,) answers to the first and the second text.
        positive: whose probability is the score.
        groups: those of the axis, in its order; a gap is of the earlier one minus the later one.
        step: how far the answer of a regression must move to count as changed.
    """

    rows: Sequence[Contrast]
    before: Classifications
    after: Classifications
    positive: PositiveClass
    groups: tuple[str, ...]
    step: float

    @classmethod
    def of(
        cls,
        rows: Sequence[Contrast],
        before: Classifications,
        after: Classifications,
        *,
        card: ModelCard,
        groups: tuple[str, ...],
    ) -> Answered:
        """Rows with their answers; those with an answer that is not finite are left out."""
        everything = cls(
            rows=rows,
            before=before,
            after=after,
            positive=card.positive,
            groups=groups,
            step=regression_step(before),
        )
        finite = np.asarray(np.isfinite(before.logits + after.logits).all(axis=1))
        return everything if finite.all() else everything.where(finite)

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, kept: Bools | Ints) -> Answered:
        """The rows picked by a mask or by positions."""
        positions = np.flatnonzero(kept) if kept.dtype == bool else kept
        part = Answered(
            rows=[self.rows[position] for position in positions],
            before=self.before[positions],
            after=self.after[positions],
            positive=self.positive,
            groups=self.groups,
            step=self.step,
        )
        known = [name for name in _BY_ROW if name in vars(self)]  # worked out already: every two groups ask again
        vars(part).update({name: getattr(self, name)[positions] for name in known})
        return part

    @cached_property
    def clusters(self) -> list[str]:
        """(rows,): variants of one text are not independent."""
        return [row.cluster for row in self.rows]

    @cached_property
    def control(self) -> Bools:
        """(rows,): do both texts mention the same group."""
        return np.array([row.control for row in self.rows], dtype=bool)

    @cached_property
    def flipped(self) -> Bools:
        """(rows,): are the answers different by more than numerical noise."""
        return changed(self.before, self.after, step=self.step)

    @property
    def scored(self) -> bool:
        """Is there a score with a direction: a positive class, or the value of a regression."""
        return bool(self.positive.labels)

    @property
    def unit(self) -> Unit:
        """Of a gap."""
        return Unit.SCORE if self.before.problem is ProblemType.REGRESSION else Unit.DIFFERENCE

    @property
    def limits(self) -> tuple[float, float]:
        """Smallest and largest gap there can be."""
        if self.unit is Unit.DIFFERENCE:
            return (-1.0, 1.0)
        scores = np.concatenate([self.before.logits, self.after.logits])
        width = float(np.ptp(scores)) or 1.0
        return (-width, width)

    @cached_property
    def places(self) -> Ints:
        """(rows, 2): positions of the two groups in `groups`."""
        order = {group: place for place, group in enumerate(self.groups)}
        found = [[order[group] for group in row.groups] for row in self.rows]
        return np.array(found, dtype=np.int64).reshape(-1, 2)

    @cached_property
    def gap(self) -> Floats:
        """(rows,): score of the earlier group's text minus that of the later group's."""
        difference = self.positive.score(self.before) - self.positive.score(self.after)
        return np.where(self.places[:, 0] <= self.places[:, 1], difference, -difference)

    @cached_property
    def distance(self) -> Floats:
        """(rows,): how far the two answers are apart: |gap|, or without a positive class the total variation distance
        (label sets: the mean distance of the probabilities)."""
        if self.scored:
            return np.abs(self.gap)
        apart = np.abs(self.before.scores - self.after.scores)
        single = self.before.problem is ProblemType.SINGLE_LABEL
        return np.asarray(apart.sum(axis=1) / 2 if single else apart.mean(axis=1))

    def of_pair(self, pair: tuple[int, int]) -> Bools:
        """(rows,): does the row compare these two groups, by position, in either order."""
        return np.asarray((self.places.min(axis=1) == pair[0]) & (self.places.max(axis=1) == pair[1]))

    @cached_property
    def codes(self) -> tuple[list[str], Ints]:
        """The different clusters, sorted, and (rows,) the position of each row's."""
        keys = sorted(set(self.clusters))
        place = {key: position for position, key in enumerate(keys)}
        return keys, np.array([place[key] for key in self.clusters], dtype=np.int64)

    def by_cluster(self, values: Floats, rows: Bools) -> Floats:
        """(clusters,): mean of (rows,) values over the chosen rows of each cluster; NaN where it has none."""
        keys, codes = self.codes
        sizes = np.bincount(codes[rows], minlength=len(keys))
        sums = np.bincount(codes[rows], weights=values[rows], minlength=len(keys))
        return np.asarray(np.divide(sums, sizes, out=np.full(len(keys), np.nan), where=sizes > 0))
