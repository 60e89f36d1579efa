"""The probe that compares quality on other kinds of texts with quality on the in-domain ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import cast

from probes.core import answered as read
from probes.core import tagged
from probes.core.answers import SEQUENCE_HEADS, ProblemType
from probes.core.entities import Tagset
from probes.core.examples import Example
from probes.core.labelled import Labelled, cases, outcomes
from probes.core.model import Classifier, Model, Reader, Tagger
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Evidence, Outcomes, Record, Skip, SkipReason
from probes.core.tagged import gold_tags
from probes.shift.domains import Domain, Domains, accounting, compared, one_answer
from probes.shift.labelled import among, answered
from probes.shift.performance.numbers import Numbers
from probes.shift.performance.readings import ANSWERS, answer_measures
from probes.shift.performance.scored import Measure, Scored, ScoredLabels, measure_for, values_of
from probes.shift.performance.tags import ENTITIES, entity_measures, no_entity


@dataclass(frozen=True)
class Performance:
    """How much worse is the model on texts of other kinds than on those it was made for?

    Measures:
        For the in-domain texts and for each other kind: the share of right answers (of exactly right sets of labels
        where there are several; for scores the mean absolute error), the mean F1 of the labels, and the distance
        between confidence and share right beyond chance (ece_debiased). For each other kind what of each is lost
        against the in-domain texts; the loss as a share of the in-domain value; its two parts, the one that comes from
        other shares of the labels and the rest; and the share of texts that can be answered, the surest first, without
        more errors than in-domain (in-domain that share is 100 %). The largest loss of any kind of texts. Of taggers
        the F1, precision and recall of entities, of models that answer questions the mean F1 and the share of exact
        matches, each with what is lost, the loss as a share and the largest loss.

    Why it matters:
        A model is mostly used on other texts than it was tested on, and a good figure for one kind says little about
        another. These numbers are evidence relevant to declared accuracy and to the conditions of use it is declared
        for.

    Method:
        Every labelled text of every kind is asked once. The kinds are independent samples: losses are differences of
        two means, never paired. Rates have Wilson intervals, mean errors t intervals, F1 and calibration a cluster
        bootstrap (BCa, 2000 resamples of each kind on its own); the interval of a difference comes from those of its
        two sides (MOVER, for rates that of Newcombe), that of a ratio likewise (for t intervals that of Fieller). The
        largest loss is the largest of several and biased upwards: its lower bound holds for all kinds at once
        (Bonferroni), so that where all are equal a loss is claimed in at most the stated share of samples. The part of
        the loss that comes from the shares of the labels is found by post-stratification: the in-domain texts are
        weighted so that their labels have the shares they have among the other texts; what this changes is one part,
        what still differs is the rest (MOVER of exact bounds for each label). The calibration error has equally many
        bins everywhere, at most 15 and at least about 20 independent texts in each. The share that can be answered is
        the largest at which the surest texts have at most the in-domain share of errors; its bounds compare the errors
        of the surest 5 %, 10 % and so on with the in-domain ones. Texts of one cluster count as dependent. Entities
        are read off the tags, and answers held against the accepted ones, as in performance.tagging and
        performance.answers: precision and recall are rates over entities, F1 has the bounds of the Jaccard share which
        it is a function of, all clustered on the text; the mean F1 of answers has a t interval. Where the data of any
        kind have questions that their context does not answer, "no answer" may be given on all of them.

    Limits:
        Golds are taken to be true and to mean the same on all kinds of texts; labels given under other rules look like
        a loss. A loss does not say why it is there, and the rest is what the shares of the labels do not explain, not
        what some other cause does. Mean F1 is compared only where the same labels occur on both sides. A kind with
        fewer than 30 independent labelled texts, with one and the same right answer throughout, or without any entity
        in the right answers of a tagger, is not compared; of a tagger and of answers nothing is said of confidence. The
        share that can be answered is found with labels of the other kind, which in use would be missing; its bounds go
        in steps of 5 %, are wide and cover more often than they say (98 to 100 % of simulated samples), and where the
        model is as good as in-domain the lower one stays well below 100 %. Of two calibration errors one of which is
        near 0 the difference may be somewhat larger than its interval says. Nothing is said about kinds of texts that
        were not given.

    References:
        Koh et al. 2021, ICML (WILDS: accuracy in-domain and out of it). Newcombe 1998, Statistics in Medicine 17:873.
        Zou and Donner 2008, Statistics in Medicine 27:1693; Donner and Zou 2012, Statistical Methods in Medical
        Research 21:347 (MOVER). Kitagawa 1955, JASA 50:1168 (two parts of a difference). Lipton et al. 2018, ICML
        (label shift). Lee et al. 2023, JMLR 24:335 (debiased calibration error). El-Yaniv and Wiener 2010, JMLR 11:1605
        (risk-coverage). Berger 1982, Technometrics 24:295. Efron 1987, JASA 82:171 (BCa).
    """

    resamples: int = 2000
    bins: int = 15
    """Most bins of the calibration error."""

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="shift.performance",
            version=1,
            risk="shift",
            title="Quality on other kinds of texts",
            doc=ProbeDoc.parse(type(self).__doc__),
            needs=frozenset(),  # each kind of head is asked its own way
            gold=True,
            domains=True,
            problems=SEQUENCE_HEADS | {ProblemType.TOKEN, ProblemType.SPAN},
        )

    def run(self, model: Model, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields accounting by domain, what cannot be compared and why, the numbers, cases and outcomes."""
        if model.card.problem is ProblemType.TOKEN:
            yield from self._tagged(cast(Tagger, model), data, ctx)
        elif model.card.problem is ProblemType.SPAN:
            yield from self._answered(cast(Reader, model), data, ctx)
        else:
            yield from self._classified(cast(Classifier, model), data, ctx)

    def _tagged(self, model: Tagger, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        given = Domains.of(data)
        domains, skips = compared(given, given.labelled)
        tagset = Tagset.of(model.card.labels, (gold_tags(example) for each in domains for example in each.examples))
        empty = [no_entity(domain, tagset) for domain in domains]
        kept = [domain for domain, skip in zip(domains, empty, strict=True) if skip is None]
        kept = kept if domains and empty[0] is None else []
        yield from _accounts(given, kept, [*skips, *filter(None, empty)], ENTITIES)
        if len(kept) < 2:
            return
        items = tagged.Tagged.ask(model, [example for each in kept for example in each.examples])
        for measure, sides in entity_measures(items, kept):
            yield from self._compare(measure, sides, ctx)
        parts = {domain.name: items.where(among(items, domain.examples)) for domain in kept[1:]}
        yield from _of_each_domain({name: list(tagged.cases(part, ctx)) for name, part in parts.items()})
        yield tagged.outcomes(items)

    def _answered(self, model: Reader, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        given = Domains.of(data)
        kept, skips = compared(given, given.labelled)
        yield from _accounts(given, kept, skips, ANSWERS)
        if len(kept) < 2:
            return
        items = read.Answered.ask(model, [example for each in kept for example in each.examples])
        for measure, sides in answer_measures(items, kept):
            yield from self._compare(measure, sides, ctx)
        parts = {domain.name: items.where(among(items, domain.examples)) for domain in kept[1:]}
        yield from _of_each_domain({name: list(read.cases(part, ctx)) for name, part in parts.items()})
        yield read.outcomes(items)

    def _compare(self, measure: Measure, sides: Sequence[Scored], ctx: Context) -> Iterator[Record]:
        """The numbers of one measure; a domain that has nothing it is counted from is named with the reason."""
        home, *others = sides
        usable = [scored for scored in others if len(scored) and len(home)]
        yield from (_nothing_counted(measure, scored) for scored in sides if not len(scored))
        if usable:
            yield from self._numbers(measure, home, usable, ctx).records()

    def _numbers(self, measure: Measure, home: Scored, others: Sequence[Scored], ctx: Context) -> Numbers:
        return Numbers(
            home=home,
            others=others,
            measure=measure,
            bins=self.bins,
            generator=ctx.generator,
            resamples=self.resamples,
            family=f"{self.info.id}.levels",
        )

    def _classified(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        given, items, measure = Domains.of(data), answered(model, data), measure_for(model.card.problem)
        sides, skips = _compared(given, items)
        yield from _accounts(given, [each.domain for each in sides], skips, [measure])
        if not sides:
            return
        home, *others = sides
        yield from self._numbers(measure, home, others, ctx).records()
        yield from _shown(items, others, ctx)
        yield outcomes(items[among(items, [example for each in sides for example in each.domain.examples])])


def _accounts(
    given: Domains, kept: Sequence[Domain], skips: Sequence[Skip], measures: Sequence[Measure]
) -> Iterator[Record]:
    """How many items of each domain count, and why the others do not; with none left, why no loss is the worst."""
    yield from accounting(given, used=kept if len(kept) > 1 else [])
    yield from skips
    if len(kept) < 2 and all(skip.slice for skip in skips):  # one without a slice speaks for every number
        yield from (_no_worst(measure, skips) for measure in measures)


def _no_worst(measure: Measure, skips: Sequence[Skip]) -> Skip:
    more = f" (and {len(skips) - 1} more)" if len(skips) > 1 else ""
    return Skip(
        reason=skips[0].reason,
        detail=f"No other kind of texts can be compared with the in-domain ones: {skips[0].detail}{more}",
        enable=skips[0].enable,
        name=measure.worst,
    )


def _compared(given: Domains, items: Labelled) -> tuple[list[Scored], list[Skip]]:
    """The in-domain items and then the domains that can be compared with them, and a reason for each that cannot."""
    domains, skips = compared(given, Domains.of(items.examples))
    scored = [_scored(domain, items) for domain in domains]
    alike = [_one_answer(each) for each in scored]
    kept = [each for each, skip in zip(scored, alike, strict=True) if skip is None]
    comparable = len(kept) > 1 and alike[0] is None
    return (kept if comparable else []), [*skips, *(skip for skip in alike if skip)]


def _scored(domain: Domain, items: Labelled) -> Scored:
    own = items[among(items, domain.examples)]
    if items.problem is ProblemType.REGRESSION:
        return Scored(domain, values_of(own))
    return ScoredLabels(domain, values_of(own), own)


def _one_answer(scored: Scored) -> Skip | None:
    """Scores may all be the same."""
    return one_answer(scored.domain, scored.items.gold) if isinstance(scored, ScoredLabels) else None


def _shown(items: Labelled, others: Sequence[Scored], ctx: Context) -> list[Evidence]:
    """Cases of each domain."""
    parts = ((scored, items[among(items, scored.domain.examples)]) for scored in others)
    return _of_each_domain({scored.name: list(cases(own, ctx, note=partial(_note, scored))) for scored, own in parts})


def _of_each_domain(found: Mapping[str, Sequence[Evidence]]) -> list[Evidence]:
    """The cases of each domain marked as such, the random ones of all before the worst of all."""
    marked = [case.model_copy(update={"slice": {"domain": name}}) for name, own in found.items() for case in own]
    return sorted(marked, key=lambda case: case.chosen != "random")


def _nothing_counted(measure: Measure, scored: Scored) -> Skip:
    return Skip(
        reason=SkipReason.UNDEFINED,
        detail=f"{measure.title}: the model finds no entity {scored.where}.",
        name=measure.name,
        slice=scored.slice,
    )


def _note(scored: Scored, row: int) -> str:
    if not isinstance(scored, ScoredLabels):
        return f"off by {scored.values[row]:.3g}"
    return "right" if scored.items.correct[row] else "wrong"
