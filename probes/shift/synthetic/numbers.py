"""What rewriting costs: the quality of the answers to the rewritten texts against that on the same texts as given.

Quality is one number for each answer, higher is better: 1 for a right answer and 0 for a wrong one, or minus the
absolute error of a score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core import stats
from probes.core.answers import Bools, Classifications, Floats, ProblemType
from probes.core.records import Better, Estimate, Measurement, Skip, SkipReason, Unit
from probes.core.stats.clusters import FEW
from probes.text.trials import Trials

FAMILY = "shift.synthetic"


@dataclass(frozen=True)
class Graded:
    """Rows of rewritten texts whose right answer is known."""

    trials: Trials

    @classmethod
    def of(cls, trials: Trials) -> Graded:
        return cls(trials.where(trials.labelled))

    def __len__(self) -> int:
        return len(self.trials)

    @property
    def scores(self) -> bool:
        """Are the answers scores, and not labels."""
        return self.trials.before.problem is ProblemType.REGRESSION

    @cached_property
    def before(self) -> Floats:
        """(rows,) quality of the answer to the text as given."""
        return self._quality(self.trials.before, right=self.trials.right_before)

    @cached_property
    def after(self) -> Floats:
        """(rows,) quality of the answer to the rewritten text."""
        return self._quality(self.trials.after, right=self.trials.right_after)

    def _quality(self, answers: Classifications, *, right: Bools) -> Floats:
        if not self.scores:
            return right.astype(np.float64)
        gold = np.array([float(gold) for gold in self.trials.golds if isinstance(gold, int | float)])
        return np.asarray(-np.abs(answers.logits[:, 0] - gold), dtype=np.float64)

    @property
    def limits(self) -> tuple[float, float]:
        """The smallest and the largest loss an item can have."""
        if not self.scores:
            return -1.0, 1.0
        reach = float(np.abs(np.concatenate([self.before, self.after])).max()) or 1.0
        return -reach, reach

    def lost(self) -> Estimate:
        """Mean quality on the texts as given minus that on the same texts rewritten.

        Raises:
            ValueError: for scores of a single independent item.
        """
        clusters = self.trials.clusters
        if self.scores:
            return stats.mean(self.before - self.after, clusters=clusters, limits=self.limits)
        return stats.paired_difference(self.trials.right_after, self.trials.right_before, clusters=clusters)

    def quality_after(self) -> Estimate:
        """Accuracy on the rewritten texts, or the mean absolute error of scores.

        Raises:
            ValueError: for scores of a single independent item.
        """
        clusters = self.trials.clusters
        if self.scores:
            return stats.mean(-self.after, clusters=clusters, limits=(0.0, self.limits[1]))
        return stats.rate(self.trials.right_after, clusters=clusters)


def measured(rows: Trials, part: Mapping[str, str], *, graded: bool) -> Iterator[Measurement | Skip]:
    """Changed answers, and where right answers are known (`graded`) quality and its loss."""
    yield Measurement(
        name="flip_rate",
        title="share of answers that change when the text is rewritten",
        estimate=stats.rate(rows.flipped, clusters=rows.clusters),
        better=Better.LOWER,
        unit=Unit.PROPORTION,
        slice=part,
        family=f"{FAMILY}.flip_rate",
    )
    if not graded:
        return
    known = Graded.of(rows)
    if not enough(known.trials):
        yield Skip(
            reason=SkipReason.TOO_FEW,
            detail=f"Fewer than {FEW} of the items changed have a right answer.",
            enable="give more labelled items",
            name=lost_name(rows.before.problem),
            slice=part,
        )
    elif known.scores:
        error = "mean absolute error on the rewritten texts"
        added = "mean absolute error added against the same texts as given"
        yield _measurement("error", error, known.quality_after(), Better.LOWER, Unit.SCORE, part)
        yield _measurement("error_added", added, known.lost(), Better.LOWER, Unit.SCORE, part)
    else:
        lost = "accuracy lost against the same texts as given"
        right = known.quality_after()
        yield _measurement("accuracy", "accuracy on the rewritten texts", right, Better.HIGHER, Unit.PROPORTION, part)
        yield _measurement("accuracy_lost", lost, known.lost(), Better.LOWER, Unit.DIFFERENCE, part)


def lost_name(problem: ProblemType) -> str:
    """How the loss is called."""
    return "error_added" if problem is ProblemType.REGRESSION else "accuracy_lost"


def enough(rows: Trials) -> bool:
    """Are there as many independent items as a number needs."""
    return len(set(rows.clusters)) >= FEW


def worst(trials: Trials, registers: Sequence[tuple[int, str]], rng: np.random.Generator) -> Measurement | Skip:
    """The register that costs most, the mean over its severities, with a bound that allows for the choice.

    Args:
        registers: (source in the trials, title) of those that count.
    """
    known = Graded.of(trials)
    name = f"worst_register_{lost_name(trials.before.problem)}"
    if not registers:
        return Skip(
            reason=SkipReason.TOO_FEW,
            detail="No register changed enough items to be called the worst one.",
            enable="give more items",
            name=name,
        )
    matrix, clusters = _item_losses(known, [source for source, _ in registers])
    title = registers[int(np.nanmean(matrix, axis=0).argmax())][1]
    what = "mean absolute error added" if known.scores else "accuracy lost"
    return Measurement(
        name=name,
        title=f"{what} in the register that costs most ({title})",
        estimate=stats.worst_of(matrix, clusters=clusters, rng=rng, limits=known.limits),
        better=Better.LOWER,
        unit=Unit.SCORE if known.scores else Unit.DIFFERENCE,
        family=f"{FAMILY}.worst",
    )


def _item_losses(known: Graded, sources: Sequence[int]) -> tuple[Floats, list[str]]:
    """(items, registers) mean losses over the severities, NaN where a register changed nothing, and (items,) clusters.

    Items that none of these registers changed are left out.
    """
    trials = known.trials
    _, start, row = np.unique(trials.item, return_index=True, return_inverse=True)
    column = np.full(int(trials.source.max()) + 1, -1)
    column[list(sources)] = np.arange(len(sources))
    counts: Floats = np.zeros((len(start), len(sources)))
    losses: Floats = np.zeros_like(counts)
    used = column[trials.source] >= 0
    place = row[used], column[trials.source[used]]
    np.add.at(counts, place, 1.0)
    np.add.at(losses, place, (known.before - known.after)[used])
    means = np.divide(losses, counts, out=np.full_like(losses, np.nan), where=counts > 0)
    touched = counts.any(axis=1)
    return means[touched], [trials.examples[first].cluster for first in start[touched]]


def _measurement(
    name: str, title: str, estimate: Estimate, better: Better, unit: Unit, part: Mapping[str, str]
) -> Measurement:
    family = f"{FAMILY}.{name}"
    return Measurement(name=name, title=title, estimate=estimate, better=better, unit=unit, slice=part, family=family)
