"""What an offensive word beside a text does to answers that have nothing to do with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from probes.core.answers import ProblemType
from probes.core.examples import Example
from probes.core.labelled import gold_text
from probes.core.measuring import measured
from probes.core.model import Classifier
from probes.core.positive import PositiveClass
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import (
    Accounting,
    Better,
    Evidence,
    Measurement,
    Outcomes,
    Record,
    Skip,
    SkipReason,
    Unit,
)
from probes.core.stats.derived import FEW
from probes.text.offensive import KINDS, Kind
from probes.text.trials import Trials, ask, evidence, outcomes, random_rows, worst_rows
from probes.text.variants import Variants, variants_of
from probes.text.word_lists import lexicon_words
from probes.toxicity.sensitivity.insertions import HARMLESS, OFFENSIVE, inserted, insertions, strengths
from probes.toxicity.sensitivity.pairs import Pairs

CONTENT_NOTE = "profanity, insults and slurs"
MOST_LABELS = 10
"""Labels that are reported one by one: the commonest."""


@dataclass(frozen=True)
class Sensitivity:
    """Does an offensive word beside a text change what the model says about the text?

    Measures: how often the answer changes when profanity, an insult or a slur stands beside the text (flip rate), how
        often under a harmless insertion of as many words (control), the difference of the two on the same texts (excess
        flip rate), and the mean change of the score of the positive class against the harmless insertion; by kind and
        strength of the word, and by right answer where it is given.
    Why it matters: people swear at printers and quote what was shouted at them. A model that reads a swear word as a
        complaint, or a slur that is reported as an opinion, answers about the word and not about the text, and does so
        more often for those who speak that way.
    Method: before or after each text goes one of our own insertions, drawn by item, for each kind (profanity, insult,
        slur) and strength (1 mild to 3 strong): an exclamation, a remark about a phone, or a word that somebody else
        said, never about the subject of the text. The same sentence with a harmless word serves as control. Of a pair
        of texts only the first gets it. A changed answer is measured against the model's own answer to the text; that
        of a regression counts as changed when it moves by more than half a standard deviation of the scores. Intervals
        cluster on the source text. By right answer: labels with at least 10 texts, the 10 commonest.
    Limits: it says nothing about offensive words inside a text or aimed at its subject, where they may rightly count.
        An exclamation such as "Oh shit," has a mood of its own, so for sentiment a small excess may be what a reader
        would do as well; slurs are mentioned, not used. A few insertions in English for each kind; an insertion may
        push the end of a long text over the model's limit, which the control does too.
    References: Dixon et al. 2018, Measuring and Mitigating Unintended Bias in Text Classification, AIES; Sap et al.
        2019, The Risk of Racial Bias in Hate Speech Detection, ACL; Röttger et al. 2021, HateCheck, ACL; Ribeiro et al.
        2020, Beyond Accuracy: Behavioral Testing of NLP Models with CheckList, ACL.
    """

    info: ClassVar[ProbeInfo]

    def run(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Ask about every text with every kind and strength, and with the controls."""
        variants = [
            variants_of(data, inserted(kind, column=column), severities=strengths(kind), seed=ctx.seed)
            for kind in KINDS
            for column in (OFFENSIVE, HARMLESS)
        ]
        trials = ask(model, data, variants)
        yield from _accounting(len(data), variants, trials)
        if not len(trials):
            yield Skip(reason=SkipReason.NOTHING_PERTURBED, detail="There is no text to insert anything beside.")
            return
        if model.card.problem is ProblemType.REGRESSION and trials.step == 0:
            yield Skip(
                reason=SkipReason.UNDEFINED,
                detail="All texts get the same score, so there is no scale on which to say that an answer changed.",
            )
            return
        every = Pairs.of(trials)
        yield from _numbers(every, {}, model.card.positive)
        for at, kind in enumerate(KINDS):
            pairs = every.where(every.offensive.source // 2 == at)
            yield from _numbers(pairs, {"kind": kind}, model.card.positive)
            yield from _by_strength(pairs, kind, model.card.positive)
            yield from _by_label(pairs, kind, model.card.positive)
        yield from _missing(model.card.positive, trials)
        yield from _cases(trials, every, ctx)
        yield outcomes(trials, variant=_variants(trials))
        yield lexicon_words("offensive_insertions", "What is put beside a text", _insertions())


Sensitivity.info = ProbeInfo(
    id="toxicity.sensitivity",
    version=1,
    risk="toxicity",
    title="Offensive words beside the text",
    doc=ProbeDoc.parse(Sensitivity.__doc__),
    calls=1 + 2 * sum(len(strengths(kind)) for kind in KINDS),
    harm=False,
)


def _accounting(eligible: int, variants: Sequence[Variants], trials: Trials) -> Iterator[Accounting]:
    """One for each kind, its control included."""
    for at, kind in enumerate(KINDS):
        pair = variants[2 * at : 2 * at + 2]
        rows = trials.where(trials.source // 2 == at)
        kept = sum(len(each.texts) for each in pair)
        yield Accounting(
            eligible=2 * eligible * len(strengths(kind)),
            perturbed=sum(len(items) for each in pair for items in each.changed.values()),
            kept=kept,
            scored=len(rows),
            unscored=kept - len(rows),
            tied=int(rows.tied.sum()),
            note=f"each of {eligible} texts at {len(strengths(kind))} strengths, and as often with the control",
            slice={"kind": kind},
        )


def _numbers(
    pairs: Pairs, part: dict[str, str], positive: PositiveClass, *, family: str | None = None
) -> Iterator[Measurement | Skip]:
    """Flip rates with the control, their difference, and the shift of the positive score."""
    shown = partial(measured, part=part, family=family)
    yield shown(
        "flip_rate",
        "share of answers that change",
        lambda: pairs.flips(pairs.offensive),
        better=Better.CONTEXT,
    )
    yield shown(
        "control_flip_rate",
        "share of answers that change with a harmless insertion",
        lambda: pairs.flips(pairs.harmless),
        better=Better.CONTEXT,
    )
    yield shown(
        "excess_flip_rate",
        "share of answers that change, over that with a harmless insertion",
        pairs.excess,
        better=Better.LOWER,
        unit=Unit.DIFFERENCE,
    )
    if positive.labels:
        yield shown(
            "score_shift",
            f"mean change of the score of “{' + '.join(positive.labels)}” against a harmless insertion",
            lambda: pairs.shift(positive),
            better=Better.CONTEXT,
            unit=Unit.SCORE if pairs.offensive.before.problem is ProblemType.REGRESSION else Unit.DIFFERENCE,
        )


def _by_strength(pairs: Pairs, kind: Kind, positive: PositiveClass) -> Iterator[Measurement | Skip]:
    for strength in strengths(kind):
        part = {"kind": kind, "strength": str(strength)}
        rows = pairs.where(pairs.offensive.severity == strength)
        yield from _numbers(rows, part, positive, family=f"toxicity.sensitivity.{kind}")


def _by_label(pairs: Pairs, kind: Kind, positive: PositiveClass) -> Iterator[Measurement | Skip]:
    """For the commonest right answers, all strengths together."""
    if pairs.offensive.before.problem is ProblemType.REGRESSION:
        return
    golds = np.array([gold_text(gold) or "" for gold in pairs.offensive.golds])
    clusters = {gold: len(set(np.array(pairs.offensive.clusters)[golds == gold])) for gold in set(golds) - {""}}
    common = sorted(clusters, key=lambda gold: (-clusters[gold], gold))[:MOST_LABELS]
    for gold in common:
        part = {"kind": kind, "label": str(gold)}
        if clusters[gold] < FEW:
            detail = f"Independent texts with the right answer {gold}: {clusters[gold]}; {FEW} are needed."
            yield Skip(reason=SkipReason.TOO_FEW, detail=detail, name="excess_flip_rate", slice=part)
            continue
        family = f"toxicity.sensitivity.{kind}.label"
        _, _, *numbers = _numbers(pairs.where(golds == gold), part, positive, family=family)
        yield from numbers


def _missing(positive: PositiveClass, trials: Trials) -> Iterator[Skip]:
    if not positive.labels:
        yield Skip(
            reason=SkipReason.NO_POSITIVE_CLASS,
            detail="No answer is known to be the positive one, so only changes of the answer are measured.",
            enable="name it with --positive-label",
            name="score_shift",
        )
    if not trials.labelled.any():
        yield Skip(
            reason=SkipReason.NO_GOLD,
            detail="The data have no right answers, so nothing is measured by label.",
            enable="give data with a label column",
            name="excess_flip_rate",
            slice={"label": "each"},
        )


def _cases(trials: Trials, pairs: Pairs, ctx: Context) -> Iterator[Evidence]:
    """Random offensive insertions, then those that change the answer where the control does not."""
    offensive = trials.where(trials.source % 2 == OFFENSIVE)
    excess = pairs.offensive.where(pairs.offensive.flipped & ~pairs.harmless.flipped)
    names = [kind for kind in KINDS for _ in (OFFENSIVE, HARMLESS)]
    drawn = random_rows(offensive, count=ctx.random_cases, rng=ctx.rng("evidence"))
    for case in (
        *evidence(offensive, drawn, chosen="random", names=names),
        *evidence(excess, worst_rows(excess, count=ctx.worst_cases), chosen="worst", names=names),
    ):
        part = {"kind": case.slice["perturbation"], "strength": case.slice["severity"]}
        yield case.model_copy(update={"content_note": CONTENT_NOTE, "slice": part})


def _insertions() -> Iterator[tuple[str, str]]:
    """(kind and strength, or its control; what is inserted)."""
    for kind in KINDS:
        for strength in strengths(kind):
            for column, control in ((OFFENSIVE, ""), (HARMLESS, ", harmless control")):
                for _, pair in insertions(kind, strength=strength):
                    yield f"{kind}, strength {strength}{control}", pair[column]


def _variants(trials: Trials) -> list[str]:
    return [
        f"{'control' if source % 2 == HARMLESS else 'kind'}={KINDS[source // 2]},strength={strength}"
        for source, strength in zip(trials.source, trials.severity, strict=True)
    ]
