"""The probe that carries a confidence threshold from the in-domain texts to other kinds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answers import Bools, ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.labelled import Labelled, cases, no_gold, outcomes
from probes.core.model import Classifier
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Evidence, Outcomes, Record, Skip, SkipReason
from probes.shift.domains import HOME, Domains, accounting, no_others, one_answer, too_few, unanswered
from probes.shift.halves import halves
from probes.shift.labelled import among, answered
from probes.shift.selective.judged import Judged
from probes.shift.selective.numbers import Numbers


@dataclass(frozen=True)
class Selective:
    """If unsure answers are left to people, does a threshold found on in-domain texts still hold on other kinds?

    Measures:
        threshold: the lowest confidence that is answered, so that on in-domain texts the share of wrong answers among
        those given is at most 100 %, 50 % or 25 % (targets) of what it is when all are answered. For in-domain texts
        and each other kind (domain), with each threshold: selective_risk, the share of wrong answers among those given,
        and abstention, the share of texts left to a person (all others are answered). selective_risk_added: by how much
        the former exceeds that on in-domain texts. For each other kind needed_abstention and needed_threshold: what it
        would take to answer it with no more errors than the in-domain texts have when all are answered. aurc: error
        rate among the k surest answers, averaged over k. Curve: error rate against the share answered, for each kind.

    Why it matters:
        A common safeguard is to let the model answer only where it is sure. The threshold is set on known texts; if
        confidence stays high on other texts while the answers get worse, the safeguard is silently gone: the errors
        pass, and nobody is asked. If confidence falls with the answers, it holds, and costs work. These numbers are
        evidence relevant to human oversight.

    Method:
        Every labelled text is asked once. Thresholds are chosen on one half of the in-domain texts, drawn by a hash of
        their clusters, and applied to the other half and to other kinds, without texts that share a cluster with the
        first half: no threshold is judged on texts that it was chosen on. Chosen is the lowest confidence at which the
        error rate of all answers as sure or surer is at most the target; a target below 100 % needs errors enough for
        one to remain. The target of 100 % answers everything as sure as the least sure in-domain text. Shares have
        Wilson intervals for the threshold as chosen; the difference combines those of its two sides (MOVER); thresholds
        and aurc a cluster bootstrap (BCa, 2000), where 1 stands for a threshold that nothing passes. The bounds of
        needed_abstention come from comparing the errors of the surest 5 %, 10 % and so on with the in-domain ones, all
        steps at once for the upper bound. A label set is answered or left as a whole, is right if it is exactly right,
        and its confidence is the mean over the labels.

    Limits:
        A threshold chosen on few errors is loose: selective_risk on the in-domain texts shows how far it misses its
        target even there. needed_abstention and needed_threshold use right answers of the other kind, which in use are
        missing, and needed_threshold is read off the same texts. The bounds of needed_abstention are wide and cover
        more often than they say (98 to 100 % of simulated samples). People who are asked are taken to be right, and
        their work counts by the text. Only the probability of the answer is used to decide; shift.ood says whether
        another score would notice these texts. A low error rate where almost nothing is answered is no success: read
        risk and abstention together. Not for scores (regression), where no confidence is given.

    References:
        Chow 1970, IEEE Trans. Information Theory 16:41 (reject option). El-Yaniv and Wiener 2010, JMLR 11:1605; Geifman
        and El-Yaniv 2017, NeurIPS, arXiv:1705.08500 (risk-coverage, threshold for a target risk). Kamath, Jia and Liang
        2020, ACL, arXiv:2006.09462 (selective answers under domain shift). Geifman et al. 2019, ICLR, arXiv:1805.08206
        (AURC). Wilson 1927, JASA 22:209. Zou and Donner 2008, Statistics in Medicine 27:1693 (MOVER). Efron 1987, JASA
        82:171 (BCa).
    """

    targets: tuple[float, ...] = (1.0, 0.5, 0.25)
    """Error rates to keep, as shares of the in-domain one, above 0 to 1."""
    resamples: int = 2000
    """Of the bootstrap."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "targets", tuple(self.targets))
        fit = all(0 < target <= 1 for target in self.targets) and len(set(self.targets)) == len(self.targets) > 0
        if not fit or self.resamples < 100:
            raise UsageError(
                f"shift.selective: targets {self.targets}, resamples {self.resamples}",
                hint="targets are different shares above 0 up to 1, resamples a number from 100",
            )

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="shift.selective",
            version=1,
            risk="shift",
            title="Leaving unsure answers to people",
            doc=ProbeDoc.parse(type(self).__doc__),
            gold=True,
            domains=True,
            problems=frozenset({ProblemType.SINGLE_LABEL, ProblemType.MULTI_LABEL}),
        )

    def run(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields accounting by domain, what cannot be compared and why, the numbers, cases and outcomes."""
        if model.card.problem is ProblemType.REGRESSION or len(model.card.labels) < 2:
            yield Skip(reason=SkipReason.WRONG_PROBLEM, detail="The model gives no probabilities of several answers.")
            return
        given, items = Domains.of(data), answered(model, data)
        chosen, free = _halves(items, ctx)
        compared, skips = _compared(given, items, free)
        yield from _accounted(given, compared)
        yield from skips
        if not compared:
            return
        home, *others = compared
        numbers = Numbers(
            home=home,
            chosen=chosen[among(items, home.items.examples)],
            others=others,
            targets=self.targets,
            generator=ctx.generator,
            resamples=self.resamples,
        )
        yield from numbers.records()
        everything = items[among(items, [example for each in compared for example in each.items.examples])]
        yield from _shown(everything, ctx)
        yield outcomes(everything)


def _halves(items: Labelled, ctx: Context) -> tuple[Bools, Bools]:
    home = np.array([not example.domain for example in items.examples], dtype=bool)
    return halves(items.clusters, home, ctx)


def _compared(given: Domains, items: Labelled, free: Bools) -> tuple[list[Judged], list[Skip]]:
    """The in-domain items and the `free` (n,) ones of each domain that can be compared, and why others cannot."""
    found, nothing = Domains.of(items.examples), no_others(given)
    if nothing is not None:
        return [], [nothing]
    if not len(found.home):
        return [], [no_gold()]
    domains, unfit = found.comparable()
    skips = [*unanswered(given, found), *unfit]
    home, *others = (Judged(each, items[among(items, each.examples)]) for each in (found.home, *domains))
    kept = []
    for judged in others:
        left = judged[free[among(items, judged.items.examples)]]
        skip = too_few(left.domain) or one_answer(judged.domain, judged.items.gold)
        if skip is None:
            kept.append(left)
        else:
            skips.append(skip)
    same = one_answer(home.domain, home.items.gold)
    return ([home, *kept] if kept and not same else []), [*skips, *([same] if same else [])]


def _accounted(given: Domains, compared: Sequence[Judged]) -> Iterator[Record]:
    """Items of other domains that share a cluster with the half that thresholds are chosen on are not scored."""
    used = {each.name: each.domain for each in compared}
    for account in accounting(given, used=list(used.values())):
        left = account.unscored if account.slice["domain"] in used else 0
        note = f"{left} without a right answer or a readable one, or among the texts that set the threshold"
        yield account.model_copy(update={"note": note if left else ""})


def _shown(items: Labelled, ctx: Context) -> Iterator[Evidence]:
    """Random cases of all domains, then the wrong answers given with the most confidence."""
    domain = {example.id: example.domain or HOME for example in items.examples}
    for case in cases(items, ctx, note=lambda row: "right" if items.correct[row] else "wrong"):
        yield case.model_copy(update={"slice": {"domain": domain[case.example_id]}})
