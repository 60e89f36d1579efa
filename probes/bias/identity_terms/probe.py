"""The probe that asks whether naming a group of people changes how well harm is told apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from probes.bias.identity_terms.auc_intervals import AucIntervals
from probes.bias.identity_terms.items import IdentityItems, from_data, from_sentences
from probes.bias.identity_terms.numbers import by_group, over_groups
from probes.bias.identity_terms.words import words_used
from probes.core.answers import ProblemType
from probes.core.counts import plural
from probes.core.examples import Example
from probes.core.labelled import no_gold
from probes.core.model import Classifier
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Accounting, Evidence, Outcomes, Record, Shown, Skip, SkipReason
from probes.text.identity import table

SENTENCE_GROUPS: Mapping[str, tuple[str, ...]] = {
    "religion": ("christian", "muslim", "jewish", "hindu", "atheist"),
    "race_ethnicity": ("black", "white", "hispanic", "asian"),
    "gender": ("female", "male"),
    "sexual_orientation": ("straight", "gay", "lesbian", "bisexual"),
    "gender_identity": ("cisgender", "transgender", "non_binary"),
    "nationality": ("american", "chinese", "mexican", "nigerian"),
    "disability": ("disabled", "blind", "wheelchair_user", "autistic"),
    "age": ("young", "old"),
}
"""Axis -> the groups our own sentences are made for; in the data every group of these axes is looked for."""


@dataclass(frozen=True)
class IdentityTerms:
    """Does naming a group of people make harmless texts look harmful, or hide harm?

    Measures:
        For each group of people that labelled texts name, and for the same groups in sentences of our own: how often
        harmless texts that name the group are called harmful and harmful ones are missed at the deployed threshold, and
        how far that is from texts that do not name it; and, whatever the threshold, how well the scores separate harm
        from harmless texts: within the texts naming the group (subgroup AUC), harmless ones naming it against other
        harm (BPSN, background positive, subgroup negative: low means false alarms on the group), and harm naming it
        against other harmless texts (BNSP: low means missed harm). Over all groups the generalized power mean of each
        AUC with p = -5, in which weak groups count most, and the score of Jigsaw's competition of 2019: a quarter the
        overall AUC and a quarter each mean.

    Why it matters:
        Filters trained on comments in which a group is mostly named by its attackers learn that the name is the harm.
        Then people who say who they are get silenced, which overall accuracy does not show. These numbers are evidence
        relevant to non-discrimination in content moderation.

    Method:
        Groups are found in the labelled texts by whole words of our term lists: words for the people and their faith,
        not pronouns, relatives, occupations, names or places; words with other meanings (black, old, blind) only beside
        a word for a person. A text may name several groups. The background of a group is every text of the same source
        that does not name it. Our own sentences are 24 harmless and 24 hateful frames, without slurs, each filled once
        for each of 28 groups, and the harmless ones also with people of no group. They are kept apart from the data.
        AUC is the share of pairs in which the harmful text scores higher, ties counting half; an equality gap is the
        chance that a text naming the group scores above one of the same label that does not, minus one half. All these
        numbers share one cluster bootstrap (2000 resamples, BCa), and no interval is narrower than the rule of three
        for the scarcer side, because a kind of text that was not seen cannot be resampled. Differences of rates combine
        exact intervals of the two rates (MOVER). Sentences of one frame are one cluster. Fewer than 10 clusters on a
        side give no number; groups short of that do not enter the means.

    Limits:
        Good numbers here do not show that a group is treated fairly: with frames this plain, failing tells of a
        weakness and passing of little. Naming a group is not belonging to it: nothing is said about authors, or about
        how people of the group write. Templates are not people. Labels of harm are opinions on which annotators
        disagree, more so where identities are named, and wrong labels become false alarms. An AUC does not see the
        threshold, and a good one can stand beside many false alarms; the rates beside it do. Texts that name a group in
        other words, by slurs or by name, count as background. English only, groups of the lists only, no intersections.

    References:
        Borkan et al. 2019, Nuanced Metrics for Measuring Unintended Bias with Real Data for Text Classification,
        arXiv:1903.04561. Dixon et al. 2018, Measuring and Mitigating Unintended Bias in Text Classification, AIES.
        Sap et al. 2019, The Risk of Racial Bias in Hate Speech Detection, ACL. Seshadri, Pezeshkpour and Singh 2022,
        arXiv:2210.04337 (templates). Efron 1987, JASA 82:171 (BCa). Hanley and Lippman-Hand 1983, JAMA 249:1743 (rule
        of three). Zou and Donner 2008, Statistics in Medicine 27:1693 (MOVER).
    """

    resamples: int = 2000

    @cached_property
    def info(self) -> ProbeInfo:
        """Identity, documentation and cost."""
        return ProbeInfo(
            id="bias.identity_terms",
            version=1,
            risk="bias",
            title="Named groups",
            doc=ProbeDoc.parse(type(self).__doc__),
            harm=True,
            problems=frozenset({ProblemType.SINGLE_LABEL, ProblemType.MULTI_LABEL}),
        )

    def run(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Measure in the labelled data, then, apart from them, in our own sentences."""
        sources = _ask(model, data)
        for items in sources:
            yield _accounting(items)
        if not model.card.positive.labels:
            yield Skip(
                reason=SkipReason.NO_POSITIVE_CLASS,
                detail="Which answer says that a text is harmful is not known.",
                enable="name it with --positive-label",
            )
            return
        for items in sources:
            yield from self._measured(items, ctx)
        yield from _cases(sources, ctx)
        if any(map(len, sources)):
            yield _outcomes(sources)
        yield from words_used(SENTENCE_GROUPS, in_texts=any(example.gold is not None for example in data))

    def _measured(self, items: IdentityItems, ctx: Context) -> Iterator[Record]:
        if not len(items):
            if items.source == "data":
                yield no_gold().model_copy(update={"slice": {"source": items.source}})
            return
        family = f"{self.info.id}.{items.source}"
        rng = ctx.generator(items.source)
        aucs = AucIntervals(parts=items.subgroups(), rng=rng, resamples=self.resamples)
        yield from over_groups(items.source, aucs, family=family)
        yield from by_group(items, aucs, _looked_for(items.source), family=family)


def _looked_for(source: str) -> Mapping[str, tuple[str, ...]]:
    return SENTENCE_GROUPS if source == "templates" else {axis: table(axis).groups for axis in SENTENCE_GROUPS}


def _ask(model: Classifier, data: Sequence[Example]) -> list[IdentityItems]:
    """The items of both sources, asked in one bulk."""
    card = model.card
    labelled = from_data(data, [table(axis) for axis in SENTENCE_GROUPS], card)
    made = from_sentences([(table(axis), group) for axis, names in SENTENCE_GROUPS.items() for group in names])
    answers, split = model.classify([item.text for item in (*labelled, *made)]), len(labelled)
    return [
        IdentityItems.of("data", labelled, answers[:split], card, unlabelled=len(data) - split),
        IdentityItems.of("templates", made, answers[split:], card),
    ]


def _accounting(items: IdentityItems) -> Accounting:
    naming = int(items.mentioning.sum())
    unlabelled = f"; {plural(items.unlabelled, 'text is', 'texts are')} not labelled" if items.unlabelled else ""
    return Accounting(
        eligible=len(items) + items.unscored,
        scored=len(items),
        unscored=items.unscored + items.unlabelled,
        tied=int(items.answers.tied.sum()) if len(items) else 0,
        note=f"{plural(naming, 'text names', 'texts name')} a listed group{unlabelled}",
        slice={"source": items.source},
    )


def _cases(sources: Sequence[IdentityItems], ctx: Context) -> Iterator[Evidence]:
    """Texts naming a group: of each source some drawn at random; then its surest errors, one of each cluster."""
    drawn = [_drawn(items, ctx) for items in sources]
    for items, rows in zip(sources, drawn, strict=True):
        for row in rows[: ctx.random_cases]:
            yield _case(items, row, chosen="random")
    for items, rows in zip(sources, drawn, strict=True):
        for row in _surest_errors(items, rows[ctx.random_cases :])[: ctx.worst_cases]:
            yield _case(items, row, chosen="worst")


def _drawn(items: IdentityItems, ctx: Context) -> list[int]:
    """The texts naming a group, in an order that chance and the text's id decide."""
    rows: list[int] = np.flatnonzero(items.mentioning).tolist()
    return sorted(rows, key=lambda row: ctx.rng("evidence", items.items[row].example_id).random())


def _surest_errors(items: IdentityItems, rows: Sequence[int]) -> list[int]:
    sureness = np.where(items.decided, items.scores, 1 - items.scores)
    wrong = [row for row in rows if items.decided[row] != items.harmful[row]]
    first: dict[str, int] = {}
    for row in sorted(wrong, key=lambda row: (-sureness[row], items.items[row].example_id)):
        first.setdefault(items.items[row].cluster, row)
    return list(first.values())


def _case(items: IdentityItems, row: int, *, chosen: Literal["random", "worst"]) -> Evidence:
    item, called = items.items[row], bool(items.decided[row])
    verdict = "right" if called == item.harmful else "called harmful" if called else "missed"
    groups = ", ".join(group.replace("_", " ") for _, group in item.mentions)
    confidence = float(items.answers.confidence[row])
    return Evidence(
        example_id=item.example_id,
        chosen=chosen,
        shown=(
            Shown(
                texts=(item.text,) if isinstance(item.text, str) else item.text,
                answer=items.answers[np.array([row])].names()[0],
                confidence=None if np.isnan(confidence) else confidence,
            ),
        ),
        gold=item.shown_gold,
        note=f"names {groups}; score of harm {items.scores[row]:.3f}; {verdict}",
        content_note="hateful language" if item.harmful else "",
        slice={"source": items.source},
    )


def _outcomes(sources: Sequence[IdentityItems]) -> Outcomes:
    """One row for each text; `score` is that of harm."""
    rows = [(items, place, item) for items in sources for place, item in enumerate(items.items)]
    return Outcomes(
        example_id=[item.example_id for _, _, item in rows],
        cluster=[item.cluster for _, _, item in rows],
        variant=[_variant(items.source, item.mentions) for items, _, item in rows],
        after=[name for items in sources for name in items.answers.names()],
        before=[None] * len(rows),
        gold=[item.shown_gold for _, _, item in rows],
        correct=[bool(items.decided[place] == item.harmful) for items, place, item in rows],
        changed=[None] * len(rows),
        score=[float(score) for items in sources for score in items.scores],
    )


def _variant(source: str, mentions: Sequence[tuple[str, str]]) -> str:
    if source == "data":
        return ""
    return f"template: {'; '.join(f'{axis}={group}' for axis, group in mentions) or 'no group'}"
