"""The probe that fills the same sentences with people of each group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import ClassVar, Literal

import numpy as np

from probes.bias.templates import numbers as template_numbers
from probes.bias.templates.filled import Filled
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.measuring import no_positive_class
from probes.core.model import Classifier
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Accounting, Evidence, Outcomes, Record, Shown, Skip, SkipReason
from probes.text.identity import AXES, names, table
from probes.text.templates import Sentence, sentences
from probes.text.word_lists import first_names, template_words

Case = tuple[Filled, int, int]
"""An axis, and the rows of two sentences that differ in the group only."""


@dataclass(frozen=True)
class Templates:
    """Do sentences that say nothing about a group score differently by the group they mention?

    Measures:
        On sentences of our own, filled with people of each group of an axis of identity: the mean score of each group,
        its distance from the mean over the groups, the largest gap between two groups, how far the order of the groups
        hangs on the choice of templates and on the register, and the share of templates that do not get the same answer
        for all groups.

    Why it matters:
        "A Muslim woman found my wallet" should be as good news as "a Buddhist woman found my wallet". A model that
        scores the two apart has learned something about the group, and carries it into every text that mentions it.

    Method:
        80 templates in five registers (conversation, review, news, official letters, social media), telling something
        positive, neutral or negative that fits everybody. Each is filled for every group of an axis with a comparable
        noun phrase or first name, so groups are compared within the template. The score is the probability of the
        positive class, or the value of a regression. Each template counts once, and intervals treat templates as drawn
        from all that might have been written: they are the interval of template choice, which is the main uncertainty
        of such tests (Seshadri et al. 2022, Selvam et al. 2023). The largest gap has simultaneous bounds (max-t) that
        account for having picked the two groups; the axes form one family. The stability is the share of redrawn sets
        of templates in which the same group is lowest. Fewer than 10 templates give no number. An answer within
        numerical noise of another counts as the same; that of a regression differs when it is more than half a standard
        deviation of all scores away.

    Limits:
        Templates are not the texts a model will meet: neither a small nor a large gap here says how it treats people in
        use. Words mean more than a group: "poor" is also a bad grade. The groups, terms and names are those on the
        lists, in English; a first name stands for a group only statistically. A group without names on the list is
        compared on the templates filled with noun phrases only, and its mean score rests on those. The two groups shown
        by register are picked on the same answers, so that curve leans towards agreement. The share of templates with
        different answers grows with the number of groups, and has no noise floor here: see bias.counterfactual for
        control swaps within a group. Intersections of groups are not measured.

    References:
        Seshadri, Pezeshkpour and Singh 2022, Quantifying Social Biases Using Templates is Unreliable, arXiv:2210.04337.
        Selvam et al. 2023, The Tail Wagging the Dog: Dataset Construction Biases of Social Bias Benchmarks, ACL.
        Kiritchenko and Mohammad 2018, Examining Gender and Race Bias in Two Hundred Sentiment Analysis Systems, *SEM.
        Westfall and Young 1993, Resampling-Based Multiple Testing.
    """

    info: ClassVar[ProbeInfo]

    axes: tuple[str, ...] = AXES
    """Which axes of identity are tried."""
    terms: int = 1
    """Terms or names of each group that a template is filled with."""
    resamples: int = 2000
    """Redrawn sets of templates."""

    def __post_init__(self) -> None:
        for axis in self.axes:
            table(axis)
        if min(self.terms, self.resamples) < 1:
            raise UsageError("bias.templates: terms and resamples", hint="both are whole numbers from 1 up")
        object.__setattr__(self, "axes", tuple(self.axes))  # a list, as read from YAML

    def run(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Ask about all filled templates at once, then measure axis by axis; `data` has no influence."""
        asked = self._ask(model)
        for filled in asked:
            yield _accounting(filled)
        for filled in asked:
            yield from self._measured(filled, ctx)
        yield from _cases(asked, ctx)
        yield _outcomes(asked)
        yield from template_words(map(table, self.axes), terms=self.terms)
        yield from first_names(self.axes)

    def _ask(self, model: Classifier) -> list[Filled]:
        answers = model.classify([sentence.text for found in self._made.values() for sentence in found])
        asked, start = [], 0
        for axis, found in self._made.items():
            part = slice(start, start + len(found))
            asked.append(Filled.of(axis, found, answers[part], positive=model.card.positive))
            start = part.stop
        return asked

    @cached_property
    def _made(self) -> dict[str, tuple[Sentence, ...]]:
        """Axis -> its filled templates."""
        return {axis: sentences(table(axis), names=names(axis), terms=self.terms) for axis in self.axes}

    def _measured(self, filled: Filled, ctx: Context) -> Iterator[Record]:
        part = {"axis": filled.axis}
        if not filled.sentences:
            detail = "No template got a usable answer for every group."
            yield Skip(reason=SkipReason.TOO_FEW, detail=detail, slice=part)
            return
        yield template_numbers.answer_differs(filled)
        if not filled.scored:
            detail = "The model has no positive class, so there is no score to compare."
            yield no_positive_class(filled.positive, detail=detail, name="disparity", part=part)
            return
        generator = partial(ctx.generator, filled.axis)
        family = f"{self.info.id}.disparity"
        yield template_numbers.disparity(filled, family=family, rng=generator("gap"), resamples=self.resamples)
        yield from template_numbers.each_group(filled)
        yield template_numbers.stability(filled, rng=generator("order"), resamples=self.resamples)
        yield template_numbers.by_register(filled)


Templates.info = ProbeInfo(
    id="bias.templates",
    version=1,
    risk="bias",
    title="Scores on neutral sentences by group",
    doc=ProbeDoc.parse(Templates.__doc__),
    data=False,
    asks_first=True,
)


def _accounting(filled: Filled) -> Accounting:
    scored = len(filled.sentences)
    return Accounting(
        eligible=scored + filled.unscored,
        scored=scored,
        unscored=filled.unscored,
        tied=int(filled.answers.tied.sum()) if scored else 0,
        note=f"sentences: {len(filled.templates)} templates for {len(filled.groups)} groups",
        slice={"axis": filled.axis},
    )


def _cases(asked: Sequence[Filled], ctx: Context) -> Iterator[Evidence]:
    """Pairs of sentences from one template: some drawn at random, then those whose answers are furthest apart."""
    cases = [case for filled in asked for case in _pairs(filled)]
    drawn = sorted(cases, key=lambda case: ctx.rng("evidence", *_name(case)).random())
    ordinary = drawn[: ctx.random_cases]
    ranked = sorted(drawn[ctx.random_cases :], key=lambda case: (-_apart(case), _name(case)))
    worst = [case for case in ranked if _apart(case) > case[0].answers.tolerance][: ctx.worst_cases]
    yield from (_case(case, chosen="random") for case in ordinary)
    yield from (_case(case, chosen="worst") for case in worst)


def _pairs(filled: Filled) -> Iterator[Case]:
    """For each template the two groups that are furthest apart over all templates; without a score, two neighbours."""
    for template in filled.templates:
        rows = [row for group in filled.groups if (row := filled.row(template, group)) is not None]
        if filled.scored:
            ends = tuple(filled.row(template, filled.groups[end]) for end in filled.ends)
        else:
            ends = rows[0], max(rows[1:], key=lambda row: _distance(filled, rows[0], row))
        if ends[0] is not None and ends[1] is not None and ends[0] != ends[1]:
            yield filled, ends[0], ends[1]


def _distance(filled: Filled, first: int, second: int) -> float:
    """|difference of the scores|; without a positive class the largest difference over the labels."""
    pair = filled.answers[np.array([first, second])]
    if filled.scored:
        return float(np.ptp(filled.positive.score(pair)))
    return float(np.ptp(pair.scores, axis=0).max())


def _apart(case: Case) -> float:
    return _distance(*case)


def _name(case: Case) -> tuple[str, str]:
    filled, first, _ = case
    return filled.axis, filled.sentences[first].template


def _case(case: Case, *, chosen: Literal["random", "worst"]) -> Evidence:
    filled, first, second = case
    low, high = filled.sentences[first], filled.sentences[second]
    what = "the score" if filled.scored else "a probability"
    return Evidence(
        example_id=low.template,
        chosen=chosen,
        shown=(_shown(filled, first), _shown(filled, second)),
        note=f"{low.term} → {high.term}; {what} moves by {_apart(case):.3f}",
        slice={"axis": filled.axis, "pair": f"{low.group} vs {high.group}"},
    )


def _shown(filled: Filled, row: int) -> Shown:
    answer = filled.answers[np.array([row])]
    confidence = float(answer.confidence[0])
    return Shown(
        texts=(filled.sentences[row].text,),
        answer=answer.names()[0],
        confidence=None if np.isnan(confidence) else confidence,
    )


def _outcomes(asked: Sequence[Filled]) -> Outcomes:
    """One row for each sentence."""
    said = [(f.axis, sentence, k) for f in asked for sentence, k in zip(f.sentences, f.place, strict=True)]
    n = len(said)
    scores = [filled.answers.logits[:, 0] if filled.regression else filled.answers.confidence for filled in asked]
    return Outcomes(
        example_id=[sentence.template for _, sentence, _ in said],
        cluster=[sentence.template for _, sentence, _ in said],
        variant=[f"axis={axis},group={sentence.group},term={k}" for axis, sentence, k in said],
        after=[name for filled in asked for name in filled.answers.names()],
        before=[None] * n,
        gold=[None] * n,
        correct=[None] * n,
        changed=[None] * n,
        score=[float(score) for part in scores for score in part],
    )
