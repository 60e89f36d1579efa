"""The probe that asks whether the model's own scores notice a text of another kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.measuring import measured, share
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Better, Measurement, Record, Skip, Unit
from probes.shift.domains import Domain, Domains, accounting, no_others
from probes.shift.ood.asked import Asked
from probes.shift.ood.cases import cases
from probes.shift.ood.detection import AUPR, AUROC, Detection
from probes.shift.ood.familiarity import Column, columns


@dataclass(frozen=True)
class OutOfDistribution:
    """Does the model notice by its own scores when a text is not of the kind it was made for?

    Measures:
        For each kind of text other than the audit's own (domain), and for each of six scores, how well the score tells
        its texts from in-domain ones. auroc: of a text of this kind and an in-domain one, how often the former looks
        less familiar; 1 is perfect. aupr: average precision in picking out the texts of this kind, to be read beside
        prevalence, their share among the texts compared, which is what chance gives. fpr_at_95_tpr: share of the
        in-domain texts that would be flagged by mistake if 95 % of the texts of this kind are to be caught. The scores:
        the probability of the answer (maximum softmax probability), the entropy of the probabilities, the lead of the
        answer over the next one, the energy of the logits, and for a model that gives embeddings the Mahalanobis
        distance to the in-domain texts and the distance to the nearest of them.

    Why it matters:
        A model in use meets texts it was not made for, and nobody tells it. A score that rises for such texts can hand
        them to a person. An AUROC near 0.5 means that the score looks the same on both: the model does not know that it
        does not know, and no threshold on this score will help. Well below 0.5, it is even surer of the strange texts.
        These numbers are evidence relevant to human oversight and to monitoring after release.

    Method:
        Every text is asked once. Texts of the other kind are the positive class. Energy is minus the logsumexp of the
        logits. Of label sets, the first score is averaged over the labels, entropy summed, the lead is that of the
        least sure label (from one half, doubled), and energy is the joint energy. The two distances are learned from
        one half of the in-domain texts, drawn by a hash, and compared on the other half and the texts of other kinds;
        whatever shares a cluster with the first half is left out. The Mahalanobis distance is that to the nearest mean
        of a label where all texts of the first half are labelled, with ten of each label, and to the mean of all
        otherwise; the title of the number says which. Its covariance is that around these means, shrunk by the amount
        of Ledoit and Wolf. The nearest-neighbour distance is that between directions of embeddings, to the tenth
        nearest. aupr is worked out at the same prevalence for all scores. Intervals of auroc and aupr are a cluster
        bootstrap over the texts of both sides (BCa, 2000), never narrower than the smaller side allows, for scores and
        prevalence as they are; that of fpr_at_95_tpr combines bounds of the threshold (order statistics of the texts of
        this kind) with exact bounds of the share flagged at it (MOVER). Each side needs 30 independent texts, for the
        distances therefore about 60 in-domain ones.

    Limits:
        Telling two kinds of text apart is not the same as knowing where the model is wrong: a kind may be easy to tell
        and answered well, or hard to tell and answered badly; shift.selective says what a threshold buys. With two
        labels the first three scores rank the texts alike. Each number is for one kind of text: a score that notices
        this kind may miss another. Texts of two kinds also differ in length and topic, which distances may notice
        rather than strangeness. The best of six scores, chosen by these numbers, looks better than it is. The threshold
        of fpr_at_95_tpr is set by the few texts that are hardest to tell, so its interval is wide, with fewer than 72
        texts of this kind up to 100 %, and covers more often than it says (97 to 100 % of simulated samples). Distances
        learned from more texts than half of these would tell more, and so may other layers than the last, whose
        averages the embeddings are.

    References:
        Hendrycks and Gimpel 2017, ICLR, arXiv:1610.02136 (maximum softmax probability, AUROC and AUPR). Liu et al.
        2020, NeurIPS, arXiv:2010.03759 (energy). Wang et al. 2021, NeurIPS, arXiv:2111.14818 (joint energy). Lee et al.
        2018, NeurIPS, arXiv:1807.03888 (Mahalanobis). Sun et al. 2022, ICML, arXiv:2204.06507 (nearest neighbours).
        Podolskiy et al. 2021, AAAI, arXiv:2101.03778 (Mahalanobis for transformers and text). Ledoit and Wolf 2004, J.
        Multivariate Analysis 88:365. Yang et al. 2022, NeurIPS, arXiv:2210.07242 (OpenOOD: texts of other kinds are the
        positive class). Efron 1987, JASA 82:171. Clopper and Pearson 1934, Biometrika 26:404. Zou and Donner 2008,
        Statistics in Medicine 27:1693 (MOVER).
    """

    neighbours: int = 10
    """The nearest in-domain text that counts, from the first on."""
    resamples: int = 2000
    """Of the bootstrap."""

    def __post_init__(self) -> None:
        if self.neighbours < 1 or self.resamples < 100:
            raise UsageError(
                f"shift.ood: neighbours {self.neighbours}, resamples {self.resamples}",
                hint="neighbours is a number from 1, resamples from 100",
            )

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="shift.ood",
            version=1,
            risk="shift",
            title="Noticing texts of another kind",
            doc=ProbeDoc.parse(type(self).__doc__),
            calls=2,
            domains=True,
        )

    def run(self, model: Any, data: Sequence[Example], ctx: Context) -> Iterator[Record]:
        """Yields, for each other domain, three measures of each score; then cases."""
        domains = Domains.of(data)
        # Asked before it is known whether the items suffice: a rehearsal on a few of them counts the questions.
        asked = Asked.ask(model, domains)
        compared, skips = asked.domains.comparable()
        yield from _accounted(domains, asked, compared)
        nothing = no_others(domains)
        if nothing is not None:
            yield nothing
        yield from skips
        if not compared:
            return
        scores, missing = columns(asked, neighbours=self.neighbours, ctx=ctx)
        yield from missing
        for domain in compared:
            yield from self._compared(asked, domain, scores, ctx)
        yield from cases(asked, compared, scores, ctx)

    def _compared(
        self, asked: Asked, domain: Domain, scores: Sequence[Column], ctx: Context
    ) -> Iterator[Measurement | Skip]:
        home, other = asked.within(asked.domains.home), asked.within(domain)
        rows = np.flatnonzero(home | other)
        clusters = [asked.clusters[row] for row in rows]
        prevalence = share(other[rows], clusters=clusters)
        detection = Detection(
            scores=np.column_stack([score.values[rows] for score in scores]),
            shifted=other[rows],
            clusters=clusters,
            rng=ctx.generator("resamples", domain.name),
            resamples=self.resamples,
        )
        yield measured(
            "prevalence",
            "share of the texts compared that are of this kind",
            lambda: prevalence,
            better=Better.CONTEXT,
            part=domain.slice,
        )
        for place, score in enumerate(scores):
            yield from _measures(detection, place, score, domain, prevalence=prevalence.value)


def _measures(
    detection: Detection, place: int, score: Column, domain: Domain, *, prevalence: float
) -> Iterator[Measurement | Skip]:
    part = {**domain.slice, "score": score.name}
    of = partial(partial, detection.estimate, place)
    yield measured(
        "auroc",
        f"how often a text of this kind looks less familiar than an in-domain one, by {score.phrase}",
        of(AUROC),
        better=Better.HIGHER,
        unit=Unit.SCORE,
        part=part,
    )
    yield measured(
        "aupr",
        f"average precision in picking out texts of this kind (by chance {prevalence:.2f})",
        of(AUPR),
        better=Better.HIGHER,
        unit=Unit.SCORE,
        part=part,
    )
    yield measured(
        "fpr_at_95_tpr",
        "in-domain texts flagged by mistake if 95 % of the texts of this kind are to be caught",
        partial(detection.false_alarms, place),
        better=Better.LOWER,
        part=part,
    )


def _accounted(domains: Domains, asked: Asked, compared: Sequence[Domain]) -> Iterator[Record]:
    used = [asked.domains.home, *compared] if compared else []
    for account in accounting(domains, used=used):
        name = account.slice["domain"]
        whole, left = (next(d for d in each if d.name == name) for each in (domains, asked.domains))
        lost = len(whole) - len(left)
        note = f"the model gave no finite answer to {lost}" if lost else ""
        yield account.model_copy(update={"note": note})
