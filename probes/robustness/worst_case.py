"""All harmless perturbations taken together: is there one that breaks the answer?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from probes.core import stats
from probes.core.answers import Bools, Floats, ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.model import Classifier
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import (
    Accounting,
    Better,
    Estimate,
    Measurement,
    Outcomes,
    Record,
    Skip,
    SkipReason,
    Unit,
)
from probes.robustness import catalogue
from probes.text.perturbations.perturbation import SEVERITIES, Family, Perturbation
from probes.text.trials import Trials, ask, evidence, outcomes, random_rows, worst_rows
from probes.text.variants import Variants, variants_of

VERSION = 2
"""Raised when the measuring changes."""

ENOUGH = 20
"""Items a perturbation must have changed to be a candidate for the worst one: below, any share is an accident."""

KEEPING = tuple(perturbation for perturbation in catalogue.ALL if perturbation.meaning == "kept")
"""The perturbations after which a careful reader gives the same answer."""


@dataclass(frozen=True)
class WorstCase:
    """Is there a harmless way of writing the text that changes the answer?

    Measures: the share of items for which at least one perturbation that keeps the meaning changes the answer; the
        accuracy when an item counts as right only if it is right as it stands and under every such perturbation; and
        the share of changed answers under the single worst one.

    Why it matters: an average over perturbations hides that each item may have its own weak spot. Whoever wants another
        answer needs only one that works, and an honest writer meets one by chance.

    Method: every perturbation of the catalogue that keeps the meaning, at severities 1 up to `max_severity` (2), with
        exactly the variants that the single probes use. An item is exercised when at least one perturbation changes its
        text. The worst single perturbation is the one with the largest share of changed answers among those that
        changed at least 20 items; its lower bound is simultaneous over all of them (max-t over a cluster bootstrap), so
        that choosing the worst after looking does not inflate it. For a regression an answer counts as changed when it
        moves by more than half a standard deviation of the scores on the texts themselves.

    Limits: the worst of the perturbations tried, not of all there are: no search is made, so true worst cases are
        worse. The share grows with the number of perturbations in the catalogue, and is comparable only between runs
        with the same catalogue.

    References: Westfall and Young 1993, Resampling-Based Multiple Testing; Jia, Raghunathan, Göksel and Liang 2019,
        Certified Robustness to Adversarial Word Substitutions, EMNLP; Ribeiro et al. 2020, Beyond Accuracy: Behavioral
        Testing of NLP Models with CheckList, ACL.

    Raises:
        UsageError: for a `max_severity` outside 1 to 5.
    """

    max_severity: int = 2
    perturbations: tuple[Perturbation, ...] = field(default=KEEPING, metadata={"parameter": False})

    def __post_init__(self) -> None:
        if self.max_severity not in SEVERITIES:
            raise UsageError(
                f"robustness.worst_case: max_severity {self.max_severity!r}", hint="it is a number from 1 to 5"
            )

    @cached_property
    def info(self) -> ProbeInfo:
        """Identity, documentation and cost; the version follows those of the perturbations."""
        return ProbeInfo(
            id="robustness.worst_case",
            version=VERSION + sum(perturbation.version for perturbation in self.perturbations),
            risk="robustness",
            title="Worst of all perturbations",
            doc=ProbeDoc.parse(type(self).__doc__),
            calls=1 + self.max_severity * len(self.perturbations),
        )

    def run(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Measure the whole family, then each family of perturbations, then the worst single one."""
        severities = range(1, self.max_severity + 1)
        batches = [variants_of(data, each, severities=severities, seed=ctx.seed) for each in self.perturbations]
        trials = ask(model, data, batches)
        names = [perturbation.name for perturbation in self.perturbations]
        yield _accounting(len(data), batches, trials)
        if not len(trials):
            yield Skip(reason=SkipReason.NOTHING_PERTURBED, detail="No perturbation changes anything in these texts.")
            return
        if model.card.problem is ProblemType.REGRESSION and trials.step == 0:
            yield Skip(
                reason=SkipReason.UNDEFINED,
                detail="All texts get the same score, so there is no scale on which to say that an answer changed.",
            )
            return
        yield from _measured(_Items.of(trials), {})
        for family in Family:
            members = [index for index, each in enumerate(self.perturbations) if each.family is family]
            rows = trials.where(np.isin(trials.source, members))
            if len(rows):
                yield from _measured(_Items.of(rows), {"family": family.value})
        yield _worst(trials, names, ctx)
        yield from _ungraded(trials)
        rng = ctx.rng("evidence")
        yield from evidence(trials, random_rows(trials, count=ctx.random_cases, rng=rng), chosen="random", names=names)
        yield from evidence(trials, worst_rows(trials, count=ctx.worst_cases), chosen="worst", names=names)
        yield _outcomes(trials, max_severity=self.max_severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Items:
    """Exercised items, one row each: the example's first trial, and what became of the answer over all of its
    trials."""

    first: Trials
    flipped: Bools
    right: Bools

    @classmethod
    def of(cls, trials: Trials) -> _Items:
        _, start, row = np.unique(trials.item, return_index=True, return_inverse=True)
        first = trials.where(start)
        flipped = np.zeros(len(first), dtype=bool)
        np.logical_or.at(flipped, row, trials.flipped)
        right = np.ones(len(first), dtype=bool)
        np.logical_and.at(right, row, trials.right_before & trials.right_after)
        return cls(first=first, flipped=flipped, right=right)


def _accounting(eligible: int, batches: Sequence[Variants], trials: Trials) -> Accounting:
    perturbed = {item for batch in batches for items in batch.changed.values() for item in items}
    kept = {item for batch in batches for item in batch.item.tolist()}
    scored = set(trials.item.tolist())
    asked = sum(len(batch.texts) for batch in batches)
    return Accounting(
        eligible=eligible,
        perturbed=len(perturbed),
        kept=len(kept),
        scored=len(scored),
        unscored=len(kept) - len(scored),
        tied=len(set(trials.item[trials.tied].tolist())),
        note=f"{asked} variants by {sum(bool(batch.texts) for batch in batches)} of {len(batches)} perturbations",
    )


def _measured(items: _Items, part: dict[str, str]) -> Iterator[Measurement]:
    clusters = items.first.clusters
    yield _measurement(
        "any_flip_rate",
        "share of items for which some perturbation changes the answer",
        stats.rate(items.flipped, clusters=clusters),
        part,
    )
    known = items.first.labelled
    if items.first.before.problem is ProblemType.REGRESSION or not known.any():
        return
    clusters = items.first.where(known).clusters
    right, clean = items.right[known], items.first.right_before[known]
    yield _measurement(
        "worst_accuracy",
        "share of items answered rightly whatever the perturbation",
        stats.rate(right, clusters=clusters),
        part,
    )
    yield _measurement(
        "worst_accuracy_drop",
        "loss of accuracy in the worst case, same items",
        stats.paired_difference(right, clean, clusters=clusters),
        part,
    )


def _measurement(name: str, title: str, estimate: Estimate, part: dict[str, str]) -> Measurement:
    return Measurement(
        name=name,
        title=title,
        estimate=estimate,
        better=Better.HIGHER if name == "worst_accuracy" else Better.LOWER,
        unit=Unit.DIFFERENCE if name.endswith("drop") else Unit.PROPORTION,
        slice=part,
    )


def _worst(trials: Trials, names: Sequence[str], ctx: Context) -> Measurement | Skip:
    """The single perturbation under which most answers change."""
    _, start, row = np.unique(trials.item, return_index=True, return_inverse=True)
    flips: Floats = np.full((len(start), len(names)), np.nan)
    np.fmax.at(flips, (row, trials.source), trials.flipped.astype(np.float64))
    candidates = np.flatnonzero((~np.isnan(flips)).sum(axis=0) >= ENOUGH)
    if not len(candidates):
        return Skip(
            reason=SkipReason.TOO_FEW,
            detail=f"No perturbation changes {ENOUGH} items or more, so none can be called the worst.",
            name="worst_flip_rate",
        )
    flips = flips[:, candidates]
    measured = ~np.isnan(flips).all(axis=1)
    worst = names[candidates[np.nanmean(flips, axis=0).argmax()]]
    estimate = stats.worst_of(
        flips[measured],
        clusters=[trials.examples[index].cluster for index in start[measured]],
        rng=ctx.generator("worst"),
    )
    return _measurement("worst_flip_rate", f"changed answers under the worst perturbation ({worst})", estimate, {})


def _ungraded(trials: Trials) -> Iterator[Skip]:
    regression = trials.before.problem is ProblemType.REGRESSION
    if trials.labelled.any() and not regression:
        return
    for name in ("worst_accuracy", "worst_accuracy_drop"):
        if regression:
            yield Skip(reason=SkipReason.UNDEFINED, detail="A score is not simply right or wrong.", name=name)
        else:
            yield Skip(
                reason=SkipReason.NO_GOLD,
                detail="The data have no right answers, so only changes of the answer are measured.",
                enable="give data with a label column",
                name=name,
            )


def _outcomes(trials: Trials, *, max_severity: int) -> Outcomes:
    """One row per item: its worst changed variant, or its first one where no answer changes."""
    items = _Items.of(trials)
    broken = {int(trials.item[row]): row for row in worst_rows(trials, count=len(items.flipped))}
    _, start = np.unique(trials.item, return_index=True)
    rows = np.array([broken.get(int(trials.item[row]), row) for row in start], dtype=np.int64)
    variant = [f"worst, severity<={max_severity}"] * len(rows)
    return outcomes(trials.where(rows), variant=variant, changed=items.flipped, right=items.right)
