"""The probe that compares natural parts of the user's own data with all the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from probes.core.answers import Floats, ProblemType
from probes.core.counts import plural
from probes.core.examples import Example
from probes.core.labelled import Labelled, accounting, cases, no_gold, outcomes
from probes.core.measuring import measured
from probes.core.model import Capability
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Accounting, Better, Measurement, Outcomes, Record, Skip, SkipReason, Unit
from probes.core.rng import derive
from probes.core.stats.clusters import FEW
from probes.shift.slices.columns import Columns, divided
from probes.shift.slices.numbers import Quality, lost, mean_of, most_lost, trend
from probes.shift.slices.parts import Part, clusters, lengths

FAMILY = "shift.slices"


@dataclass(frozen=True)
class NaturalSlices:
    """Does the model do worse on some natural part of the data: a period, a source, long texts, a kind of text?

    Measures:
        For each part: the accuracy on it, and how much lower that is than on all other items. Also the largest of these
        losses, with a bound that allows for its being the largest, and along the time column how accuracy changes from
        the first to the last text. For scores (regression) the mean absolute error takes the place of accuracy.

    Why it matters:
        Data that were collected together may hold several kinds of text. A part on which the model fails is a shift
        that has happened already, and shows where it may fail when that part grows. A downward trend is evidence
        relevant to the question how long the model can be used as it is.

    Method:
        Parts are quarters by length in words; periods of a time column; the values of a source column and of every
        other group column (the 20 most frequent); and up to eight clusters of the model's own embeddings (k-means),
        described by their most distinctive words. A column called date, timestamp, time, year or month is read as the
        time, and one called source, domain, origin, channel, site or publisher as the source, unless named (parameters
        `time`, `source`); which one was used is said. Periods are days, months or years, the finest of which there are
        at most 12 with enough texts, else four with as many texts each. A part needs 30 independent items, and as many
        outside it; smaller ones are listed. Each part is compared with all other items (leave one out): intervals are
        Newcombe's, clustered, or MOVER of t intervals for scores. The lower bound of the largest loss is simultaneous
        over all parts (Bonferroni). The trend is the slope of the least-squares line of quality on time, with a
        bootstrap interval.

    Limits:
        Parts differ in more than what names them: in their share of classes, above all, so a loss is a pattern in these
        data and no cause. Clusters are made from the same texts that are then compared, without looking at the right
        answers. A straight line misses a dip in the middle; the periods show it. A rare value, and a part that no
        column, length or cluster names, is not found. Right answers are taken to be true.

    References:
        Koh et al. 2021, WILDS: A Benchmark of in-the-Wild Distribution Shifts, ICML. Lazaridou et al. 2021, Mind the
        Gap: Assessing Temporal Generalization in Neural Language Models, NeurIPS. Newcombe 1998, Statistics in Medicine
        17:873. Zou and Donner 2008, Statistics in Medicine 27:1693 (MOVER). Berger 1982, Technometrics 24:295. Lloyd
        1982, IEEE Transactions on Information Theory 28:129 (k-means).
    """

    time: str = ""
    """The group column that says when a text is from; empty: recognised by its name."""
    source: str = ""
    """The group column that says where a text is from; empty: recognised by its name."""
    embeddings: bool = True
    """Use clusters of the model's embeddings, which cost a second pass over the texts."""
    info: ClassVar[ProbeInfo]

    def run(self, model: Any, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Find the parts, compare each with the rest, then the worst one and the trend."""
        items = Labelled.ask(model, data)
        # Asked before it is known whether the items suffice: a rehearsal on a few of them counts the questions.
        vectors = self._vectors(model, items)
        unusable = _unusable(items)
        if unusable is not None:
            yield accounting(items)
            yield unusable
            return
        found = divided(items.examples, Columns.of(items.examples, time=self.time, source=self.source))
        yield accounting(items).model_copy(update={"note": "; ".join(found.notes)})
        yield from found.skips
        quality = _quality(items)
        parts = [*lengths(items.examples), *found.parts]
        if vectors is not None:
            parts += clusters(items.examples, vectors, seed=derive(ctx.seed, ctx.probe, "clusters") % 2**32)
        usable = [part for part in parts if quality.enough(part.holds)]
        yield from (_small(part, quality) for part in parts if not quality.enough(part.holds))
        for part in usable:
            yield _account(part, items)
            yield from _compared(part, quality)
        yield _worst(usable, quality)
        yield _trend(found.at, quality, ctx)
        yield from cases(items, ctx, note=_membership(usable))
        yield outcomes(items)

    def _vectors(self, model: Any, items: Labelled) -> Floats | None:
        if not self.embeddings or not len(items) or Capability.EMBED not in model.card.capabilities:
            return None
        return np.asarray(model.embed([example.text for example in items.examples]), dtype=np.float64)


def _unusable(items: Labelled) -> Skip | None:
    """Why no part can be compared."""
    if not len(items):
        return no_gold()
    independent = len(set(items.clusters))
    if independent < 2 * FEW:
        return Skip(
            reason=SkipReason.TOO_FEW,
            detail=f"{independent} independent labelled items; a part and the rest need {FEW} each.",
            enable="give more labelled items",
        )
    if items.problem is ProblemType.SINGLE_LABEL and int(items.gold.any(axis=0).sum()) == 1:
        return Skip(
            reason=SkipReason.UNDEFINED,
            detail="Every right answer is the same, so a model that always gives it would seem to fail nowhere.",
            enable="give labelled items of at least two classes",
        )
    return None


def _quality(items: Labelled) -> Quality:
    if items.problem is not ProblemType.REGRESSION:
        return Quality(values=items.correct.astype(np.float64), clusters=items.clusters)
    predicted, gold = items.values
    error = np.abs(predicted - gold)
    reach = float(error.max()) or 1.0
    return Quality(values=-error, clusters=items.clusters, binary=False, limits=(-reach, 0.0))


def _compared(part: Part, quality: Quality) -> Iterator[Measurement]:
    if quality.binary:
        name, title, better, unit = "accuracy", "accuracy on this part of the texts", Better.HIGHER, Unit.PROPORTION
        mean = mean_of(quality, part.holds)
    else:
        name, title, better, unit = "error", "mean absolute error on this part of the texts", Better.LOWER, Unit.SCORE
        mean = mean_of(quality.negated, part.holds)
    yield Measurement(
        name=name, title=title, estimate=mean, better=better, unit=unit, slice=part.slice, family=f"{FAMILY}.{name}"
    )
    yield Measurement(
        name=_loss_name(quality),
        title=f"{_loss_title(quality)} against all other texts",
        estimate=lost(quality, part.holds),
        better=Better.LOWER,
        unit=Unit.DIFFERENCE if quality.binary else Unit.SCORE,
        slice=part.slice,
        family=f"{FAMILY}.{_loss_name(quality)}",
    )


def _worst(parts: Sequence[Part], quality: Quality) -> Measurement | Skip:
    name = f"worst_part_{_loss_name(quality)}"
    if not parts:
        return Skip(
            reason=SkipReason.TOO_FEW,
            detail=f"No part of the data and the rest have {FEW} independent items each.",
            enable="give more labelled items",
            name=name,
        )
    losses = [lost(quality, part.holds).value for part in parts]
    return Measurement(
        name=name,
        title=f"{_loss_title(quality)} on the part that is served worst ({parts[int(np.argmax(losses))].name})",
        estimate=most_lost(quality, [part.holds for part in parts]),
        better=Better.LOWER,
        unit=Unit.DIFFERENCE if quality.binary else Unit.SCORE,
        family=f"{FAMILY}.worst",
    )


def _trend(at: Floats, quality: Quality, ctx: Context) -> Measurement | Skip:
    known = ~np.isnan(at)
    if not known.any():
        return Skip(
            reason=SkipReason.NO_GROUPS,
            detail="No column gives the texts an order in time, so there is no trend to look at.",
            enable="name a column of dates with --group-column",
            name="trend",
        )
    if quality.independent(known) < FEW:
        return Skip(
            reason=SkipReason.TOO_FEW,
            detail=f"Only {plural(quality.independent(known), 'independent item')} with a time, of the {FEW} needed.",
            enable="give more items with a time",
            name="trend",
        )
    what = "accuracy" if quality.binary else "the quality of scores (minus the absolute error)"
    return measured(
        "trend",
        f"change of {what} from the earliest to the latest text, along a straight line",
        lambda: trend(quality.where(known), at[known], ctx.generator("trend")),
        better=Better.HIGHER,
        unit=Unit.DIFFERENCE if quality.binary else Unit.SCORE,
    )


def _loss_name(quality: Quality) -> str:
    return "accuracy_lost" if quality.binary else "error_added"


def _loss_title(quality: Quality) -> str:
    return "accuracy lost" if quality.binary else "mean absolute error added"


def _small(part: Part, quality: Quality) -> Skip:
    inside, outside = quality.independent(part.holds), quality.independent(~part.holds)
    found = plural(inside if inside < FEW else outside, "independent item")
    where = f"This part has {found}" if inside < FEW else f"The rest has {found}"
    return Skip(
        reason=SkipReason.TOO_FEW,
        detail=f"{where}, fewer than the {FEW} needed ({part.name}).",
        enable="give more labelled items",
        name=_loss_name(quality),
        slice=part.slice,
    )


def _account(part: Part, items: Labelled) -> Accounting:
    """Of the labelled items those in the part, with the classes that it lacks."""
    note = ""
    if items.problem is ProblemType.SINGLE_LABEL:
        there, here = items.gold.sum(axis=0).tolist(), items.gold[part.holds].sum(axis=0).tolist()
        names = [label for label, all_, inside in zip(items.labels, there, here, strict=True) if all_ and not inside]
        note = f"holds no text whose right answer is {' or '.join(names)}" if names else ""
    size = int(part.holds.sum())
    return Accounting(eligible=size, scored=size, note=note, slice=part.slice)


def _membership(parts: Sequence[Part]) -> Callable[[int], str]:
    """A sentence about an item: which of the parts it is in."""

    def note(row: int) -> str:
        names = [part.name for part in parts if part.holds[row]]
        return f"in the parts {'; '.join(names)}" if names else "in none of the parts compared"

    return note


NaturalSlices.info = ProbeInfo(
    id="shift.slices",
    version=1,
    risk="shift",
    title="Natural parts of the data",
    doc=ProbeDoc.parse(NaturalSlices.__doc__),
    calls=2,
    gold=True,
)
