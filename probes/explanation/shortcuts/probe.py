"""Words that the model leans on more than the right answers justify, found on one half and tested on the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from probes.core.answers import Bools, ProblemType
from probes.core.attributions import Method
from probes.core.attributors import Attributor
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.model import Capability
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Outcomes, Record, Skip, SkipReason
from probes.core.sampling import stratified
from probes.core.stats.derived import FEW
from probes.explanation.explained import Explained, accounting
from probes.explanation.method import chosen_method, method_named, no_method
from probes.explanation.shortcuts.candidates import Search, search
from probes.explanation.shortcuts.cases import cases, outcomes
from probes.explanation.shortcuts.findings import Finding
from probes.explanation.shortcuts.held import Held
from probes.explanation.shortcuts.interventions import deletions, insertions
from probes.explanation.shortcuts.numbers import none_found, of_all, of_word

MOST = 20
"""More candidates could not be corrected for with the bounds on record."""


@dataclass(frozen=True)
class Shortcuts:
    """Does a single word turn the model's answers although the right answers give no reason for it?

    Measures:
        For at most ten suspicious words: how hard an occurrence pushes, in how many texts it stands, how much commoner
        the label is among texts that hold it (association with the right labels), and what happens when it is put into
        texts that lack it or taken out of texts that hold it: the change of the label's probability and the share of
        answers that turn, both beyond what control words do. Of the whole: the largest share of answers that one word
        turns when it is put in, among all words tested, and among those that the right labels do not justify.

    Why it matters:
        A model that has learned that a place, a name or a template phrase goes with an answer is right for the wrong
        reason: it looks accurate on data like its training data, fails on others, and is easily gamed.

    Method:
        At most 2000 texts are explained towards the answer they got. One half of the independent texts, drawn by a
        hash, is searched and the other half is kept apart. In the searched half a candidate stands in at least five
        independent texts with that answer, pushes harder than half of the words, and is ranked by its mean push per
        text times the part that the right labels leave unexplained: 1 - (P(label | word) - P(label)) / (1 - P(label)),
        cut to 0 to 1. All numbers shown are from the half kept apart. Insertion: at the start or, in every other one,
        at the end of at most 100 texts that lack the word and have another answer (of a pair, of the first text), minus
        the mean over three control words of similar frequency and length from the quieter half of the vocabulary, put
        in likewise. Deletion: all its occurrences are taken out of at most 100 texts with that answer, minus what
        taking out as many quiet words of the same text does. A word is confirmed when it pushes on the texts kept apart
        too (95 % interval above 0) and the lower bound of its insertion effect is above one percentage point at an
        error rate of 5 % divided by the number of candidates. The right labels agree with a word when the whole 95 %
        interval of its association is above 0; they do not explain it when the interval is below 0, or holds 0 and ends
        below what insertion does to the probability; otherwise there are too few to tell. Means have cluster-robust t
        intervals, the association Newcombe's; the largest flip rates have simultaneous lower bounds (max-t). In the
        second of them a word that the right labels justify counts 0, and words of which they cannot tell are left out.
        Without right labels the association is with the model's own answers, and says nothing about justification.

    Limits:
        An attribution describes what one model computes from one text. It is not causal, and not a reason that may be
        given to a person; only insertion and deletion test an effect, and only that of a single word in a place where
        it may not make sense. Texts with words put in or taken out are unlike what the model was trained on, which the
        control words allow for only in part. A word that rightly counts ("awful") turns answers too: the right labels
        say whether it is justified by these data, never whether it ought to be, and with many texts even a weak
        association counts as agreement: compare it with what insertion does. Phrases, word order, layout and the
        subject of a text can be shortcuts too and are not tested, nor are punctuation, rare words, and words that
        matter only together. An empty list is no proof that there are no shortcuts. Texts longer than the model reads
        are left out of the insertions. Scores (regression) have no answers to turn and are not tested.

    References:
        Geirhos et al. 2020, Shortcut Learning in Deep Neural Networks, Nature Machine Intelligence 2:665. Gardner et
        al. 2021, Competency Problems, EMNLP. Wang et al. 2022, Identifying and Mitigating Spurious Correlations for
        Improving Robustness in NLP Models, Findings of NAACL. Wallace et al. 2019, Universal Adversarial Triggers,
        EMNLP. Newcombe 1998, Statistics in Medicine 17:873. Westfall and Young 1993, Resampling-Based Multiple Testing.
    """

    method: Method = Method.INTEGRATED_GRADIENTS
    """How texts are explained."""
    minimum: int = 5
    """Independent texts of the searched half that must hold a word."""
    most: int = 10
    """Words that are tested, 1 to MOST."""
    controls: int = 3
    """Control words for each."""
    trials: int = 100
    """Texts that a word is put into, and taken out of, at most."""
    items: int = 2000
    """Texts that are explained at most."""
    resamples: int = 2000
    """Of the bootstrap for the largest flip rate."""
    info: ClassVar[ProbeInfo]

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", method_named(self.method, probe="explanation.shortcuts"))
        if not 1 <= self.most <= MOST or self.minimum < 2 or min(self.controls, self.items) < 1 or self.trials < FEW:
            raise UsageError(
                "explanation.shortcuts: parameters",
                hint=f"most is a number from 1 to {MOST}, minimum from 2, controls and items from 1, trials from {FEW}",
            )

    def run(self, model: Attributor, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Search one half, then test on the other."""
        method = chosen_method(model.card, self.method)
        if method is None:
            yield from no_method(model.card, self.method, total=len(data))
            return
        items = Explained.ask(model, stratified(data, limit=self.items, seed=ctx.seed), method=method)
        searched = searched_half(items, ctx)
        found = self._searched(items.take(np.flatnonzero(searched)))
        held = _held(items, ~searched, ctx)
        findings = self._tested(model, held, found)
        note = _note(found, findings, searched)
        yield accounting(items, asked=self.method, total=len(data), note=note)
        if not findings:
            yield from none_found(known=held.graded) if len(items) else [_no_items()]
            return
        yield from of_all(findings, rng=ctx.generator("largest"), resamples=self.resamples)
        for finding in findings:
            yield from of_word(finding)
        yield from cases(model, findings, ctx)
        yield outcomes(findings)

    def _searched(self, items: Explained) -> Search:
        return search(items, minimum=self.minimum, most=self.most, controls=self.controls)

    def _tested(self, model: Attributor, held: Held, found: Search) -> list[Finding]:
        put_in = insertions(model, held, found.candidates, limit=self.trials)
        taken_out = deletions(model, held, found.candidates, quiet=found.quiet, limit=self.trials)
        findings = [
            Finding(candidate=each, held=held, insertion=put, deletion=taken, tried=len(found.candidates))
            for each, put, taken in zip(found.candidates, put_in, taken_out, strict=True)
        ]
        return sorted(findings, key=lambda finding: finding.rank)


Shortcuts.info = ProbeInfo(
    id="explanation.shortcuts",
    version=2,
    risk="explanation",
    title="Suspicious words",
    doc=ProbeDoc.parse(Shortcuts.__doc__),
    calls=90,
    needs=frozenset({Capability.CLASSIFY, Capability.ATTRIBUTE}),
    problems=frozenset({ProblemType.SINGLE_LABEL, ProblemType.MULTI_LABEL}),
)


def searched_half(items: Explained, ctx: Context) -> Bools:
    """(n,): is an item in the half that is searched; items of one cluster are in the same half."""
    coin = {cluster: ctx.rng("half", cluster).random() < 0.5 for cluster in set(items.clusters)}
    return np.array([coin[cluster] for cluster in items.clusters], dtype=bool)


def _held(items: Explained, kept: Bools, ctx: Context) -> Held:
    part = items.take(np.flatnonzero(kept))
    drawn = [ctx.rng("trial", example.id).random() for example in part.examples]
    return Held(items=part, order=np.argsort(np.argsort(drawn, kind="stable"), kind="stable").astype(np.int64))


def _note(found: Search, findings: Sequence[Finding], searched: Bools) -> str:
    if not found.considered:
        return ""
    if not findings:
        return f"{found.considered} words considered on {int(searched.sum())} items; none qualified for a test"
    confirmed = [finding for finding in findings if finding.confirmed]
    unjustified = sum(finding.justified.suspicious for finding in confirmed)
    return (
        f"{found.considered} words considered on {int(searched.sum())} items, {len(findings)} tested on the other "
        f"{int((~searched).sum())}: {len(confirmed)} confirmed, {unjustified} of them not explained by right labels"
    )


def _no_items() -> Skip:
    return Skip(reason=SkipReason.TOO_FEW, detail="There is no item to explain.")
