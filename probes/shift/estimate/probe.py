"""The probe that estimates how often the model is right on data of other kinds without their right answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.model import Classifier
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Record
from probes.shift.domains import Domains, no_others
from probes.shift.estimate.accounts import account, accounts
from probes.shift.estimate.answered import Answered, ask
from probes.shift.estimate.cases import cases
from probes.shift.estimate.comparison import Comparison
from probes.shift.estimate.fitness import unfit
from probes.shift.estimate.numbers import accuracy, curve, numbers
from probes.shift.estimate.trust import trusted


@dataclass(frozen=True)
class Estimation:
    """How often is the model right on texts of another kind, as far as that can be told without right answers?

    Measures:
        For each domain the accuracy estimated from the labelled in-domain texts and the model's answers on both, in
        several ways: average thresholded confidence, difference of confidences, calibrated confidence, reweighted
        in-domain items. One of them is trusted, and gives the accuracy that is probably lost against the in-domain
        texts, unless right answers of the domain refute it. Where these are known, the true accuracy and how far each
        estimate is from it.

    Why it matters:
        A model meets texts for which nobody has written down the right answers, and its accuracy there is what decides
        whether it can be used. An estimate is weaker evidence than labelled texts, and better than supposing that all
        stays as it was.

    Method:
        Average thresholded confidence: the threshold leaves as large a share of the in-domain texts below as the model
        gets wrong; the estimate is the share of the other texts above. With more than two answers, also with negative
        entropy in place of confidence; with two, both sort texts alike. Difference of confidences: in-domain accuracy
        plus the change in mean confidence. These use the probabilities as the model gives them. Calibrated confidence:
        mean confidence after temperature scaling on the in-domain right answers. Reweighted in-domain items
        (Mandoline): each in-domain text is weighted by an estimated ratio of densities, log-linear in bins of length
        and of confidence, the answer given, and whether the text holds a digit, an address, handle or hashtag, a
        question mark, an exclamation mark, a word in capitals or a word that negates or contrasts; the estimate is the
        weighted accuracy, refused when the weighted texts are worth fewer than 30 equally weighted ones (Kish).
        Intervals are a cluster bootstrap of both samples together (BCa, small-sample rules of the smaller sample):
        threshold, temperature and weights are found anew on each resample, the bins and the properties are not. The
        trusted estimate of a domain is the one with the smallest mean absolute error over the other domains whose true
        accuracy is known, if there are at least two. Otherwise it is average thresholded confidence, the best in most
        comparisons of Garg et al. (2022). The right answers of the domain itself play no part in the choice. In-domain
        texts without right answers are not used.

    Limits:
        Every estimate rests on an assumption that cannot be checked without right answers, and its interval covers
        chance in the two samples only, not a failure of the assumption. Average thresholded confidence supposes that
        one threshold on confidence parts right from wrong answers in equal measure in both domains. Difference of
        confidences supposes that the model is over-confident by the same amount in both. Calibrated confidence supposes
        that probabilities that fit in-domain fit elsewhere. Reweighting supposes that texts alike in the properties
        above are answered equally well in both domains, and that the in-domain texts include some of each kind. These
        may hold where the kinds of texts differ but the same text has the same right answer (covariate shift), and even
        then need not: a threshold misses where errors are spread otherwise over the range of confidence. None holds
        where the meaning of the labels or the way of labelling differs (concept shift, label noise), or where the
        model is sure of itself on texts unlike any it has learned from; the estimates are then usually too high. The
        choice of the trusted estimate among a few domains is itself uncertain, and where they share texts (which
        shift.overlap counts) right answers of the domain itself take part in it. Only for models that give one label to
        each text: not for label sets or scores.

    References:
        Garg et al. 2022, Leveraging Unlabeled Data to Predict Out-of-Distribution Performance, ICLR, arXiv:2201.04234.
        Guillory et al. 2021, Predicting with Confidence on Unseen Distributions, ICCV, arXiv:2107.03315. Guo et al.
        2017, On Calibration of Modern Neural Networks, ICML. Chen et al. 2021, Mandoline, ICML, arXiv:2107.00643.
        Tsuboi et al. 2009, J. Information Processing 17:138 (log-linear density ratio). Kish 1965, Survey Sampling.
        Efron 1987, JASA 82:171 (BCa).
    """

    resamples: int = 2000
    """Of the bootstrap, 100 or more."""
    penalty: float = 0.01
    """On the squared coefficients of the density ratio; larger is smoother."""
    info: ClassVar[ProbeInfo]

    def __post_init__(self) -> None:
        if self.resamples < 100 or self.penalty <= 0:
            raise UsageError(
                f"shift.estimate: resamples {self.resamples}, penalty {self.penalty}",
                hint="resamples is a number from 100, penalty one above 0",
            )

    def run(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record]:
        """Yields the estimates and errors of each domain, a curve, what was counted, and cases."""
        domains = Domains.of(data)
        # Asked before it is known whether the items suffice: a rehearsal on a few of them counts the questions.
        asked = ask(model, domains)
        home = asked[0][asked[0].known]
        comparable, skips = Domains(asked[0].domain, tuple(each.domain for each in asked[1:])).comparable()
        reason = no_others(domains) or unfit(home)
        if reason is not None:
            yield from (account(each, scored=0) for each in asked)
            yield reason
            return
        names = {domain.name for domain in comparable}
        comparisons = [self._comparison(home, each, ctx) for each in asked[1:] if each.name in names]
        errors = {
            each.other.name: {name: each.error(name) for name in each.estimators}
            for each in comparisons
            if each.truth_known
        }
        trust = {each.other.name: trusted(each.other.name, errors, usable=each.estimators) for each in comparisons}
        yield from accounts(asked, home, comparisons, trust)
        yield from skips
        yield accuracy(home)
        for each in comparisons:
            yield from numbers(each, trust[each.other.name])
        yield from curve([each for each in comparisons if each.truth_known], trust)
        yield from cases([each.other for each in comparisons], ctx)

    def _comparison(self, home: Answered, other: Answered, ctx: Context) -> Comparison:
        rng = ctx.generator("bootstrap", other.name)
        return Comparison(home, other, rng=rng, resamples=self.resamples, penalty=self.penalty)


Estimation.info = ProbeInfo(
    id="shift.estimate",
    version=2,
    risk="shift",
    title="Accuracy elsewhere without right answers",
    doc=ProbeDoc.parse(Estimation.__doc__),
    gold=True,
    domains=True,
    problems=frozenset({ProblemType.SINGLE_LABEL}),
)
