"""Parts of the numbers of `Quality`: by label, by pair of labels, and by group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from probes.core.answers import ProblemType
from probes.core.groups import groups
from probes.core.labelled import Labelled
from probes.core.measuring import measured, share
from probes.core.records import Better, Measurement, Skip, SkipReason, Unit
from probes.core.stats.derived import f1_rate
from probes.performance import regression
from probes.performance.label_quality import Resampling, macro_f1
from probes.performance.score_quality import resampled_error

CONFUSION_LABELS = 10
"""With more labels than this a confusion matrix has more cells than anyone reads."""


def by_label(items: Labelled, *, family: str) -> Iterator[Measurement | Skip]:
    """Precision, recall and F1 of each label."""
    clusters = items.clusters
    for column, label in enumerate(items.labels):
        answered, gold = items.answers.chosen[:, column], items.gold[:, column]
        precision = partial(share, gold, among=answered, clusters=clusters, of=f"item answered {label}")
        recall = partial(share, answered, among=gold, clusters=clusters, of=f"item that is {label}")
        f1 = partial(f1_rate, answered & gold, answered | gold, clusters=clusters)
        for name, title, estimate in (
            ("precision", f"how many of the answers {label} are right", precision),
            ("recall", f"how many of the items that are {label} are found", recall),
            ("f1", f"F1 of {label}", f1),
        ):
            yield measured(name, title, estimate, better=Better.HIGHER, part={"label": label}, family=family)


def confusion(items: Labelled, *, family: str) -> Iterator[Measurement]:
    """For each gold label the shares of the answers; nothing when there are more than CONFUSION_LABELS labels."""
    if len(items.labels) > CONFUSION_LABELS:
        return
    for row, gold in enumerate(items.labels):
        for column, predicted in enumerate(items.labels):
            if items.gold[:, row].any():
                yield Measurement(
                    name="confusion",
                    title=f"share of {gold} answered as {predicted}",
                    estimate=share(items.answers.chosen[:, column], among=items.gold[:, row], clusters=items.clusters),
                    better=Better.CONTEXT,
                    unit=Unit.PROPORTION,
                    slice={"gold": gold, "predicted": predicted},
                    family=family,
                )


def by_group(items: Labelled, resampling: Resampling, *, minimum: int, family: str) -> Iterator[Measurement | Skip]:
    """The main numbers within each value of each group column; values with fewer than `minimum` items are skipped."""
    for named, members in groups(items.examples):
        part, group = {"group": named}, items[members]
        if len(set(group.clusters)) < minimum:
            yield _too_few(group, part, minimum=minimum)
        else:
            yield from _group(group, replace(resampling, keys=(named,)), part, family=family)


def _group(
    group: Labelled, resampling: Resampling, part: dict[str, str], *, family: str
) -> Iterator[Measurement | Skip]:
    where = part["group"]
    if group.problem is ProblemType.REGRESSION:
        yield measured(
            "mae",
            f"mean absolute error where {where}",
            lambda: resampled_error(regression.mae, group, resampling, name="mae"),
            better=Better.LOWER,
            unit=Unit.SCORE,
            part=part,
            family=family,
        )
        return
    single = group.problem is ProblemType.SINGLE_LABEL
    yield measured(
        "accuracy" if single else "exact_match",
        f"share of right answers where {where}",
        lambda: share(group.correct, clusters=group.clusters),
        better=Better.HIGHER,
        part=part,
        family=family,
    )
    yield macro_f1(group, resampling, part=part, family=family)


def _too_few(group: Labelled, part: dict[str, str], *, minimum: int) -> Skip:
    n = len(set(group.clusters))
    return Skip(
        reason=SkipReason.TOO_FEW,
        detail=f"Group {part['group']} has {n} independent labelled items, fewer than {minimum}.",
        enable="add labelled items of this group",
        slice=part,
    )
