"""The probe that says how different the texts of other domains are, without their labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import ClassVar, Literal

import numpy as np

from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.model import Capability, Model
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Evidence, Record, Shown
from probes.core.stats.derived import UnmeasurableError
from probes.shift.distance.items import EmbeddingClassifier, Facing, Items
from probes.shift.distance.numbers import ID, distances, ratios, tested
from probes.shift.domains import Domains, accounting, no_others
from probes.shift.told import NOT_ASKED, gold_told


@dataclass(frozen=True)
class Distance:
    """How different are texts of other kinds from those the model was made for?

    Measures:
        For each other kind of text: how often a simple classifier on the model's inner representations tells it from
        the in-domain texts (classifier two-sample test, and the proxy A-distance from the same classifier); the maximum
        mean discrepancy and the Frechet distance between the representations; how differently words are used
        (Jensen-Shannon distance), the share of words that no in-domain text holds, and the lengths of the texts; into
        how many pieces the model cuts a word and how many of them it cannot read; how differently the right answers,
        where both are labelled, and the model's answers are distributed, and how its mean confidence differs (of
        classifiers and scores only).

    Why it matters:
        Test results hold for texts like those tested. Before any label is there these numbers say whether new texts are
        like them. They are evidence relevant to whether in-domain results may be carried over, and to when monitoring
        should raise an alarm.

    Method:
        The classifier is a shrunken linear discriminant, fitted on four fifths of the texts and asked about the rest,
        in turn; its area under the curve compares texts of the same fold. MMD is the unbiased estimate with a Gaussian
        kernel whose bandwidth is the median distance of the pooled texts. Frechet distances use covariances shrunken
        by the rule of Ledoit and Wolf, and stand beside the distance of two random halves of the in-domain texts,
        because they are above 0 in any finite sample (and higher in the halves, which are smaller). Distances between
        words, lengths and answers are above 0 as well: what random divisions of the same texts give on average is
        taken off in a second number. Each p-value is the share of random divisions of the pooled texts (parameter
        `divisions`), the real one counted, that give as large a value, classifiers being fitted anew; of labels and
        answers, as large a chi-square. p-values are corrected by Holm for the number of kinds compared. Texts that
        belong together are moved together, and never divided between fitting and testing. Intervals are linearised and
        cluster-robust; those of tested numbers exclude what chance gives only where the permutation test rejects at
        the same error rate. A word is unseen where no in-domain text holds it; an in-domain text is held against the
        others. For models that give scores the largest gap between cumulative shares (Kolmogorov-Smirnov) takes the
        place of total variation.

    Limits:
        A difference is no harm: a model may do as well on texts that are clearly different, and badly on texts that
        look the same, which shift.performance shows where there are labels. Large samples make small differences
        significant; look at the size, not only at the p-value. Classifier and distances see what the model's mean
        token representation holds and nothing else. The interval of the proxy A-distance takes the fitted classifiers
        as given. The permutation tests take clusters on both sides to be of like sizes. Words are told
        apart by spelling in small letters; numbers and web addresses are words like others. What the in-domain texts
        hold depends on how many there are. A difference in labels or answers may be a choice of how the data were
        collected.

    References:
        Lopez-Paz and Oquab 2017, Revisiting classifier two-sample tests, ICLR. Kim, Ramdas, Singh and Wasserman 2021,
        Annals of Statistics 49:411 (classifiers as two-sample tests). LeDell, Petersen and van der Laan 2015,
        Electronic J. Statistics 9:1583 (interval of a cross-validated AUC). Gretton et al. 2012, JMLR 13:723 (MMD).
        Ben-David et al. 2007, NIPS (proxy A-distance). Dowson and Landau 1982, J. Multivariate Analysis 12:450; Rippl,
        Munk and Sturm 2016, J. Multivariate Analysis 151:90 (Frechet distance). Ledoit and Wolf 2004, J. Multivariate
        Analysis 88:365. Endres and Schindelin 2003, IEEE Trans. Information Theory 49:1858 (Jensen-Shannon distance).
        Phipson and Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39 (permutation p-values). Holm 1979, Scandinavian J.
        Statistics 6:65. Rabanser, Guennemann and Lipton 2019, Failing loudly, NeurIPS (shift detection compared).
    """

    divisions: int = 1000
    """Random divisions of the texts that differences are judged against."""
    info: ClassVar[ProbeInfo]

    def __post_init__(self) -> None:
        if self.divisions < 100:
            raise UsageError(f"{ID}: divisions {self.divisions}", hint="at least 100 are needed for a p-value of 1 %")

    def run(self, model: EmbeddingClassifier, data: Sequence[Example], ctx: Context) -> Iterator[Record]:
        """Ask about all texts at once, then compare each domain with the in-domain items."""
        domains = Domains.of(data)
        kept, skips = domains.comparable()
        yield from accounting(domains, used=[domains.home, *kept] if kept else [])
        yield from skips
        nothing = no_others(domains)
        if nothing is not None:
            yield nothing
        if not kept:
            return
        items = Items.ask(model, [domains.home, *kept])
        facings = [items.facing(domain, ctx=ctx, divisions=self.divisions) for domain in kept]
        yield from tested(facings)
        yield from distances(items, facings, rng=ctx.generator("halves"))
        yield from ratios(items, facings)
        yield from _cases(model, facings, ctx)


Distance.info = ProbeInfo(
    id=ID,
    version=1,
    risk="shift",
    title="Distance from the in-domain texts",
    doc=ProbeDoc.parse(Distance.__doc__),
    calls=2,
    needs=frozenset({Capability.EMBED}),  # answers are compared where the model classifies
    domains=True,
    problems=frozenset(ProblemType),
)


def _cases(model: Model, facings: Sequence[Facing], ctx: Context) -> Iterator[Evidence]:
    """Random texts of the other kinds, then the ones of each that the classifier finds least like in-domain texts."""
    places = [(facing, row) for facing in facings for row in np.flatnonzero(facing.pair.other).tolist()]
    drawn = sorted(places, key=lambda place: ctx.rng("evidence", place[0].examples[place[1]].id).random())
    ordinary = drawn[: ctx.random_cases]
    for facing, row in ordinary:
        yield _case(model, facing, row, chosen="random", note=f"one of {facing.other.name}, drawn at random")
    shown = {facing.examples[row].id for facing, row in ordinary}
    ranked = ([(facing, row) for row in _unlike(facing) if facing.examples[row].id not in shown] for facing in facings)
    in_turn = [place for places in zip_longest(*ranked) for place in places if place is not None]
    for facing, row in in_turn[: ctx.worst_cases]:
        note = f"one of the texts of {facing.other.name} that a classifier finds least like the in-domain ones"
        yield _case(model, facing, row, chosen="worst", note=note)


def _unlike(facing: Facing) -> list[int]:
    """The other items, least like the in-domain ones first; none where no classifier could be fitted."""
    try:
        scores = facing.classifier.scores
    except UnmeasurableError:
        return []
    rows = np.flatnonzero(facing.pair.other).tolist()
    return sorted(rows, key=lambda row: (-scores[row], facing.examples[row].id))


def _case(model: Model, facing: Facing, row: int, *, chosen: Literal["random", "worst"], note: str) -> Evidence:
    example = facing.examples[row]
    answer, confidence = _answer(facing, row)
    return Evidence(
        example_id=example.id,
        chosen=chosen,
        shown=(Shown(texts=example.texts, answer=answer, confidence=confidence),),
        gold=gold_told(example, model),
        note=note,
        slice=facing.other.slice,
    )


def _answer(facing: Facing, row: int) -> tuple[str, float | None]:
    """What a classifier said of an item, and how sure it was of it."""
    if facing.answers is None:
        return NOT_ASKED, None
    answer = facing.answers[np.array([row])]
    return answer.names()[0], None if facing.regression else float(answer.confidence[0])
