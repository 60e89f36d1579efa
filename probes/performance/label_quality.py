"""How good the answers of a classifier are as a whole: the numbers of `Quality` for single labels and label sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from probes.core import stats
from probes.core.labelled import Labelled
from probes.core.measuring import measured, share
from probes.core.records import Better, Estimate, Measurement, Skip, SkipReason, Unit
from probes.core.stats.derived import UnmeasurableError, f1_rate, mean_of_rates, resampled
from probes.performance import metrics

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
BatchedMetric = Callable[[Bools, Bools, Floats | None], Floats]


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


def with_unseen(metric: BatchedMetric, predicted: Bools, gold: Bools, rate: float) -> float:
    """A metric of flawless (or wholly wrong) answers if a share `rate` of them were wrong (or right).

    The unseen ones fall where they weigh most in an average over labels: on the rarest labels first.
    """
    flawless = bool((predicted == gold).all())
    rarity = np.argsort(np.argsort(gold.sum(axis=0), kind="stable"), kind="stable")
    own = np.where(gold, rarity, len(rarity)).min(axis=1)
    fractions = _rarest_first(own, budget=rate * len(own))
    other = _one_error(gold, rarity=rarity) if flawless else gold
    weights = np.concatenate([1 - fractions, fractions])[None, :]
    return float(metric(np.concatenate([predicted, other]), np.concatenate([gold, gold]), weights)[0])


def _rarest_first(own: NDArray[np.int64], *, budget: float) -> Floats:
    """(n,): what fraction of each item is wrong, when `budget` items are, in the order of `own`."""
    fractions = np.zeros(len(own))
    for rank in np.unique(own):
        members = own == rank
        fractions[members] = min(1.0, budget / members.sum())
        budget = max(0.0, budget - float(members.sum()))
    return fractions


def _one_error(gold: Bools, *, rarity: NDArray[np.int64]) -> Bools:
    """(n, K): the golds with each item's rarest label missed, and, where it was the only one, another one answered."""
    wrong = gold.copy()
    ranked = np.argsort(rarity)
    for row, labels in enumerate(gold):
        missed = int(np.argmin(np.where(labels, rarity, len(rarity)))) if labels.any() else None
        if missed is not None:
            wrong[row, missed] = False
        other = int(ranked[-1] if missed != ranked[-1] else ranked[max(len(ranked) - 2, 0)])
        if not wrong[row].any() and other != missed:
            wrong[row, other] = True
    return wrong


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
