"""The probe that compares how sure the model is with how often it is right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from probes.core.answers import ProblemType
from probes.core.confidence import Decisions, equal_mass, equal_width
from probes.core.confidence_curves import reliability, risk_coverage
from probes.core.confidence_numbers import PER_BIN, ConfidenceNumbers, decisions_of
from probes.core.examples import Example
from probes.core.labelled import Labelled, accounting, cases, no_gold
from probes.core.measuring import measured, share
from probes.core.model import Classifier
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Better, Measurement, Outcomes, Record, Skip, SkipReason, Unit


@dataclass(frozen=True)
class Calibration:
    """When the model says it is 90 % sure, is it right 9 times out of 10, and do its doubts point at its errors?

    Measures:
        ece: mean distance between confidence and share of right answers over 15 bins of equal width; ece_equal_mass:
        the same over up to 15 bins with equally many answers; ece_debiased: root mean square distance over the latter,
        without what chance alone puts there, 0 where nothing is left. confidence_gap: mean confidence minus accuracy,
        positive for an over-confident model. overconfidence_rate: share of the wrong answers given with more than 90 %
        confidence. underconfidence_rate: share of the right answers whose runner-up came within 10 points. brier: sum
        over the labels of squared errors of the probabilities, 0 to 2. nll: negative log-likelihood in nats. aurc:
        error rate among the k surest answers, averaged over k. Curves: reliability diagram, and error rate against the
        share of items answered when the unsure ones are left to people.

    Why it matters:
        A probability that people or programs act on must mean what it says; an over-confident model gives no warning of
        its errors, and leaving unsure cases to a person helps only if doubt goes with error. These numbers are evidence
        relevant to human oversight.

    Method:
        The confidence is the probability of the answer given; with label sets, of each decision whether a label
        applies. Bins are open below and closed above, and fixed before resampling; equal confidences share a bin. Each
        equal-mass bin has at least about 20 independent items. ece_debiased averages products over pairs of independent
        items in a bin, whose expectation is the squared distance, and takes the root. Probabilities below 1e-12 count
        as 1e-12 in nll. Equally confident answers count in random order in aurc, and are kept or left together in the
        curve. Rates have Wilson intervals, the other numbers a cluster bootstrap (BCa, 2000). The lower bounds of ece
        and ece_equal_mass are lowered by what a perfectly calibrated model would show by chance. Where all answers are
        right (or all wrong), the interval also covers what would be seen if the errors that could have been missed were
        spread evenly, the runner-up being right.

    Limits:
        ece and ece_equal_mass are never below 0 and therefore too large for a well calibrated model, the more so the
        fewer the items (a few hundred are needed); their lower bounds allow for it, their values do not: read
        ece_debiased for what exceeds chance. Only the probability of the answer given is looked at, not that of other
        labels. Differences within a bin may cancel. With label sets most decisions are easy "no"s, which make the
        figures look good. What holds for these items need not hold elsewhere: confidence is often too high on other
        domains. Risk by coverage and aurc are given for single labels only, as an item is not left to a person label by
        label.

    References:
        Naeini et al. 2015, AAAI; Guo et al. 2017, ICML (ECE, reliability diagram). Nixon et al. 2019, CVPR workshops
        (equal mass). Bröcker 2012, Climate Dynamics 39:655; Kumar et al. 2019, NeurIPS; Lee et al. 2023, JMLR 24:335
        (debiasing). Roelofs et al. 2022, AISTATS (bias of ECE). Brier 1950, Monthly Weather Review 78:1. Geifman and
        El-Yaniv 2017, NeurIPS (risk-coverage). Wilson 1927, JASA 22:209. Efron 1987, JASA 82:171.
    """

    bins: int = 15
    confident: float = 0.9
    close: float = 0.1
    resamples: int = 2000

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="performance.calibration",
            version=1,
            risk="performance",
            title="Calibration of confidence",
            doc=ProbeDoc.parse(type(self).__doc__),
            gold=True,
            problems=frozenset({ProblemType.SINGLE_LABEL, ProblemType.MULTI_LABEL}),
        )

    def run(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields measurements, two curves and cases; the outcomes of the items are those of `Quality`."""
        if model.card.problem is ProblemType.REGRESSION or len(model.card.labels) < 2:
            yield Skip(reason=SkipReason.WRONG_PROBLEM, detail="The model gives no probabilities of several answers.")
            return
        items = Labelled.ask(model, data)
        yield accounting(items)
        if not len(items):
            yield no_gold()
            return
        decisions = decisions_of(items)
        numbers = ConfidenceNumbers(
            decisions=decisions, clusters=items.clusters, generator=ctx.generator, resamples=self.resamples
        )
        yield from self._distances(numbers)
        yield from self._rates(decisions)
        yield from _losses(numbers, single=items.problem is ProblemType.SINGLE_LABEL)
        yield reliability(decisions, bins=self.bins)
        if items.problem is ProblemType.SINGLE_LABEL:
            yield risk_coverage(decisions)
        yield from cases(items, ctx, note=lambda row: "right" if items.correct[row] else "wrong")

    def _distances(self, numbers: ConfidenceNumbers) -> Iterator[Measurement | Skip]:
        lower = partial(measured, better=Better.LOWER, unit=Unit.DIFFERENCE)
        width = partial(numbers.distance, "ece", equal_width(self.bins))
        yield lower("ece", f"distance between confidence and share right over {self.bins} bins of equal width", width)
        independent = len(set(numbers.clusters))
        bins = min(self.bins, independent // PER_BIN)
        if bins >= 2:
            edges = equal_mass(numbers.decisions.confidence, bins=bins)
            title = f"distance between confidence and share right over {len(edges) + 1} bins of equal mass"
            yield lower("ece_equal_mass", title, partial(numbers.distance, "ece_equal_mass", edges))
            yield lower("ece_debiased", f"{title}, beyond chance", partial(numbers.debiased, edges))
        else:
            yield from _too_few_for_bins(independent)
        title = "mean confidence minus accuracy (positive: over-confident)"
        yield measured("confidence_gap", title, numbers.gap, better=Better.CONTEXT, unit=Unit.DIFFERENCE)

    def _rates(self, decisions: Decisions) -> Iterator[Measurement | Skip]:
        right = decisions.correct
        sure, hesitant = decisions.confidence > self.confident, decisions.margin < self.close
        yield measured(
            "overconfidence_rate",
            f"share of the wrong answers given with more than {self.confident:.0%} confidence",
            lambda: share(sure, among=~right, clusters=decisions.clusters, of="wrong answer"),
            better=Better.LOWER,
        )
        yield measured(
            "underconfidence_rate",
            f"share of the right answers whose runner-up came within {self.close * 100:.0f} points",
            lambda: share(hesitant, among=right, clusters=decisions.clusters, of="right answer"),
            better=Better.LOWER,
        )


def _losses(numbers: ConfidenceNumbers, *, single: bool) -> Iterator[Measurement | Skip]:
    lower = partial(measured, better=Better.LOWER, unit=Unit.SCORE)
    title = "Brier score: squared error of the probabilities, summed over labels (0 to 2)"
    yield lower("brier", title, numbers.brier)
    yield lower("nll", "negative log-likelihood of the right answer, in nats", numbers.nll)
    title = "error rate among the surest answers, averaged over coverage (AURC)"
    if single:
        yield lower("aurc", title, numbers.aurc)
    else:
        detail = f"{title}: an item is not left to a person label by label."
        yield Skip(reason=SkipReason.WRONG_PROBLEM, detail=detail, name="aurc")


def _too_few_for_bins(independent: int) -> Iterator[Skip]:
    for name in ("ece_equal_mass", "ece_debiased"):
        detail = f"{name}: {independent} independent items are too few for two bins of {PER_BIN}."
        yield Skip(reason=SkipReason.TOO_FEW, detail=detail, enable="add labelled items", name=name)
