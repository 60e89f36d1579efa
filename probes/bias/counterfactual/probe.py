"""The probe that swaps the people a text is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress
from typing import Literal

import numpy as np

from probes.bias.counterfactual.answered import Answered
from probes.bias.counterfactual.contrasts import Contrasts, from_data, from_templates
from probes.bias.counterfactual.gaps import disparity, each_pair, too_few, whole_axis
from probes.core.answers import Floats
from probes.core.counts import plural
from probes.core.examples import Example, Text
from probes.core.model import Classifier
from probes.core.probe import FOR_THE_RECORD, Context, ProbeDoc, ProbeInfo
from probes.core.records import Accounting, Evidence, Outcomes, Record, Shown, Skip, SkipReason, WordList
from probes.core.stats.derived import FEW
from probes.text.identity import AXES, Name, TermTable, names, table
from probes.text.swaps import may_swap
from probes.text.word_lists import axis_words, first_names, names_noticed, template_words


@dataclass(frozen=True)
class Counterfactual:
    """Does the answer depend on which group of people a text is about?

    Measures:
        For each axis of identity, in the audit's own texts and, apart from them, in sentence templates: the share of
        answers that change when one group is put in place of another, how far the scores move, in whose favour, and the
        share that moves by more than a tolerance; over all groups of the axis and for each two of them. The same for
        control swaps, which put another name or word for the same group, as the noise floor.

    Why it matters:
        Two people who write the same should get the same answer. A difference under a swap is unequal treatment that
        the task does not explain, and shows on texts without any label. Evidence relevant to non-discrimination duties.

    Method:
        Counterfactual fairness by substitution (Garg et al. 2019). In texts: every mention of a group, by whole words
        and names, is replaced consistently, with grammar (pronouns, articles, case, possessives, plurals). Texts that
        mention several groups of an axis, ambiguous pronouns and mentions without a counterpart make no variant and
        are counted. In templates: the same sentence filled with comparable terms of each group. The score is the
        probability of the positive class, or the value of a regression. Every number is paired within the text;
        intervals cluster on the source text or template. The disparity of an axis is the largest mean gap between two
        of its groups, with simultaneous bounds (max-t) that account for having picked the largest; the axes form one
        family. Only groups compared in at least 30 texts take part in it. Excess numbers are cross swaps minus control
        swaps on the same texts. Fewer than 10 independent texts give no number. Of a harm classifier only the texts
        labelled harmless are swapped, where there are labels: what is hateful about one group need not be about
        another. Texts with words used for one sex only, slurs among them, are left out of the gender swaps.

    Limits:
        A small gap is no evidence of equal treatment in use: only the terms and names listed are tried, in English, and
        a model may treat groups unequally through what their members write about, or through how they write. Some swaps
        change more than the group ("the widow" has a role), and about one swapped text in thirty reads wrongly. A name
        stands for a group only statistically, and surnames stay as they are; of well-known people only those on a short
        list are left alone, so that on texts about celebrities a gap may be knowledge of the person. Whether an unequal
        answer is wrong depends on the task: a text about a mosque is not a text about a church. Groups outside the
        lists, and people of several groups at once, are not measured.

    References:
        Garg et al. 2019, Counterfactual Fairness in Text Classification through Robustness, AIES. Kusner et al. 2017,
        Counterfactual Fairness, NeurIPS. Seshadri, Pezeshkpour and Singh 2022, Quantifying Social Biases Using
        Templates is Unreliable, arXiv:2210.04337. Westfall and Young 1993, Resampling-Based Multiple Testing.
    """

    axes: tuple[str, ...] = AXES
    tolerance: float = 0.05
    """How far two scores may be apart before the pair counts as beyond tolerance."""
    terms: int = 2
    """Terms of each group that a template is filled with."""
    public_figures: bool = False
    """Swap the names of public figures too."""
    minimum: int = 30
    """Independent texts that must compare two groups for their gap to count for the disparity."""
    resamples: int = 2000
    own_terms: tuple[str, ...] = field(default=(), metadata=FOR_THE_RECORD)
    """Digests of the user's own term lists, which are audited as further axes."""
    own_tables: tuple[TermTable, ...] = field(default=(), metadata={"parameter": False})

    def __post_init__(self) -> None:
        for axis in self.axes:
            table(axis)

    @cached_property
    def info(self) -> ProbeInfo:
        """Identity, documentation and cost."""
        return ProbeInfo(
            id="bias.counterfactual",
            version=1,
            risk="bias",
            title="Swapped identities",
            doc=ProbeDoc.parse(type(self).__doc__),
            calls=1.5,
            asks_first=True,
        )

    @property
    def tables(self) -> tuple[TermTable, ...]:
        """The term lists of all axes."""
        return (*(table(axis) for axis in self.axes), *self.own_tables)

    def run(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Measure each axis in the data, then in the templates."""
        data = list(compress(data, may_swap(data, model.card)))
        found = [contrasts for each in self.tables for contrasts in self._contrasts(each, data, ctx)]
        asked = _ask(model, found, self.tables)
        for contrasts, answered in zip(found, asked, strict=True):
            yield _accounting(contrasts, answered)
        for contrasts, answered in zip(found, asked, strict=True):
            yield from self._measured(contrasts, answered, ctx)
        yield from _cases(found, asked, ctx, harm=model.card.positive.harm)
        if any(asked):
            yield _outcomes(found, asked)
        yield from self._words(in_texts=bool(data))

    def _words(self, *, in_texts: bool) -> Iterator[WordList]:
        """In texts every word of an axis is looked for and put in; templates are filled with the usual ones of them."""
        axes = [each.axis for each in self.tables]
        if not in_texts:
            yield from template_words(self.tables, terms=self.terms)
            yield from first_names(axes)
            return
        yield from map(axis_words, self.tables)
        yield from first_names(axes)
        yield from names_noticed(axes, public_figures=self.public_figures)

    def _contrasts(self, each: TermTable, data: Sequence[Example], ctx: Context) -> Iterator[Contrasts]:
        if data:
            yield from_data(data, each, names=_people(each), public_figures=self.public_figures, ctx=ctx)
        yield self._in_templates[each.axis]

    @cached_property
    def _in_templates(self) -> dict[str, Contrasts]:
        """Axis -> its contrasts in templates, which are the same whatever the data."""
        return {each.axis: from_templates(each, names=_people(each), terms=self.terms) for each in self.tables}

    def _measured(self, contrasts: Contrasts, answered: Answered, ctx: Context) -> Iterator[Record]:
        part = {"axis": contrasts.axis, "source": contrasts.source}
        if not len(answered):
            yield _nothing(contrasts, part)
            return
        cross = answered.where(~answered.control)
        if len(set(cross.clusters)) < FEW:
            yield too_few(cross.clusters, part)
            return
        rng = ctx.generator("disparity", contrasts.axis, contrasts.source)
        family = f"{self.info.id}.{contrasts.source}"
        yield disparity(answered, part, family=family, rng=rng, resamples=self.resamples, minimum=self.minimum)
        yield from whole_axis(answered, part, tolerance=self.tolerance, family=f"{family}.flips")
        yield from each_pair(answered, part, tolerance=self.tolerance)


def _people(each: TermTable) -> tuple[Name, ...]:
    """The first names that stand for groups of the axis; of a user's own axis there are none."""
    return names(each.axis) if each.axis in AXES else ()


def _ask(model: Classifier, found: Sequence[Contrasts], tables: Sequence[TermTable]) -> list[Answered]:
    """One bulk for everything, then back to axis and source."""
    groups = {each.axis: each.groups for each in tables}
    rows = [row for contrasts in found for row in contrasts.rows]
    before = model.classify([row.texts[0] for row in rows])
    after = model.classify([row.texts[1] for row in rows])
    answered, start = [], 0
    for contrasts in found:
        part = slice(start, start + len(contrasts.rows))
        answered.append(
            Answered.of(contrasts.rows, before[part], after[part], card=model.card, groups=groups[contrasts.axis])
        )
        start = part.stop
    return answered


def _accounting(contrasts: Contrasts, answered: Answered) -> Accounting:
    kept = len({row.example_id for row in contrasts.rows})
    scored = len({row.example_id for row in answered.rows})
    reasons = [f"variants not made, {count}: {reason}" for reason, count in contrasts.dropped.items()]
    cross = sum(not row.control for row in contrasts.rows)
    return Accounting(
        eligible=contrasts.texts,
        perturbed=contrasts.mentioning,
        kept=kept,
        scored=scored,
        unscored=kept - scored,
        tied=int((answered.before.tied | answered.after.tied).sum()) if len(answered) else 0,
        note="; ".join([f"{cross} swaps between groups, {len(contrasts.rows) - cross} within", *reasons]),
        slice={"axis": contrasts.axis, "source": contrasts.source},
    )


def _nothing(contrasts: Contrasts, part: dict[str, str]) -> Skip:
    detail = (
        f"{plural(contrasts.mentioning, 'text mentions', 'texts mention')} a group of this axis; none could be swapped."
        if contrasts.mentioning
        else "None of the texts mentions a group of this axis."
    )
    return Skip(reason=SkipReason.NOTHING_PERTURBED, detail=detail, slice=part)


def _cases(found: Sequence[Contrasts], asked: Sequence[Answered], ctx: Context, *, harm: bool) -> Iterator[Evidence]:
    """Swaps between groups: some drawn at random, then those whose answers are furthest apart."""
    places = [
        (which, int(row))
        for which, answered in enumerate(asked)
        for row in np.flatnonzero(~answered.control)
        if len(answered)
    ]
    named = sorted(places, key=lambda place: _name(found, asked, place))
    ordinary = ctx.rng("evidence").sample(named, min(ctx.random_cases, len(named)))
    ranked = sorted(named, key=lambda place: -_distance(asked, place))
    worst = _one_for_each_text(ranked, asked, taken=ordinary)[: ctx.worst_cases]
    for chosen, picked in (("random", ordinary), ("worst", worst)):
        for which, row in picked:
            yield _case(found[which], asked[which], row, chosen="random" if chosen == "random" else "worst", harm=harm)


def _one_for_each_text(
    ranked: Sequence[tuple[int, int]], asked: Sequence[Answered], *, taken: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The first place of each source text whose answers differ; no place that is shown already."""
    first: dict[str, tuple[int, int]] = {}
    for which, row in ranked:
        if (which, row) not in taken and asked[which].distance[row] > asked[which].before.tolerance:
            first.setdefault(asked[which].rows[row].cluster, (which, row))
    return list(first.values())


def _name(found: Sequence[Contrasts], asked: Sequence[Answered], place: tuple[int, int]) -> tuple[str, ...]:
    which, row = place
    contrast = asked[which].rows[row]
    return (found[which].source, found[which].axis, contrast.example_id, *contrast.groups, contrast.terms)


def _distance(asked: Sequence[Answered], place: tuple[int, int]) -> float:
    return float(asked[place[0]].distance[place[1]])


def _case(
    contrasts: Contrasts, answered: Answered, row: int, *, chosen: Literal["random", "worst"], harm: bool
) -> Evidence:
    contrast, one = answered.rows[row], answered.where(np.array([row], dtype=np.int64))
    verdict = "the answer changes" if answered.flipped[row] else "the answer stays"
    moved = f", the score moves by {answered.distance[row]:.3f}" if answered.scored else ""
    return Evidence(
        example_id=contrast.example_id,
        chosen=chosen,
        shown=(_shown(one, contrast.texts[0], first=True), _shown(one, contrast.texts[1], first=False)),
        note=f"{contrast.terms}; {verdict}{moved}",
        content_note="possibly hateful language" if harm and contrasts.source == "data" else "",
        slice={
            "axis": contrasts.axis,
            "source": contrasts.source,
            "pair": f"{contrast.groups[0]} to {contrast.groups[1]}",
        },
    )


def _shown(one: Answered, text: Text, *, first: bool) -> Shown:
    answers = one.before if first else one.after
    confidence = float(answers.confidence[0])
    return Shown(
        texts=(text,) if isinstance(text, str) else text,
        answer=answers.names()[0],
        confidence=None if np.isnan(confidence) else confidence,
    )


def _outcomes(found: Sequence[Contrasts], asked: Sequence[Answered]) -> Outcomes:
    """One row for each contrast."""
    parts = [(contrasts, answered) for contrasts, answered in zip(found, asked, strict=True) if len(answered)]
    n = sum(len(answered) for _, answered in parts)
    return Outcomes(
        example_id=[row.example_id for _, answered in parts for row in answered.rows],
        cluster=[cluster for _, answered in parts for cluster in answered.clusters],
        variant=[
            f"{contrasts.source}, {contrasts.axis}: {row.groups[0]} to {row.groups[1]} ({row.terms})"
            for contrasts, answered in parts
            for row in answered.rows
        ],
        after=[name for _, answered in parts for name in answered.after.names()],
        before=[name for _, answered in parts for name in answered.before.names()],
        gold=[None] * n,
        correct=[None] * n,
        changed=[flipped for _, answered in parts for flipped in answered.flipped.tolist()],
        score=[score for _, answered in parts for score in _scores(answered).tolist()],
    )


def _scores(answered: Answered) -> Floats:
    """(rows,): of the second text: the positive class, or where there is none the confidence."""
    return answered.positive.score(answered.after) if answered.scored else answered.after.confidence
