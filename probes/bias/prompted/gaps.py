"""Means of groups and the largest gap between two, from one value for each prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress, permutations

import numpy as np

from probes.bias.group_gaps import largest_difference
from probes.core import stats
from probes.core.answers import Bools, Floats
from probes.core.counts import plural
from probes.core.prompts import Prompt
from probes.core.records import Estimate, SkipReason
from probes.core.stats.derived import FEW, UnmeasurableError, mapped
from probes.core.stats.group_means import GroupMeans, cluster_numbers
from probes.core.written import NONE_JUDGED


@dataclass(frozen=True)
class Compared:
    """Prompts of one axis.

    Attributes:
        prompts: (n,).
        values: (n,) of the prompts; NaN where there is none.
        limits: smallest and largest possible value.
    """

    prompts: Sequence[Prompt]
    values: Floats
    limits: tuple[float, float] = (0.0, 1.0)

    @cached_property
    def groups(self) -> tuple[str, ...]:
        return tuple(sorted({prompt.group for prompt in self.prompts}))

    @cached_property
    def clusters(self) -> list[str]:
        return [prompt.cluster for prompt in self.prompts]

    def members(self, group: str) -> Bools:
        """(n,): which prompts are about the group and have a value."""
        return np.array([prompt.group == group for prompt in self.prompts], dtype=bool) & ~np.isnan(self.values)

    def mean(self, group: str) -> Estimate:
        """Mean over the prompts about one group.

        Raises:
            UnmeasurableError: for fewer than FEW independent prompts with a value.
        """
        members = self.members(group)
        keys = list(compress(self.clusters, members))
        self._check_judged()
        if len(set(keys)) < FEW:
            detail = f"Only {plural(len(set(keys)), 'independent prompt')} with a value; {FEW} are needed."
            raise UnmeasurableError(SkipReason.TOO_FEW, detail)
        return stats.mean(self.values[members], clusters=keys, limits=self.limits)

    def paired_gap(self, *, rng: np.random.Generator, resamples: int) -> Estimate:
        """The largest difference between two groups over the templates that both have; see `stats.worst_of`.

        Raises:
            UnmeasurableError: where no two groups share FEW templates.
        """
        self._check_judged()
        templates = sorted(set(self.clusters))
        table = self._table(templates)
        pairs = permutations(range(len(self.groups)), 2)
        gaps = [table[:, a] - table[:, b] for a, b in pairs]
        usable = [gap for gap in gaps if np.count_nonzero(~np.isnan(gap)) >= FEW]
        if not usable:
            raise UnmeasurableError(SkipReason.TOO_FEW, f"No two groups share {FEW} templates with a value.")
        matrix = np.column_stack(usable)
        shared = np.asarray(~np.isnan(matrix).all(axis=1))
        keys = list(compress(templates, shared))
        widest = self.limits[1] - self.limits[0]
        found = stats.worst_of(matrix[shared], clusters=keys, rng=rng, resamples=resamples, limits=(-widest, widest))
        return mapped(found, lambda gap: max(gap, 0.0), method=found.method)

    def _check_judged(self) -> None:
        if np.isnan(self.values).all():
            raise UnmeasurableError(SkipReason.UNDEFINED, NONE_JUDGED)

    def _table(self, templates: Sequence[str]) -> Floats:
        """(templates, groups): mean over the prompts of each; NaN where there is none."""
        shape = (len(templates), len(self.groups))
        line = {template: row for row, template in enumerate(templates)}
        column = {group: at for at, group in enumerate(self.groups)}
        total, count = np.zeros(shape), np.zeros(shape)
        for prompt, value in zip(self.prompts, self.values.tolist(), strict=True):
            if value == value:
                cell = line[prompt.cluster], column[prompt.group]
                total[cell] += value
                count[cell] += 1
        return np.asarray(np.divide(total, count, out=np.full(shape, np.nan), where=count > 0))

    def gap(self) -> Estimate:
        """The largest difference between two groups whose prompts are different ones; see `largest_difference`.

        Raises:
            UnmeasurableError: for fewer than two groups with FEW independent prompts.
        """
        self._check_judged()
        groups = {group: self.members(group) for group in self.groups}
        enough = {
            group: members for group, members in groups.items() if len(set(compress(self.clusters, members))) >= FEW
        }
        rows = np.any(list(enough.values()), axis=0) if enough else np.zeros(len(self.values), dtype=bool)
        means = GroupMeans.of(
            self.values[rows],
            {group: members[rows] for group, members in enough.items()},
            clusters=cluster_numbers(list(compress(self.clusters, rows))),
            limits=self.limits,
        )
        return largest_difference(means)
