"""The probe that tests an explanation against the model it is said to explain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from probes.core.answers import Ints
from probes.core.attributions import GRADIENT, Jitter, Method
from probes.core.attributors import Attributor
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.model import Capability
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Outcomes, Record, Skip, SkipReason
from probes.explanation.explained import Explained, accounting
from probes.explanation.faithfulness import stability
from probes.explanation.faithfulness.cases import cases, outcomes
from probes.explanation.faithfulness.comparison_numbers import (
    agreement_numbers,
    randomisation_numbers,
    sensitivity_numbers,
    stability_numbers,
)
from probes.explanation.faithfulness.error_numbers import convergence_numbers, infidelity_numbers
from probes.explanation.faithfulness.numbers import curves, quantities, removal_numbers
from probes.explanation.faithfulness.randomisation import cascade
from probes.explanation.faithfulness.scored import account
from probes.explanation.faithfulness.tested import Tested
from probes.explanation.method import allowed, chosen_method, method_named, named, no_method
from probes.text.trials import regression_step

SECOND = (Method.FEATURE_ABLATION, Method.INTEGRATED_GRADIENTS, Method.KERNEL_SHAP)
"""What stands in for a second method that the network does not allow, or that gives the numbers of the first."""


@dataclass(frozen=True)
class Faithfulness:
    """Does the explanation say what the model really uses, and can it be relied on?

    Measures:
        Whether the words that an explanation puts first are those the answer hangs on: how far the answer falls when
        they are taken out (comprehensiveness), and when nothing else is left (sufficiency), at 5, 10, 20 and 50 % of
        the words and on average, against words picked at random and against a second method. Whether the scores add up
        to the answer (convergence) and to what taking words out does (infidelity). Whether they stand still under noise
        too small to see (max-sensitivity) and under edits that keep the meaning (stability), whether a second method
        agrees, and whether they are lost when the weights of the network are made random, as they must be.

    Why it matters:
        A coloured text looks convincing whether or not the model works that way; some methods draw the same picture
        for a network that has learned nothing. An explanation that fails here is decoration, and no decision, about the
        model or about a person, should lean on it.

    Method:
        Every item is explained by integrated gradients towards the answer given; of several labels at once, the most
        probable one. Words are ranked from the one that speaks most for the answer down, equal ones at random, and
        taken out of the text itself, at least one. The drop is that of the probability of the answer, or of the value
        of a regression in standard deviations of the values on all texts; for classifiers also of the log-odds. Random
        rankings are drawn three times and averaged; the second method leaves one word out at a time. Differences
        between rankings are paired by item. Infidelity uses the random removals: the mean squared difference between
        the sum of the scores of the words gone and the change of the logit, on the best scale that is not negative,
        divided by the mean squared change, so that 0 is perfect and 1 no better than scores of 0. Convergence: what the
        scores of a method that adds up miss of the difference between text and baseline, as a share of that difference,
        or of the largest score where scores cancel; in 16-bit types rounding counts too. Noise, edits and random
        weights are tried on 24 items: two draws of uniform noise on the embeddings, up to a twentieth of their standard
        deviation either way; contractions, contractions written out, no capitals and stray punctuation, where the
        answer did not change and the model did not read the same tokens as before; three copies of the network, with
        random weights in the output layer, in it and the upper half of the others, and everywhere, compared by the rank
        correlation of absolute scores. The wholly random copy is also asked how comprehensive the explanations of its
        own answers are: a model that does not exceed it has not learned to use some words more than others. Texts of
        one word, scores that are all equal and other cases without a meaning are counted and left out. Intervals
        cluster on the text; fewer than 10 texts give no number.

    Limits:
        An attribution describes what one model computes from one text. It is not causal, and not a reason that may be
        given to a person. Texts with words taken out are unlike what the model was trained on, so a drop mixes
        missing evidence with surprise; the random ranking is there to compare with. An answer that stands for the
        absence of something (not toxic, no topic) rests on no word, and falls little whatever is taken out: a low
        comprehensiveness then says nothing against the explanation. Agreement of two methods does not make either
        true. One random copy stands for all. Words beyond the length limit of the model are left out.
        Whether people understand the explanation is not measured.

    References:
        DeYoung et al. 2020, ERASER: A Benchmark to Evaluate Rationalized NLP Models, ACL.
        Samek et al. 2017, Evaluating the Visualization of What a Deep Neural Network Has Learned, IEEE TNNLS 28:2660.
        Shrikumar, Greenside and Kundaje 2017, Learning Important Features Through Propagating Activation Differences,
        ICML.
        Chen et al. 2019, L-Shapley and C-Shapley, ICLR.
        Yeh et al. 2019, On the (In)fidelity and Sensitivity of Explanations, NeurIPS, arXiv:1901.09392.
        Adebayo et al. 2018, Sanity Checks for Saliency Maps, NeurIPS, arXiv:1810.03292.
        Sundararajan, Taly and Yan 2017, Axiomatic Attribution for Deep Networks, ICML.
    """

    info: ClassVar[ProbeInfo]

    method: Method = Method.INTEGRATED_GRADIENTS
    """What is tested."""
    second: Method = Method.FEATURE_ABLATION
    """What it is compared with."""
    few: int = 24
    """Items that are explained again and again: with noise, edited, and by networks with random weights."""
    draws: int = 3
    """Random rankings of each text."""
    noises: int = 2
    """Draws of noise."""
    radius: float = 0.05
    """Half width of the noise, in standard deviations of the embedding table."""
    edits: tuple[str, ...] = ("contractions", "expansions", "lower_case", "punctuation_added")
    """Edits that keep the meaning."""
    resamples: int = 2000

    def __post_init__(self) -> None:
        if min(self.few, self.draws, self.noises, self.resamples) < 1 or self.radius <= 0:
            raise UsageError(
                "explanation.faithfulness: few, draws, noises, resamples or radius",
                hint="the first four are whole numbers from 1 up, the radius is above 0",
            )
        if not set(self.edits) <= set(stability.EDITS):
            raise UsageError(
                f"explanation.faithfulness: edits {self.edits!r}", hint=f"edits are of {', '.join(stability.EDITS)}"
            )
        for name in ("method", "second"):
            object.__setattr__(self, name, method_named(getattr(self, name), probe="explanation.faithfulness"))
        object.__setattr__(self, "edits", tuple(self.edits))  # a list, as read from YAML

    def run(self, model: Attributor, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Explain every item once by two methods, and a few of them again and again."""
        method = chosen_method(model.card, self.method)
        if method is None:
            yield from no_method(model.card, self.method, total=len(data))
            return
        items = Explained.ask(model, data, method=method)
        yield accounting(items, asked=self.method)
        if not len(items):
            yield Skip(reason=SkipReason.TOO_FEW, detail="There is no text that could be explained.")
            return
        second = allowed(model.card, *(each for each in (self.second, *SECOND) if named(each) != named(method)))
        tested = Tested.ask(model, items, second=second, draws=self.draws, ctx=ctx)
        yield from self._whole(tested, ctx)
        yield from self._again(model, tested, ctx)
        yield from cases(items, tested.drop, tested.lead, ctx)
        yield outcomes(items, tested.drop)

    def _whole(self, tested: Tested, ctx: Context) -> Iterator[Record]:
        """What is measured on all items."""
        items, others, regression = tested.items, tested.others, tested.regression
        clusters, judged = items.clusters, quantities(regression=regression)
        yield account("words taken out", tested.drop)
        yield from removal_numbers(
            tested.own, tested.chance, tested.other, clusters=clusters, judged=judged, family=self.info.id
        )
        rankings = [each for each in (tested.own, tested.chance, tested.other) if each is not None]
        yield from curves(rankings, clusters=clusters, judged=judged[:2])
        if regression:
            detail = "A regression has no odds."
            yield Skip(reason=SkipReason.WRONG_PROBLEM, detail=detail, name="log_odds_drop")
        yield from infidelity_numbers(items, others, tested.at_random, second=tested.second)
        yield from convergence_numbers(items, rng=ctx.generator("delta"), resamples=self.resamples)
        if tested.second is None or others is None:
            detail = "The network allows no second method to compare with."
            yield Skip(reason=SkipReason.NO_CAPABILITY, detail=detail, name="agreement")
        else:
            yield from agreement_numbers(items, others, second=tested.second)

    def _again(self, model: Attributor, tested: Tested, ctx: Context) -> Iterator[Record]:
        """What needs explanations made again, on a few items drawn by their id."""
        rows = _drawn(tested.items, self.few, ctx)
        few = tested.items.take(rows)
        yield from self._noise(model, few, ctx)
        copies = cascade(
            model, few, seed=ctx.rng("randomised").getrandbits(31), ties=lambda key: ctx.generator("ties", key)
        )
        own = [tested.drop[row] for row in rows]
        yield from randomisation_numbers(few, own, copies, regression=tested.regression)
        step = regression_step(tested.items.answers)
        yield from stability_numbers(stability.ask(model, few, self.edits, seed=ctx.seed, step=step))

    def _noise(self, model: Attributor, few: Explained, ctx: Context) -> Iterator[Record]:
        if few.method not in GRADIENT:
            detail = f"Noise on the embeddings is for methods that take gradients, which {named(few.method)} does not."
            yield Skip(reason=SkipReason.NO_CAPABILITY, detail=detail, name="max_sensitivity")
            return
        texts = [example.text for example in few.examples]
        jitters = [
            Jitter(radius=self.radius, seed=ctx.rng("noise", draw).getrandbits(31)) for draw in range(self.noises)
        ]
        moved = [model.attribute(texts, few.targets, method=few.method, jitter=jitter) for jitter in jitters]
        yield from sensitivity_numbers(few, moved)


Faithfulness.info = ProbeInfo(
    id="explanation.faithfulness",
    version=2,
    risk="explanation",
    title="Can the explanation be trusted",
    doc=ProbeDoc.parse(Faithfulness.__doc__),
    calls=130,
    needs=frozenset({Capability.CLASSIFY, Capability.ATTRIBUTE}),
)


def _drawn(items: Explained, few: int, ctx: Context) -> Ints:
    """Positions of at most so many items, decided by their ids."""
    drawn = sorted(range(len(items)), key=lambda row: ctx.rng("few", items.examples[row].id).random())
    return np.array(sorted(drawn[:few]), dtype=np.int64)
