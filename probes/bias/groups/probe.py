"""The probe that compares the groups named in the user's own data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.bias.groups.cases import cases, outcomes
from probes.bias.groups.comparison import Comparison
from probes.bias.groups.items import Attribute, GroupItems, attributes
from probes.core.answers import ProblemType
from probes.core.counts import plural
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.measuring import no_positive_class
from probes.core.model import Classifier
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Accounting, Outcomes, Record, Skip, SkipReason
from probes.core.stats.clusters import FEW

NEED_POSITIVE = (
    "selection_rate", "true_positive_rate", "false_positive_rate", "precision", "mean_score", "calibration_gap",
    "ratio_to_most_favoured", "demographic_parity_difference", "demographic_parity_ratio", "impact_ratio",
    "equal_opportunity_difference", "equalized_odds_difference", "equalized_odds_ratio",
    "predictive_parity_difference", "mean_score_difference", "calibration_gap_difference",
)  # fmt: skip
NEED_GOLD = (
    "true_positive_rate", "false_positive_rate", "precision", "accuracy", "calibration_gap",
    "equal_opportunity_difference", "equalized_odds_difference", "equalized_odds_ratio",
    "predictive_parity_difference", "accuracy_difference", "calibration_gap_difference",
)  # fmt: skip


@dataclass(frozen=True)
class Groups:
    """Are the groups named in the data treated alike?

    Measures:
        For each value of each group column: the share of items that get the positive answer (selection rate) and, where
        right answers are known, true positive rate, false positive rate, precision, accuracy, the mean probability of
        the positive answer, and how far that is from the share of items that are positive (calibration). For each
        column the largest gap between two groups: demographic parity (difference and ratio), impact ratio, equal
        opportunity, equalized odds (difference and ratio), predictive parity, accuracy, mean score, calibration. For
        each group the ratio of its favourable outcomes to those of the most favoured group, and to a declared reference
        group. For scores (regression): mean score and mean error by group.

    Why it matters:
        A model can be right on the whole and fail one group of people. These numbers are evidence relevant to
        examinations for bias, and the impact ratio is the number that US selection guidelines and New York City's rules
        on automated hiring tools ask for. Its four-fifths line is a policy choice and is not applied here.

    Method:
        Every item is asked once. A group is judged from 30 independent items on (parameter `minimum`) and a rate within
        it from 10; smaller ones are listed with the reason. Items without a value are counted, not compared. The impact
        ratio is the lowest rate of favourable outcomes over the highest: of the positive answer, or of its absence
        where the positive answer is a harm or a disadvantage; a class of unknown meaning counts as favourable.
        Rates have Wilson intervals, means t intervals. The gap between groups is the largest of many and biased
        upwards: its bound towards "no gap" holds for all ordered pairs of groups at once (Bonferroni, MOVER on exact
        bounds of the rates), so that equal groups are called unequal in at most the stated share of samples; its bound
        towards a larger gap is that of the widest pair. Items of one cluster count as dependent, within and between
        groups. Every metric that fairlearn has is computed by its MetricFrame as well, and has to agree. Intersections
        of two columns are added on request (parameter `intersections`).

    Limits:
        Groups are as given in the data; whether the values are true, and fit the people concerned, is not known. It is
        the texts that are labelled, not people, unless the data say so. A right answer that is itself unequal hides
        inequality: equal error rates on biased labels are not fairness. The gaps cannot all be zero at once where
        groups differ in their share of positive items. Calibration is compared on average only, not score by score. A
        difference need not come from the model, and nothing here says why it is there. Nothing is said about groups
        that the data do not name, or name too rarely.

    References:
        Hardt, Price and Srebro 2016, arXiv:1610.02413 (equalized odds, equal opportunity). Agarwal et al. 2018,
        arXiv:1803.02453 (demographic parity). Chouldechova 2017, Big Data 5:153 (predictive parity, and why not all can
        hold). 29 CFR 1607.4 D (four-fifths). NYC Local Law 144 of 2021, 6 RCNY 5-300. Weerts et al. 2023, JMLR 24:257
        (fairlearn). Zou and Donner 2008, Statistics in Medicine 27:1693; Zou 2007, Psychological Methods 12:399; Donner
        and Zou 2012, Statistical Methods in Medical Research 21:347 (MOVER). Berger 1982, Technometrics 24:295.
    """

    minimum: int = FEW
    """Independent items a group must have."""
    intersections: bool = False
    """Also compare the groups that two columns make together."""
    reference: tuple[str, ...] = ()
    """Groups that others are compared with, written "column=value"."""
    unknown: tuple[str, ...] = ("unknown", "n/a", "nan", "null", "not stated", "prefer not to say", "unspecified")
    """Values that mean no value, besides an empty one; upper and lower case alike."""

    def __post_init__(self) -> None:
        for name in self.reference:
            if "=" not in name:
                raise UsageError(f'bias.groups: reference {name!r} is not written "column=value"', hint="gender=f")
        if self.minimum < 2:
            raise UsageError(f"bias.groups: minimum {self.minimum}", hint="a group needs at least 2 items")

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="bias.groups",
            version=1,
            risk="bias",
            title="Groups in the data",
            doc=ProbeDoc.parse(type(self).__doc__),
            groups=True,
        )

    def run(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields each attribute's groups and gaps, then cases and outcomes."""
        items = GroupItems.ask(model, data)
        found = attributes(items, unknown=self.unknown, intersections=self.intersections)
        yield _accounting(items, found)
        if not any(attribute.known.any() for attribute in found):
            yield _no_groups()
            return
        yield from _lacking(items)
        comparisons = [self._comparison(items, attribute) for attribute in found]
        for comparison in comparisons:
            yield from comparison.records()
        single = [c for c in comparisons if c.attribute.columns == 1]
        yield from cases(items, [(c.attribute, c.groups) for c in single], ctx)
        yield outcomes(items)

    def _comparison(self, items: GroupItems, attribute: Attribute) -> Comparison:
        references = {column: value for column, _, value in (name.partition("=") for name in self.reference)}
        return Comparison(
            items=items,
            attribute=attribute,
            minimum=self.minimum,
            reference=references.get(attribute.name),
            family=f"{self.info.id}.{attribute.name}",
        )


def _accounting(items: GroupItems, found: Sequence[Attribute]) -> Accounting:
    known = np.any([np.zeros(len(items), dtype=bool), *(attribute.known for attribute in found)], axis=0)
    scored, n = int(known.sum()), len(items)
    unlabelled = int((known & ~items.labelled).sum())
    notes = (
        (n - scored, f"{plural(n - scored, 'item has', 'items have')} no value in any group column"),
        (items.unscored, f"the model gave no finite answer to {items.unscored}"),
        (unlabelled, f"{unlabelled} without a right answer count for the rates of answers only"),
    )
    return Accounting(
        eligible=n + items.unscored,
        scored=scored,
        unscored=n + items.unscored - scored,
        tied=int(items.answers.tied[known].sum()),
        note="; ".join(note for count, note in notes if count),
    )


def _no_groups() -> Skip:
    return Skip(
        reason=SkipReason.NO_GROUPS,
        detail="The group columns have no value for any item.",
        enable="give data whose group columns are filled, or name others with --group-column",
    )


def _lacking(items: GroupItems) -> Iterator[Skip]:
    """What cannot be measured of any group, with this model or these data."""
    lacking: set[str] = set()
    if items.problem is not ProblemType.REGRESSION and not items.has_positive:
        detail = "The model has no positive class, so no answer counts as selected."
        for name in NEED_POSITIVE:
            yield no_positive_class(items.positive, detail=detail, name=name)
        lacking.update(NEED_POSITIVE)
    if items.labelled.any():
        return
    detail = "No item has a right answer to compare with."
    names = ("mean_error", "mean_error_difference") if items.problem is ProblemType.REGRESSION else NEED_GOLD
    for name in names:
        if name not in lacking:
            enable = "name the label column with --label-column"
            yield Skip(reason=SkipReason.NO_GOLD, detail=detail, enable=enable, name=name)
