"""The probe that compares the entities a tagger finds with the right ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core import stats
from probes.core.answers import Bools, ProblemType
from probes.core.entities import Entity, Scheme
from probes.core.entity_decisions import Decisions
from probes.core.examples import Example
from probes.core.groups import groups
from probes.core.labelled import no_gold
from probes.core.measuring import measured, share
from probes.core.model import Capability, Tagger
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
from probes.core.stats.derived import FEW, resampled
from probes.core.tagged import Tagged, cases, outcomes, unread_words

ERRORS = {
    "wrong_kind": "share of entities found at their place but taken for another kind",
    "wrong_boundary": "share of entities found with their kind, but with a word too many or too few",
    "wrong_kind_and_boundary": "share of entities touched by an answer of another kind with other boundaries",
    "missed": "share of entities of which no word is in any answer",
}


@dataclass(frozen=True)
class Tagging:
    """Which entities does the tagger find, which does it miss, and does it err about the kind or about the boundary?

    Measures:
        Precision, recall and F1 of entities (right means the same words and the same kind), pooled over all kinds, for
        each kind, and the mean F1 of the kinds; F1 under the strict reading of the scheme; what became of the entities
        that were not found exactly (another kind, another boundary, both, missed) and the share of answers that touch
        no entity; accuracy over words compared with always giving the commonest label; F1 for each value of each group
        column; the share of words that the model did not read.

    Why it matters:
        Most words are in no entity, so accuracy over words is high for a model that finds nothing. A missed name and a
        name with a wrong boundary are different failures for whoever uses the answers. These numbers are evidence
        relevant to declared accuracy metrics.

    Method:
        The words of a text are those of the data, separated by blanks; each has the label with the highest logit at its
        first token. Entities are read off the labels in two ways, those of seqeval: the usual one of the CoNLL shared
        tasks, which lets an I- that follows nothing begin an entity, and the strict one, which counts only what keeps
        to the scheme (IOB2, IOB1 or IOBES, told from label names and right answers). Labels without prefixes: runs of
        equal labels, or single words where no label is O. Words that were not read, because the text is longer than the
        model reads, are left out of right answers and answers alike, never counted as O. Precision, recall and shares
        have Wilson intervals over entities, F1 that of the Jaccard share which it is a function of, all with the
        sentence as cluster (its entities are not independent); mean F1 of the kinds has a cluster bootstrap with 2000
        resamples over sentences (BCa); the gain over the commonest label has Tango's score interval for pairs.

    Limits:
        Golds are taken to be true. An answer with a wrong boundary counts as a missed and as a wrong entity, as in the
        field. An entity that lies across the end of what was read is judged by its part that was read. With fewer than
        10 sentences no mean over kinds, and no number of a group, is given.

    References:
        Tjong Kim Sang and De Meulder 2003, CoNLL (entity-level F1). Nakayama 2018, seqeval (default and strict mode).
        Chinchor and Sundheim 1993, MUC-5 (kinds of errors). Derczynski et al. 2017, W-NUT (rare entities). Wilson 1927,
        JASA 22:209. Tango 1998, Statistics in Medicine 17:891. Efron 1987, JASA 82:171 (BCa).
    """

    resamples: int = 2000
    minimum: int = FEW
    """Independent sentences a group must have."""

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="performance.tagging",
            version=1,
            risk="performance",
            title="Quality of the tags",
            doc=ProbeDoc.parse(type(self).__doc__),
            needs=frozenset({Capability.TAG}),
            problems=frozenset({ProblemType.TOKEN}),
            gold=True,
        )

    def run(self, model: Tagger, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields measurements for the whole, for kinds, errors, words and groups, then cases and outcomes."""
        items = Tagged.ask(model, data)
        yield _accounting(items)
        if not len(items):
            yield no_gold()
            return
        yield from self._entities(items, ctx)
        yield from _kinds(items.decisions(), family=f"{self.info.id}.kinds")
        yield from _errors(items.decisions(), family=f"{self.info.id}.errors")
        yield from _words(items)
        yield from self._groups(items)
        yield from cases(items, ctx)
        yield outcomes(items)

    def _entities(self, items: Tagged, ctx: Context) -> Iterator[Measurement | Skip]:
        decisions, strict = items.decisions(), items.decisions(strict=True)
        yield measured("f1", "F1 of entities", decisions.f1, better=Better.HIGHER)
        yield measured("precision", "share of found entities that are right", decisions.precision, better=Better.HIGHER)
        yield measured("recall", "share of entities that are found", decisions.recall, better=Better.HIGHER)
        if items.tagset.scheme not in (Scheme.RUNS, Scheme.WORDS):
            scheme = items.tagset.scheme.value
            yield measured("strict_f1", f"F1 of entities that keep to {scheme}", strict.f1, better=Better.HIGHER)
        occurring = len(set(decisions.kinds))
        yield measured(
            "macro_f1",
            f"mean F1 of the {occurring} kinds that occur",
            lambda: self._macro_f1(decisions, items, ctx),
            better=Better.HIGHER,
        )

    def _macro_f1(self, decisions: Decisions, items: Tagged, ctx: Context) -> Estimate:
        return resampled(
            decisions.macro_f1,
            clusters=items.clusters,
            rng=ctx.generator("macro_f1"),
            resamples=self.resamples,
            limits=(0.0, 1.0),
        )

    def _groups(self, items: Tagged) -> Iterator[Measurement | Skip]:
        decisions = items.decisions()
        for group, members in groups(items.examples):
            part = {"group": group}
            yield _group(decisions, items, members, part, minimum=self.minimum, family=f"{self.info.id}.groups")


def _accounting(items: Tagged) -> Accounting:
    n = len(items)
    return Accounting(
        eligible=n,
        scored=n,
        unscored=items.unlabelled,
        tied=sum(bool(items.answers.tied[items.answers.words_of(row)].any()) for row in range(n)),
        note=unread_words(items.answers)[1],
    )


def _kinds(decisions: Decisions, *, family: str) -> Iterator[Measurement | Skip]:
    for kind in sorted(set(decisions.kinds)):
        own, part = decisions.of_kind(kind), {"kind": kind}
        numbers: tuple[tuple[str, str, Callable[[], Estimate]], ...] = (
            ("f1", f"F1 of {kind} entities", own.f1),
            ("precision", f"share of found {kind} entities that are right", own.precision),
            ("recall", f"share of {kind} entities that are found", own.recall),
        )
        for name, title, estimate in numbers:
            yield measured(name, title, estimate, better=Better.HIGHER, part=part, family=family)


def _errors(decisions: Decisions, *, family: str) -> Iterator[Measurement | Skip]:
    found = _what_became(decisions)
    for name, title in ERRORS.items():
        yield measured(
            name,
            title,
            lambda name=name: share(  # type: ignore[misc]  # bound now, called at once
                found == name, among=decisions.gold, clusters=decisions.clusters, of="entity in the right answers"
            ),
            better=Better.LOWER,
            family=family,
        )
    yield measured(
        "spurious",
        "share of found entities that touch no right one",
        lambda: share(found == "spurious", among=decisions.answered, clusters=decisions.clusters, of="found entity"),
        better=Better.LOWER,
        family=family,
    )


def _what_became(decisions: Decisions) -> np.ndarray:
    """(m,): "right" or one of ERRORS for entities in the gold, "spurious" or "" for those in the answer only."""
    golds, answers = _by_text(decisions, decisions.gold), _by_text(decisions, decisions.answered)
    verdicts = [
        _verdict(entity, gold=bool(gold), golds=golds.get(item, []), answers=answers.get(item, []))
        for item, entity, gold in zip(decisions.item.tolist(), decisions.entities, decisions.gold, strict=True)
    ]
    return np.array(verdicts, dtype=object)


def _by_text(decisions: Decisions, which: Bools) -> dict[int, list[Entity]]:
    found: dict[int, list[Entity]] = {}
    for row in np.flatnonzero(which).tolist():
        found.setdefault(int(decisions.item[row]), []).append(decisions.entities[row])
    return found


def _verdict(entity: Entity, *, gold: bool, golds: Sequence[Entity], answers: Sequence[Entity]) -> str:
    if not gold:
        return "" if any(entity.overlaps(other) for other in golds) else "spurious"
    touching = [answer for answer in answers if answer.overlaps(entity)]
    if entity in touching:
        return "right"
    if any(answer[:2] == entity[:2] for answer in touching):
        return "wrong_kind"
    if any(answer.kind == entity.kind for answer in touching):
        return "wrong_boundary"
    return "wrong_kind_and_boundary" if touching else "missed"


def _words(items: Tagged) -> Iterator[Measurement | Skip]:
    read = items.answers.read
    clusters = [cluster for cluster, kept in zip(items.word_clusters, read, strict=True) if kept]
    yield measured(
        "unread_words",
        "share of words that the model did not read",
        lambda: share(~read, clusters=items.word_clusters, of="word"),
        better=Better.CONTEXT,
    )
    right, gold = (items.answers.top == items.gold)[read], items.gold[read]
    yield measured(
        "word_accuracy", "share of words with the right label", lambda: share(right, clusters=clusters, of="word"),
        better=Better.HIGHER,
    )  # fmt: skip
    if not len(gold):
        return
    common = int(np.bincount(gold).argmax())
    name = items.answers.labels[common]
    yield measured(
        "commonest_label",
        f"share of words whose label is {name}: what always giving it would get right",
        lambda: share(gold == common, clusters=clusters),
        better=Better.CONTEXT,
    )
    yield measured(
        "word_accuracy_over_commonest",
        f"gain in accuracy over always giving {name}",
        lambda: stats.paired_difference(gold == common, right, clusters=clusters),
        better=Better.HIGHER,
        unit=Unit.DIFFERENCE,
    )


def _group(
    decisions: Decisions, items: Tagged, members: Bools, part: dict[str, str], *, minimum: int, family: str
) -> Measurement | Skip:
    sentences = {cluster for cluster, kept in zip(items.clusters, members, strict=True) if kept}
    if len(sentences) < minimum:
        return Skip(
            reason=SkipReason.TOO_FEW,
            detail=f"Group {part['group']} has {len(sentences)} independent labelled sentences, fewer than {minimum}.",
            enable="add labelled sentences of this group",
            slice=part,
        )
    own = decisions.where(members[decisions.item])
    title = f"F1 of entities where {part['group']}"
    return measured("f1", title, own.f1, better=Better.HIGHER, part=part, family=family)
