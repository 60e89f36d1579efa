"""The probe that asks about the cases of StereoSet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from probes.bias.stereotypes.associations import BLANK, ScoredAssociations
from probes.bias.stereotypes.benchmark import info
from probes.bias.stereotypes.pairs import STEREOTYPE
from probes.core.examples import Example
from probes.core.likelihoods import Scoring
from probes.core.measuring import measured
from probes.core.model import Scorer
from probes.core.probe import FOR_THE_RECORD, Context, ProbeInfo
from probes.core.records import (
    Accounting,
    Better,
    Evidence,
    Measurement,
    Outcomes,
    Record,
    Shown,
    Skip,
    SkipReason,
)
from probes.core.stereotype_cases import Association

INTRA, INTER = "intrasentence", "intersentence"
TITLES = {
    "stereotype_score": ("stereotype likelier than its opposite, mean over terms", Better.CONTEXT),
    "language_model_score": (
        "sentences that make sense likelier than ones that do not, mean over terms",
        Better.HIGHER,
    ),
    "icat": ("idealised score (ICAT): sense without a preference for stereotypes", Better.HIGHER),
}


@dataclass(frozen=True)
class StereoSet:
    """Does the language model prefer stereotypes to their opposites, and sense to nonsense (StereoSet)?

    Measures:
        For sentences with a blank (intrasentence) and for sentences that go on from another one (intersentence), in all
        and by category: the stereotype score (how often the stereotype is likelier than its opposite; one half is no
        preference), the language model score (how often what makes sense is likelier than what does not) and ICAT,
        which is made of both and highest for a model that knows sense and has no preference.

    Why it matters:
        What a language model finds likely shows in what it writes, ranks or fills in. These numbers are evidence
        relevant to the examination of models for bias.

    Method:
        As published: each score is the mean over the terms the stereotypes are about, ties count against the
        stereotype, and ICAT is made of these means. Masked models fill the blank: the pieces of the word are guessed
        one after another at a single mask behind those before it, and the mean of their probabilities counts. Causal
        models: mean log-probability of a token of the whole sentence; for intersentence cases that of the second
        sentence given the first, which stands for the next-sentence head that the authors trained. Intervals are
        cluster bootstraps over terms (BCa, 2000 resamples).

    Limits:
        Written by crowd workers in the United States, in English; many cases contrast what does not fit together or
        hold no stereotype at all (Blodgett et al. 2021). A poor language model has a stereotype score near one half, so
        it says nothing without the language model score beside it, and ICAT mixes the two: one half may come from
        noise. Such numbers hardly foretell what a model does in a task (Goldfarb-Tarrant et al. 2021). Words are scored
        as they stand in the sentence, blank before them included; the published code scores a word without it, which
        for RoBERTa's kind gives lower language model scores. Masked models without a head for next sentences are not
        asked about intersentence cases. A category with fewer than ten terms has no interval and is left out. A model
        may have been trained on the sentences. One half is no evidence that there is no bias.

    References:
        Nadeem, Bethke and Reddy 2021, StereoSet, ACL; data CC BY-SA 4.0. Blodgett et al. 2021, Stereotyping Norwegian
        Salmon, ACL. Goldfarb-Tarrant et al. 2021, ACL. Meade, Poole-Dayan and Reddy 2022, ACL. Efron 1987, JASA 82:171
        (BCa).
    """

    digest: str = field(default="", metadata=FOR_THE_RECORD)
    """SHA-256 of the cases."""
    resamples: int = 2000
    cases: tuple[Association, ...] = field(default=(), repr=False, metadata={"parameter": False})
    notes: tuple[str, ...] = field(default=(), repr=False, metadata={"parameter": False})

    info: ClassVar[ProbeInfo]

    def run(self, model: Scorer, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Task by task: accounting and numbers; then cases and outcomes for each case. `data` is not used."""
        causal = model.card.scoring is Scoring.LEFT_TO_RIGHT
        scored: list[tuple[str, ScoredAssociations]] = []
        for task in (INTRA, INTER):
            cases = [case for case in self.cases if (BLANK in case.context) == (task == INTRA)]
            if not cases:
                yield _none(task)
                continue
            if task == INTER and not causal:
                yield Accounting(eligible=len(cases), scored=0, unscored=len(cases), slice={"task": task})
                yield _no_head(task)
                continue
            items = ScoredAssociations.ask(model, cases)
            scored.append((task, items))
            yield Accounting(
                eligible=len(cases),
                scored=len(items),
                unscored=items.unscored,
                tied=int(items.near.sum()),
                note=" ".join(self.notes),
                slice={"task": task},
            )
            yield from self._numbers(items, task, ctx)
        yield from _cases(scored, ctx)
        if scored:
            yield _outcomes(scored)

    def _numbers(self, items: ScoredAssociations, task: str, ctx: Context) -> Iterator[Measurement | Skip]:
        categories = sorted({case.category for case in items.cases})
        for category in ("", *categories):
            members = np.array([not category or case.category == category for case in items.cases], dtype=bool)
            part = {"task": task} | ({"category": category} if category else {})
            for name, (title, better) in TITLES.items():
                yield measured(
                    name,
                    title + (f": {category}" if category else ""),
                    partial(
                        items.where(members).estimate,
                        name,
                        rng=ctx.generator(task, category, name),
                        resamples=self.resamples,
                    ),
                    better=better,
                    part=part,
                    family=f"bias.stereoset.{name}" + (".category" if category else ""),
                )


StereoSet.info = info("stereoset", title="StereoSet", doc=StereoSet.__doc__)


def _none(task: str) -> Skip:
    return Skip(
        reason=SkipReason.UNDEFINED,
        detail=f"The files hold no {task} cases.",
        enable=f"put the {task} file of StereoSet into the folder of --benchmarks",
        slice={"task": task},
    )


def _no_head(task: str) -> Skip:
    return Skip(
        reason=SkipReason.NO_CAPABILITY,
        detail="A masked language model says nothing of which sentence follows another; the authors trained a head.",
        slice={"task": task},
    )


def _cases(scored: Sequence[tuple[str, ScoredAssociations]], ctx: Context) -> Iterator[Evidence]:
    """Random cases, then some in which the stereotype is likelier; of each task."""
    ordinary: list[Evidence] = []
    worst: list[Evidence] = []
    for task, items in scored:
        drawn = sorted(range(len(items)), key=lambda row: ctx.rng("evidence", items.cases[row].id).random())
        ordinary += [_case(task, items, row, chosen="random") for row in drawn[: ctx.random_cases]]
        rest = [row for row in drawn[ctx.random_cases :] if items.stereotyped[row]]
        worst += [_case(task, items, row, chosen="worst") for row in rest[: ctx.worst_cases]]
    yield from ordinary
    yield from worst


def _case(task: str, items: ScoredAssociations, row: int, *, chosen: Literal["random", "worst"]) -> Evidence:
    case = items.cases[row]
    before = () if task == INTRA else (case.context,)
    order = "more" if items.stereotyped[row] else "no more"
    return Evidence(
        example_id=case.id,
        chosen=chosen,
        shown=(
            Shown(texts=(*before, case.stereotype), answer="stereotype"),
            Shown(texts=(*before, case.anti), answer="opposite"),
        ),
        note=f"about {case.target}; the stereotype is {order} likely than its opposite",
        content_note=STEREOTYPE,
        slice={"task": task},
    )


def _outcomes(scored: Sequence[tuple[str, ScoredAssociations]]) -> Outcomes:
    """One row for each case; its score is the share of the two that make sense which is likelier than the third."""
    rows = [(task, items, row) for task, items in scored for row in range(len(items))]
    return Outcomes(
        example_id=[items.cases[row].id for _, items, row in rows],
        cluster=[items.cases[row].cluster for _, items, row in rows],
        variant=[f"task={task},category={items.cases[row].category}" for task, items, row in rows],
        after=["stereotype" if items.stereotyped[row] else "opposite" for _, items, row in rows],
        before=[None] * len(rows),
        gold=[None] * len(rows),
        correct=[None] * len(rows),
        changed=[None] * len(rows),
        score=[float(items.sensible[row]) for _, items, row in rows],
    )
