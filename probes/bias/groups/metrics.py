"""What is measured of each group: means over its items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress

import numpy as np

from probes.bias.groups.frames import Frame
from probes.bias.groups.items import GroupItems
from probes.core import stats
from probes.core.answers import Bools, Floats, Ints, ProblemType
from probes.core.measuring import share
from probes.core.records import Better, Estimate, SkipReason, Unit
from probes.core.stats.derived import FEW, UnmeasurableError
from probes.core.stats.group_means import GroupMeans


@dataclass(frozen=True, kw_only=True)
class GroupMetric:
    """One number of a group: the mean of `values` over those of its items that are `among`.

    Attributes:
        title: for people.
        values: (n,); 0 and 1 where it is a rate.
        among: (n,) which items count.
        of: what is counted, in the plural ("items that are toxic").
        limits: smallest and largest value.
        frame: what fairlearn is asked, where it has the metric.
    """

    name: str
    title: str
    values: Floats
    among: Bools
    of: str
    better: Better
    unit: Unit = Unit.PROPORTION
    limits: tuple[float, float] | None = (0.0, 1.0)
    frame: Frame | None = None

    def within(self, members: Bools, clusters: Sequence[str]) -> Estimate:
        """The number of the group with these (n,) members.

        Raises:
            UnmeasurableError: for fewer than FEW independent items that count.
        """
        counted = members & self.among
        keys = list(compress(clusters, counted))
        distinct = len(set(keys))
        if distinct < FEW:
            reason = SkipReason.TOO_FEW if distinct else SkipReason.UNDEFINED
            raise UnmeasurableError(reason, f"{distinct or 'no'} independent {self.of}; {FEW} are needed.")
        if np.isin(self.values[counted], (0.0, 1.0)).all():
            return share(self.values == 1.0, among=counted, clusters=clusters)
        return stats.mean(self.values[counted], clusters=keys, limits=self.limits)

    def compared(self, groups: Mapping[str, Bools], clusters: Ints) -> GroupMeans:
        """The groups of which the number can be given, together.

        Raises:
            UnmeasurableError: for fewer than two of them.
        """
        counted = {name: members & self.among for name, members in groups.items()}
        enough = {name: rows for name, rows in counted.items() if len(np.unique(clusters[rows])) >= FEW}
        return GroupMeans.of(self.values, enough, clusters=clusters, limits=self.limits)


def metrics_of(items: GroupItems) -> Iterator[GroupMetric]:
    """The numbers that these items and this model allow, the one that groups are sorted by first."""
    labelled = bool(items.labelled.any())
    if items.problem is ProblemType.REGRESSION:
        yield from _of_scores(items, labelled=labelled)
        return
    if items.has_positive:
        yield from _of_selection(items)
        if labelled:
            yield from _of_errors(items)
    if labelled:
        yield _rate(
            "accuracy",
            "share of right answers",
            items.right,
            items.labelled,
            of="items with a right answer",
            frame=Frame(truth=np.ones(len(items), dtype=bool), prediction=items.right, rows=items.labelled),
        )
    if items.has_positive:
        yield from _of_probabilities(items, labelled=labelled)


def favourable(items: GroupItems) -> GroupMetric:
    """The share of answers to the advantage of the person concerned: positive ones, or the others of an adverse class.

    A positive class whose meaning is not known is taken to be favourable.
    """
    name = positive_name(items)
    answered = ~items.selected if items.adverse else items.selected
    title = f"share {'not ' if items.adverse else ''}answered {name}"
    return _rate("favourable_rate", title, answered, np.ones(len(items), dtype=bool), of="items")


def positive_name(items: GroupItems) -> str:
    """The positive labels as one name."""
    return " or ".join(items.positive.labels)


def _of_selection(items: GroupItems) -> Iterator[GroupMetric]:
    yield _rate(
        "selection_rate",
        f"share answered {positive_name(items)}",
        items.selected,
        np.ones(len(items), dtype=bool),
        of="items",
        better=Better.CONTEXT,
        frame=Frame(truth=items.selected, prediction=items.selected, rows=np.ones(len(items), dtype=bool)),
    )


def _of_errors(items: GroupItems) -> Iterator[GroupMetric]:
    name, known, gold, selected = positive_name(items), items.labelled, items.gold, items.selected
    both = partial(_rate, frame=Frame(truth=gold, prediction=selected, rows=known))
    title = f"of the items that are {name}, share answered so"
    yield both("true_positive_rate", title, selected, known & gold, of=f"items that are {name}")
    title = f"of the items that are not {name}, share answered {name}"
    yield both(
        "false_positive_rate", title, selected, known & ~gold, of=f"items that are not {name}", better=Better.LOWER
    )
    title = f"of the items answered {name}, share that are"
    yield both("precision", title, gold, known & selected, of=f"items answered {name}")


def _of_probabilities(items: GroupItems, *, labelled: bool) -> Iterator[GroupMetric]:
    name, everyone = positive_name(items), np.ones(len(items), dtype=bool)
    yield GroupMetric(
        name="mean_score",
        title=f"mean probability of {name}",
        values=items.score,
        among=everyone,
        of="items",
        better=Better.CONTEXT,
        frame=Frame(truth=everyone, prediction=items.score, rows=everyone),
    )
    if labelled:
        yield GroupMetric(
            name="calibration_gap",
            title=f"mean probability of {name} minus the share that are",
            values=items.score - items.gold,
            among=items.labelled,
            of="items with a right answer",
            better=Better.CONTEXT,
            unit=Unit.DIFFERENCE,
            limits=(-1.0, 1.0),
        )


def _of_scores(items: GroupItems, *, labelled: bool) -> Iterator[GroupMetric]:
    everyone = np.ones(len(items), dtype=bool)
    number = partial(GroupMetric, better=Better.CONTEXT, unit=Unit.SCORE, limits=None)
    yield number(
        name="mean_score",
        title="mean score",
        values=items.score,
        among=everyone,
        of="items",
        frame=Frame(truth=everyone, prediction=items.score, rows=everyone),
    )
    if labelled:
        yield number(
            name="mean_error",
            title="mean of score minus right score",
            values=items.score - items.gold_score,
            among=items.labelled,
            of="items with a right answer",
        )


def _rate(
    name: str,
    title: str,
    successes: Bools,
    among: Bools,
    *,
    of: str,
    better: Better = Better.HIGHER,
    frame: Frame | None = None,
) -> GroupMetric:
    return GroupMetric(
        name=name,
        title=title,
        values=successes.astype(np.float64),
        among=among,
        of=of,
        better=better,
        frame=frame,
    )
