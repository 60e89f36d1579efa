"""How good the answers of a classifier are as a whole: the numbers of `Quality` for single labels and label sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from probes.core import metrics, stats
from probes.core.labelled import Labelled
from probes.core.measuring import measured, share
from probes.core.records import Better, Estimate, Measurement, Skip, SkipReason, Unit
from probes.core.stats.derived import UnmeasurableError, f1_rate, mean_of_rates, resampled
from probes.core.unseen_errors import BatchedMetric, with_unseen

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampling:
    """How the numbers without a formula get their interval; `generator` gives a fresh one for each named number."""

    generator: Callable[..., np.random.Generator]
    resamples: int
    keys: tuple[str, ...] = field(default=())

    def of(self, metric: BatchedMetric, items: Labelled, *, name: str, limits: tuple[float, float]) -> Estimate:
        """Cluster bootstrap of a metric of labels.

        Raises:
            UnmeasurableError: see `intervals.resampled`; and where all golds are the same.
        """
        _require_two_golds(items)
        predicted, gold = items.answers.chosen, items.gold
        one_kind = bool(items.correct.all() or not items.correct.any())
        return resampled(
            partial(metric, predicted, gold),
            clusters=items.clusters,
            rng=self.generator(name, *self.keys),
            resamples=self.resamples,
            limits=limits,
            unseen=partial(with_unseen, metric, predicted, gold) if one_kind else None,
        )


def single_label(items: Labelled, resampling: Resampling) -> Iterator[Measurement | Skip]:
    """Accuracy, its averages over labels, and what answering the commonest label would achieve."""
    clusters = items.clusters
    yield measured(
        "accuracy", "share of right answers", lambda: share(items.correct, clusters=clusters), better=Better.HIGHER
    )
    yield measured(
        "balanced_accuracy",
        "share of right answers, every label counting the same",
        lambda: balanced_accuracy(items),
        better=Better.HIGHER,
    )
    yield measured(
        "balanced_accuracy_over_chance",
        "gain over guessing, every label counting the same",
        lambda: over_chance(items),
        better=Better.HIGHER,
        unit=Unit.DIFFERENCE,
    )
    yield macro_f1(items, resampling)
    yield measured(
        "mcc",
        "correlation between answers and golds (MCC)",
        lambda: resampling.of(metrics.mcc, items, name="mcc", limits=(-1.0, 1.0)),
        better=Better.HIGHER,
        unit=Unit.SCORE,
    )
    yield from _over_majority(items)


def multi_label(items: Labelled, resampling: Resampling) -> Iterator[Measurement | Skip]:
    """Exact match, and F1 pooled and averaged over labels."""
    yield measured(
        "exact_match",
        "share of items with exactly the right set of labels",
        lambda: share(items.correct, clusters=items.clusters),
        better=Better.HIGHER,
    )
    yield measured("micro_f1", "F1 of all label decisions pooled", lambda: micro_f1(items), better=Better.HIGHER)
    yield macro_f1(items, resampling)


def macro_f1(
    items: Labelled, resampling: Resampling, *, part: dict[str, str] | None = None, family: str | None = None
) -> Measurement | Skip:
    """Mean F1 of the labels that occur."""
    occurring = int((items.gold | items.answers.chosen).any(axis=0).sum())
    return measured(
        "macro_f1",
        f"mean F1 of the {occurring} labels that occur",
        lambda: resampling.of(metrics.macro_f1, items, name="macro_f1", limits=(0.0, 1.0)),
        better=Better.HIGHER,
        part=part,
        family=family,
    )


def balanced_accuracy(items: Labelled) -> Estimate:
    """Mean recall over the labels that occur in the gold.

    Raises:
        UnmeasurableError: when only one does.
    """
    _require_two_golds(items)
    parts = [column for column in items.gold.T if column.any()]
    return mean_of_rates(items.correct, parts, clusters=items.clusters)


def over_chance(items: Labelled) -> Estimate:
    """Balanced accuracy less that of any constant answer or of guessing, 1 / (labels that occur in the gold).

    Unlike the gain over the majority label it does not punish a model that finds a rare label at the price of some
    false alarms, and unlike MCC it is defined for a model that always answers the same.

    Raises:
        UnmeasurableError: when only one label occurs.
    """
    estimate, chance = balanced_accuracy(items), 1 / int(items.gold.any(axis=0).sum())
    tails = tuple(
        tail.model_copy(update={"low": tail.low - chance, "high": tail.high - chance}) for tail in estimate.tails
    )
    return estimate.model_copy(
        update={
            "value": estimate.value - chance,
            "low": estimate.low - chance,
            "high": estimate.high - chance,
            "tails": tails,
        }
    )


def micro_f1(items: Labelled) -> Estimate:
    """F1 of the n x K label decisions pooled; those on one item are one cluster. Items without a label do not count."""
    chosen, gold = items.answers.chosen, items.gold
    clusters = list(np.repeat(items.clusters, gold.shape[1]))
    pooled = f1_rate((chosen & gold).ravel(), (chosen | gold).ravel(), clusters=clusters)
    return pooled.model_copy(update={"n": int((chosen | gold).any(axis=1).sum())})


def _over_majority(items: Labelled) -> Iterator[Measurement | Skip]:
    commonest = int(np.argmax(items.gold.sum(axis=0)))
    majority = items.gold[:, commonest]

    def difference() -> Estimate:
        _require_two_golds(items)
        return stats.paired_difference(majority, items.correct, clusters=items.clusters)

    yield measured(
        "majority_baseline",
        f"share of the commonest label ({items.labels[commonest]}), which always answering it would get right",
        lambda: share(majority, clusters=items.clusters),
        better=Better.CONTEXT,
    )
    yield measured(
        "accuracy_over_majority",
        f"accuracy gained over always answering {items.labels[commonest]}",
        difference,
        better=Better.HIGHER,
        unit=Unit.DIFFERENCE,
    )


def _require_two_golds(items: Labelled) -> None:
    if (items.gold == items.gold[0]).all():
        raise UnmeasurableError(SkipReason.UNDEFINED, "All items have the same gold, so labels cannot be told apart.")
