"""One probe per perturbation: what it does to the answers, at each severity.

Here are the answers of classifiers; those of taggers are in `probes.robustness.perturbed_tags`, those of readers in
`probes.robustness.perturbed_answers`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

import numpy as np

from probes.core import stats
from probes.core.answers import SEQUENCE_HEADS, Floats, ProblemType
from probes.core.counts import plural
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.model import Classifier, Model, Reader, Tagger
from probes.core.probe import Context, ProbeInfo
from probes.core.records import (
    Accounting,
    Better,
    Curve,
    Measurement,
    Outcomes,
    Record,
    Skip,
    SkipReason,
    Unit,
)
from probes.robustness import catalogue
from probes.robustness.by_severity import nothing, severity_curve
from probes.robustness.perturbed_answers import measure_answers
from probes.robustness.perturbed_tags import measure_tags
from probes.text.perturbations.perturbation import SEVERITIES, Perturbation
from probes.text.trials import Trials, ask, evidence, outcomes, random_rows, worst_rows
from probes.text.variants import Variants, variants_of

VERSION = 3
"""Raised when the measuring changes; the probe's version is this plus the perturbation's own changes."""

MEASURING = """ What is drawn for a text depends on the seed, the perturbation and the item, never on other items or on
the severity, so a higher severity extends the edits of a lower one; both texts of a pair are perturbed. Variants that
came out unchanged, blank, or of another length (under 0.3 or over 2.5 times the letters and 20 more; no upper limit
where text is added on purpose) are counted and left out. An answer within numerical noise of another counts as
unchanged; that of a regression counts as changed when it moves by more than half a standard deviation of the scores on
the texts themselves. Intervals cluster on the source text."""
MEASURING_TAGS = """ The answers of a tagger are the entities it finds: one counts as changed when the same words no
longer have the same kind. Variants with another number of words are left out, and so are words read on one side only.
"""
MEASURING_ANSWERS = """ Of a model that answers questions the question and the context are perturbed apart, sentences
are added to the context only, and every place where an accepted answer stands in the context keeps its letters;
variants in which that cannot be are left out, and so are contexts of which no accepted answer is known. A wrong first
answer is not kept so, and may change because its letters do: the loss of F1 says more of contexts. An answer counts as
changed when it is another one without case, punctuation and articles; with accepted answers the loss of F1 on the same
items is given."""
READING = """ A changed answer is measured against the model's own first answer, right or wrong; accuracy, where right
answers are given, is measured against those, and its loss on the same items."""


@dataclass(frozen=True)
class Perturbed:
    """The robustness of a classifier to one perturbation, as `info.doc` describes it.

    Args:
        perturbation: what is done to the texts.
        severities: which of the severities 1 to 5 are tried.

    Raises:
        UsageError: for a severity outside 1 to 5, or none.
    """

    perturbation: Perturbation = field(metadata={"parameter": False})
    severities: tuple[int, ...] = SEVERITIES

    def __post_init__(self) -> None:
        if not self.severities or not set(self.severities) <= set(SEVERITIES):
            raise UsageError(
                f"robustness.{self.perturbation.name}: severities {self.severities!r}",
                hint="severities is a list of numbers from 1 to 5",
            )
        object.__setattr__(self, "severities", tuple(sorted(set(self.severities))))  # a list, as read from YAML

    @cached_property
    def info(self) -> ProbeInfo:
        """Identity, documentation and cost."""
        doc, tags = self.perturbation.doc, self.perturbation.keeps_words
        measuring = MEASURING + MEASURING_TAGS * tags + MEASURING_ANSWERS
        return ProbeInfo(
            id=f"robustness.{self.perturbation.name}",
            version=VERSION + self.perturbation.version - 1,
            risk="robustness",
            title=self.perturbation.title,
            doc=dataclasses.replace(
                doc, method=" ".join((doc.method + measuring).split()), limits=" ".join((doc.limits + READING).split())
            ),
            calls=1 + len(self.severities),
            needs=frozenset(),  # each kind of head is asked its own way
            problems=SEQUENCE_HEADS | {ProblemType.SPAN} | ({ProblemType.TOKEN} if tags else set()),
            asks_first=True,
        )

    def run(self, model: Model, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Measure every severity, then all of them together."""
        if model.card.problem is ProblemType.TOKEN:
            yield from measure_tags(cast(Tagger, model), data, ctx, self.perturbation, severities=self.severities)
        elif model.card.problem is ProblemType.SPAN:
            yield from measure_answers(cast(Reader, model), data, ctx, self.perturbation, severities=self.severities)
        else:
            yield from self._classified(cast(Classifier, model), data, ctx)

    def _classified(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        variants = variants_of(data, self.perturbation, severities=self.severities, seed=ctx.seed)
        trials = ask(model, data, [variants])
        yield from self._accounting(len(data), variants, trials)
        if not len(trials):
            yield nothing([item for items in variants.changed.values() for item in items])
            return
        if model.card.problem is ProblemType.REGRESSION and trials.step == 0:
            yield Skip(
                reason=SkipReason.UNDEFINED,
                detail="All texts get the same score, so there is no scale on which to say that an answer changed.",
            )
            return
        for severity in self.severities:
            rows = trials.where(trials.severity == severity)
            part = {"severity": str(severity)}
            if len(rows):
                yield from _measured(rows, part, ctx)
            else:
                yield nothing(variants.changed[severity], name="flip_rate", part=part)
        yield _flip_rate(trials, {})
        yield from _ungraded(trials)
        yield from _curves(trials, self.severities)
        names = [self.perturbation.name]
        rng = ctx.rng("evidence")
        yield from evidence(trials, random_rows(trials, count=ctx.random_cases, rng=rng), chosen="random", names=names)
        yield from evidence(trials, worst_rows(trials, count=ctx.worst_cases), chosen="worst", names=names)
        yield outcomes(trials, variant=[f"severity={severity}" for severity in trials.severity])

    def _accounting(self, eligible: int, variants: Variants, trials: Trials) -> Iterator[Accounting]:
        for severity in self.severities:
            rows = trials.where(trials.severity == severity)
            kept = int((variants.severity == severity).sum())
            yield Accounting(
                eligible=eligible,
                perturbed=len(variants.changed[severity]),
                kept=kept,
                scored=len(rows),
                unscored=kept - len(rows),
                tied=int(rows.tied.sum()),
                note=_note(rows, rejected=len(variants.changed[severity]) - kept),
                slice={"severity": str(severity)},
            )


def _note(rows: Trials, *, rejected: int) -> str:
    unlabelled = int((~rows.labelled).sum())
    notes = (
        (rejected, f"{rejected} changed texts came out blank or of another length and were left out"),
        (unlabelled, f"{plural(unlabelled, 'item')} without a right answer, for changed answers only"),
    )
    return "; ".join(note for count, note in notes if count)


def _measured(rows: Trials, part: dict[str, str], ctx: Context) -> Iterator[Measurement | Skip]:
    yield _flip_rate(rows, part)
    graded = rows.where(rows.labelled)
    if rows.before.problem is ProblemType.REGRESSION:
        yield _mean_shift(rows, part, name="mean_shift", title="mean change of the score", unit=Unit.SCORE)
        if len(graded):
            yield _rmse_increase(graded, part, ctx)
        return
    title = "mean change of the confidence in the first answer"
    yield _mean_shift(rows, part, name="confidence_shift", title=title, unit=Unit.DIFFERENCE)
    if len(graded):
        yield Measurement(
            name="accuracy",
            title="accuracy on perturbed texts",
            estimate=stats.rate(graded.right_after, clusters=graded.clusters),
            better=Better.HIGHER,
            unit=Unit.PROPORTION,
            slice=part,
        )
        yield Measurement(
            name="accuracy_drop",
            title="loss of accuracy on the same items",
            estimate=stats.paired_difference(graded.right_after, graded.right_before, clusters=graded.clusters),
            better=Better.LOWER,
            unit=Unit.DIFFERENCE,
            slice=part,
        )


def _flip_rate(rows: Trials, part: dict[str, str]) -> Measurement:
    return Measurement(
        name="flip_rate",
        title="share of answers that change",
        estimate=stats.rate(rows.flipped, clusters=rows.clusters),
        better=Better.LOWER,
        unit=Unit.PROPORTION,
        slice=part,
    )


def _mean_shift(rows: Trials, part: dict[str, str], *, name: str, title: str, unit: Unit) -> Measurement | Skip:
    limits = (-1.0, 1.0) if unit is Unit.DIFFERENCE else _range(rows.before.logits[:, 0])
    try:
        estimate = stats.mean(rows.shift, clusters=rows.clusters, limits=limits)
    except ValueError as error:
        return Skip(reason=SkipReason.TOO_FEW, detail=f"{title}: {error}", name=name, slice=part)
    return Measurement(name=name, title=title, estimate=estimate, better=Better.CONTEXT, unit=unit, slice=part)


def _range(scores: Floats) -> tuple[float, float]:
    """How far a score could move either way: where nothing moved, the bounds must be on the scale of the task."""
    width = float(np.ptp(scores)) or 1.0
    return -width, width


def _rmse_increase(graded: Trials, part: dict[str, str], ctx: Context) -> Measurement | Skip:
    gold = np.array(graded.golds, dtype=np.float64)
    before, after = (np.square(answers.logits[:, 0] - gold) for answers in (graded.before, graded.after))

    def increase(weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        return np.asarray(np.sqrt(weights @ after / total) - np.sqrt(weights @ before / total))

    title = "increase of the root mean squared error"
    rng = ctx.generator("rmse", part["severity"])
    try:
        limits = _range(np.concatenate([gold, graded.before.logits[:, 0]]))
        estimate = stats.bootstrap(increase, n=len(gold), rng=rng, clusters=graded.clusters, limits=limits)
    except ValueError as error:
        return Skip(reason=SkipReason.TOO_FEW, detail=f"{title}: {error}", name="rmse_increase", slice=part)
    return Measurement(
        name="rmse_increase", title=title, estimate=estimate, better=Better.LOWER, unit=Unit.SCORE, slice=part
    )


def _ungraded(trials: Trials) -> Iterator[Skip]:
    if trials.labelled.any():
        return
    regression = trials.before.problem is ProblemType.REGRESSION
    for name in ("rmse_increase",) if regression else ("accuracy", "accuracy_drop"):
        yield Skip(
            reason=SkipReason.NO_GOLD,
            detail="The data have no right answers, so only changes of the answer are measured.",
            enable="give data with a label column",
            name=name,
        )


def _curves(trials: Trials, severities: Sequence[int]) -> Iterator[Curve]:
    rows = {severity: trials.where(trials.severity == severity) for severity in severities}
    flips = {severity: stats.rate(part.flipped, clusters=part.clusters) for severity, part in rows.items() if len(part)}
    yield severity_curve("flip_rate", "Changed answers by severity", "share of answers that change", flips)
    graded = trials.where(trials.labelled)
    if trials.before.problem is ProblemType.REGRESSION or not len(graded):
        return
    once = graded.where(np.unique(graded.item, return_index=True)[1])
    accuracies = {0: stats.rate(once.right_before, clusters=once.clusters)}
    for severity, part in rows.items():
        if part.labelled.any():
            known = part.where(part.labelled)
            accuracies[severity] = stats.rate(known.right_after, clusters=known.clusters)
    yield severity_curve("accuracy", "Accuracy by severity", "accuracy", accuracies)


PROBES: tuple[Perturbed, ...] = tuple(Perturbed(perturbation) for perturbation in catalogue.ALL)
