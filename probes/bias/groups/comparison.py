"""The groups of one attribute: each on its own, then how far they are apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import compress, groupby

import numpy as np

from probes.bias.group_gaps import largest_difference, ratio_to, ratio_to_highest, smallest_ratio
from probes.bias.groups.frames import require_agreement
from probes.bias.groups.items import Attribute, GroupItems
from probes.bias.groups.metrics import GroupMetric, favourable, metrics_of, positive_name
from probes.core.answers import Bools
from probes.core.measuring import measured, share
from probes.core.positive import Meaning
from probes.core.records import Better, Estimate, Measurement, Skip, SkipReason, Unit
from probes.core.stats.derived import UnmeasurableError
from probes.core.stats.group_means import GroupMeans

Found = Measurement | Skip

DIFFERENCES = (
    ("demographic_parity_difference", "demographic parity", ("selection_rate",)),
    ("equal_opportunity_difference", "equal opportunity", ("true_positive_rate",)),
    ("equalized_odds_difference", "equalized odds", ("true_positive_rate", "false_positive_rate")),
    ("predictive_parity_difference", "predictive parity", ("precision",)),
    ("accuracy_difference", "accuracy", ("accuracy",)),
    ("mean_score_difference", "mean score", ("mean_score",)),
    ("calibration_gap_difference", "calibration", ("calibration_gap",)),
    ("mean_error_difference", "mean error", ("mean_error",)),
)
"""Name, what it is called, and the numbers of the groups whose largest difference it is."""

RATIOS = (
    ("demographic_parity_ratio", "demographic parity", ("selection_rate",)),
    ("equalized_odds_ratio", "equalized odds", ("true_positive_rate", "false_positive_rate")),
)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One attribute of the items.

    Attributes:
        minimum: independent items a group must have.
        reference: the group that others are compared with, if one was declared.
        family: of the gaps; those of single groups have families of their own.
    """

    items: GroupItems
    attribute: Attribute
    minimum: int
    reference: str | None
    family: str

    def records(self) -> Iterator[Found]:
        """The share without a value, groups that are too small, the groups' numbers, their ratios and the gaps."""
        yield self._unknown_share()
        yield from self._too_small()
        if not self.groups:
            return
        for _, asked in groupby(self.metrics.values(), key=lambda metric: id(metric.frame)):
            yield from self._each_group(list(asked))
        if self.items.has_positive:
            yield from self._ratios()
        yield from self._gaps()

    @cached_property
    def groups(self) -> dict[str, Bools]:
        """The groups that are large enough, with their (n,) members."""
        sizes = self.attribute.sizes(self.items.clusters)
        return {value: rows for value, rows in self.attribute.groups() if sizes[value] >= self.minimum}

    @cached_property
    def metrics(self) -> dict[str, GroupMetric]:
        return {metric.name: metric for metric in metrics_of(self.items)}

    @property
    def whole(self) -> dict[str, str]:
        """The slice of the attribute."""
        return {"attribute": self.attribute.name}

    def part(self, group: str) -> dict[str, str]:
        """The slice of one of its groups."""
        return {"attribute": self.attribute.name, "group": group}

    def _unknown_share(self) -> Found:
        return measured(
            "unknown_share",
            f"share of items without a value of {self.attribute.name}",
            partial(share, ~self.attribute.known, clusters=self.items.clusters),
            better=Better.CONTEXT,
            part=self.whole,
        )

    def _too_small(self) -> Iterator[Skip]:
        sizes = self.attribute.sizes(self.items.clusters)
        for value, rows in self.attribute.groups():
            if value in self.groups:
                continue
            yield Skip(
                reason=SkipReason.TOO_FEW,
                detail=f"{self._counted(rows)}; {sizes[value]} independent, {self.minimum} are needed.",
                enable="add items of this group",
                name="ratio_to_most_favoured" if self.items.has_positive else next(iter(self.metrics), None),
                slice=self.part(value),
            )

    def _counted(self, rows: Bools) -> str:
        """How many items a group has, and what was answered to them: too few for a rate."""
        n, known = int(rows.sum()), int(self.attribute.known.sum())
        told = f"{n} {'item' if n == 1 else 'items'}, {n / known:.1%} of those with a value"
        if not self.items.has_positive:
            return told
        return f"{told}; {int(self.items.selected[rows].sum())} answered {positive_name(self.items)}"

    def _each_group(self, asked: Sequence[GroupMetric]) -> Iterator[Found]:
        """The groups' numbers by metrics of one frame: fairlearn is asked for all of these at once."""
        found = {metric.name: self._by_group(metric) for metric in asked}
        frame = asked[0].frame
        if frame is not None:
            require_agreement({name: _values(own) for name, own in found.items()}, frame, self.groups)
        for own in found.values():
            yield from own.values()

    def _by_group(self, metric: GroupMetric) -> dict[str, Found]:
        return {group: self._of_group(metric, group, rows) for group, rows in self.groups.items()}

    def _of_group(self, metric: GroupMetric, group: str, rows: Bools) -> Found:
        return measured(
            metric.name,
            metric.title,
            partial(metric.within, rows, self.items.clusters),
            better=metric.better,
            unit=metric.unit,
            part=self.part(group),
            family=f"{self.family}.{metric.name}",
        )

    @cached_property
    def _favourable(self) -> GroupMetric:
        return favourable(self.items)

    @cached_property
    def _means(self) -> dict[str, GroupMeans | UnmeasurableError]:
        """Of each metric, the groups together; or why there is no comparison."""
        return {metric.name: self._together(metric) for metric in (*self.metrics.values(), *self._for_ratios)}

    @property
    def _for_ratios(self) -> tuple[GroupMetric, ...]:
        return (self._favourable,) if self.items.has_positive else ()

    def _together(self, metric: GroupMetric) -> GroupMeans | UnmeasurableError:
        try:
            return metric.compared(self.groups, self.items.numbered_clusters)
        except UnmeasurableError as error:
            return error

    def _compared(self, name: str) -> GroupMeans:
        found = self._means[name]
        if isinstance(found, UnmeasurableError):
            raise found
        return found

    def _ratios(self) -> Iterator[Found]:
        """Each group against the most favoured one, and against the reference."""
        for group in self.groups:
            yield self._ratio("ratio_to_most_favoured", "as part of the highest of all groups", group, ratio_to_highest)
        if self.reference is None:
            return
        if self.reference not in self.groups:
            detail = f"The reference {self.reference} is no group of {self.attribute.name} with enough items."
            yield Skip(
                reason=SkipReason.TOO_FEW,
                detail=detail,
                enable=f"name one of {', '.join(self.groups)}",
                name="ratio_to_reference",
                slice=self.whole,
            )
            return
        against = partial(ratio_to, reference=self.reference)
        for group in self.groups:
            if group != self.reference:
                yield self._ratio("ratio_to_reference", f"as part of that of {self.reference}", group, against)

    def _ratio(self, name: str, to: str, group: str, ratio: Callable[[GroupMeans, str], Estimate]) -> Found:
        metric = self._favourable

        def estimate() -> Estimate:
            found, rows = ratio(self._compared(metric.name), group), self.groups[group]
            clusters = len(set(compress(self.items.clusters, rows)))
            return found.model_copy(update={"n": int(rows.sum()), "clusters": clusters})

        return measured(
            name,
            f"{metric.title}, {to}",
            estimate,
            better=Better.HIGHER,
            unit=Unit.SCORE,
            part=self.part(group),
            family=f"{self.family}.{name}",
        )

    def _gaps(self) -> Iterator[Found]:
        """The largest differences and the smallest ratios of what was measured of the groups."""
        for name, called, numbers in DIFFERENCES:
            if all(number in self.metrics for number in numbers):
                title = f"largest gap between two groups: {called}"
                yield self._gap(name, title, numbers, largest_difference, better=Better.LOWER, unit=self._unit(numbers))
        for name, called, numbers in RATIOS:
            if all(number in self.metrics for number in numbers):
                title = f"lowest rate of a group over the highest: {called}"
                yield self._gap(name, title, numbers, smallest_ratio, better=Better.HIGHER, unit=Unit.SCORE)
        if self.items.has_positive:
            assumed = ", taken as favourable" if self.items.positive.meaning is Meaning.UNKNOWN else ""
            title = f"impact ratio: {self._favourable.title}{assumed}, lowest over highest"
            names = (self._favourable.name,)
            yield self._gap("impact_ratio", title, names, smallest_ratio, better=Better.HIGHER, unit=Unit.SCORE)

    def _unit(self, numbers: Sequence[str]) -> Unit:
        return Unit.SCORE if self.metrics[numbers[0]].unit is Unit.SCORE else Unit.DIFFERENCE

    def _gap(
        self,
        name: str,
        title: str,
        numbers: Sequence[str],
        combine: Callable[..., Estimate],
        *,
        better: Better,
        unit: Unit,
    ) -> Found:
        try:
            means = [self._compared(number) for number in numbers]
            estimate = combine(*means)
        except UnmeasurableError as error:
            return Skip(reason=error.reason, detail=f"{title}: {error.detail}", name=name, slice=self.whole)
        widest = max(means, key=lambda each: float(np.ptp(each.values)))
        return Measurement(
            name=name,
            title=f"{title} ({_extremes(widest)})",
            estimate=estimate,
            better=better,
            unit=unit,
            slice=self.whole,
            family=self.family,
        )


def _values(found: Mapping[str, Found]) -> dict[str, float]:
    """Group -> its number, where it has one."""
    return {group: each.estimate.value for group, each in found.items() if isinstance(each, Measurement)}


def _extremes(means: GroupMeans) -> str:
    """Which groups are lowest and highest."""
    if float(np.ptp(means.values)) == 0:
        return "all alike"
    return f"{means.names[int(np.argmin(means.values))]} lowest, {means.names[int(np.argmax(means.values))]} highest"
