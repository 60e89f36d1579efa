"""Cases in which each word is shown with its share in the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core import stats
from probes.core.answers import Floats, ProblemType
from probes.core.attributions import Method
from probes.core.attributors import Attributor
from probes.core.errors import UsageError
from probes.core.examples import Example, Text
from probes.core.measuring import measured
from probes.core.model import Capability
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import (
    Accounting,
    Better,
    Estimate,
    Evidence,
    Measurement,
    Outcomes,
    Record,
    Skip,
    SkipReason,
)
from probes.core.stats.derived import UnmeasurableError
from probes.explanation.examples.changed import identity_swaps, typing_slips
from probes.explanation.examples.picked import RANDOM, Case, asked, extremes, ordinary
from probes.explanation.explained import Explained, gold_of, shown, unread
from probes.explanation.method import chosen_method, instead, method_named, named, no_method

CLOSE = 0.01
"""Largest error of the sum of the weights, as a share of the difference it should be."""
TOP = 3
"""Words whose share of the weight is told; of texts with more words."""


@dataclass(frozen=True)
class Examples:
    """What pushed the answer in a few cases that a reader should see?

    Measures:
        Nothing about the model as a whole: it shows cases. Each word of a text is given its weight: how far it pushed
        the score of the answer given, up or down. For the texts shown, the share whose weights add up as they should,
        to 1 %, and how much of all weight the three heaviest words of a text carry.

    Why it matters:
        A reviewer who sees what an answer hangs on can say whether that is a sensible thing to hang on: a right answer
        for a wrong reason does not show in any number of right answers. Evidence relevant to transparency duties.

    Method:
        The cases are chosen by rule, not by hand: drawn at random; the most confident right and wrong answers; the
        answers closest to another one; a text whose answer changes under typing slips (neighbouring keys, severity 2),
        the largest loss of confidence first; and a text whose score moves most when another group of people is named.
        The last two are explained before and after. Of each kind a few, each from another text; a text may serve two
        kinds. Integrated gradients explain the logit of the answer given (of several labels the most probable one; of a
        score the value itself), compared with a text of the same length without words; a word's weight is the sum over
        its tokens. Where the network does not allow the method asked for, integrated gradients or else occlusion stand
        in, and the note on the items says so.

    Limits:
        An attribution describes what one model computes from one text. It is not causal, and not a reason that may be
        given to a person. A few cases show what can happen, never how often. Weights depend on the method and on what a
        text is compared with; another choice gives other weights, and two words that only count together share theirs.
        Whether the weights can be relied on is asked by the probe of faithfulness, not here. Swaps are tried with a few
        groups of each axis, in English.

    References:
        Sundararajan, Taly and Yan 2017, Axiomatic Attribution for Deep Networks, ICML. Zeiler and Fergus 2014,
        Visualizing and Understanding Convolutional Networks, ECCV. Jacovi and Goldberg 2020, Towards Faithfully
        Interpretable NLP Systems, ACL. Garg et al. 2019, Counterfactual Fairness in Text Classification through
        Robustness, AIES.
    """

    method: Method = Method.INTEGRATED_GRADIENTS
    """How texts are explained."""
    each: int = 2
    """Cases of each kind."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", method_named(self.method, probe="explanation.examples"))
        if self.each < 1:
            raise UsageError(f"explanation.examples: each={self.each!r}", hint="each is a number from 1 up")

    @cached_property
    def info(self) -> ProbeInfo:
        """Identity, documentation and cost."""
        return ProbeInfo(
            id="explanation.examples",
            version=1,
            risk="explanation",
            title="Explained examples",
            doc=ProbeDoc.parse(type(self).__doc__),
            calls=2.5,
            needs=frozenset({Capability.CLASSIFY, Capability.ATTRIBUTE}),
        )

    def run(self, model: Attributor, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Choose the cases, explain all of them in one bulk, show them."""
        method = chosen_method(model.card, self.method)
        if method is None:
            yield from no_method(model.card, self.method, total=len(data))
            return
        items = asked(model, data)
        if not len(items):
            yield Accounting(eligible=len(data), scored=0, unscored=len(data))
            yield Skip(reason=SkipReason.TOO_FEW, detail="There is no item with an answer to explain.")
            return
        found = [
            *ordinary(items, each=self.each, ctx=ctx),
            *extremes(items, each=self.each),
            *typing_slips(model, items, each=self.each, ctx=ctx),
            *identity_swaps(model, items, card=model.card, each=self.each, ctx=ctx),
        ]
        cases = [each for each in found if isinstance(each, Case)]
        explained = _explain(model, cases, method=method)
        yield self._accounting(explained, eligible=len(data), unscored=len(data) - len(items))
        yield from (each for each in found if isinstance(each, Accounting))
        yield _complete(explained)
        yield _concentrated(explained)
        yield from _evidence(cases, explained, harm=model.card.positive.harm)
        yield from (each for each in found if isinstance(each, Skip))

    def _accounting(self, explained: Explained, *, eligible: int, unscored: int) -> Accounting:
        told = [
            f"{len(explained)} texts explained by {named(explained.method)}",
            instead(explained.method, asked=self.method),
        ]
        if explained.unscored:
            told.append(f"{explained.unscored} could not be: no word of them was read")
        told.append(unread(explained.attributions))
        return Accounting(
            eligible=eligible,
            scored=len(set(explained.clusters)),
            unscored=unscored,
            note="; ".join(part for part in told if part),
        )


def _explain(model: Attributor, cases: Sequence[Case], *, method: Method) -> Explained:
    """Every text of the cases once; a changed text belongs to the cluster of its source."""
    texts = {text: Example.of(text, cluster=case.source.cluster) for case in cases for text in case.texts}
    return Explained.ask(model, texts.values(), method=method)


def _complete(explained: Explained) -> Measurement | Skip:
    errors = [each.relative_delta for each in explained.attributions]

    def estimate() -> Estimate:
        known = [(error, key) for error, key in zip(errors, explained.clusters, strict=True) if error is not None]
        if not known:
            detail = f"Weights by {named(explained.method)} are not meant to add up to a difference, or there is none."
            raise UnmeasurableError(SkipReason.UNDEFINED, detail)
        close = np.array([error <= CLOSE for error, _ in known], dtype=bool)
        return _of_these(stats.rate(close, clusters=[key for _, key in known]))

    title = f"share of the texts shown whose weights add up to within {CLOSE:.0%}"
    return measured("complete_share", title, estimate, better=Better.HIGHER)


def _concentrated(explained: Explained) -> Measurement | Skip:
    """Of texts with more than TOP words, of which some has a weight."""

    def estimate() -> Estimate:
        pairs = zip(explained.attributions, explained.clusters, strict=True)
        known = [(_top_share(each.scores), key) for each, key in pairs if len(each.words) > TOP and each.scores.any()]
        if len({key for _, key in known}) < 2:
            raise UnmeasurableError(SkipReason.TOO_FEW, f"Fewer than two texts have more than {TOP} words.")
        shares = np.array([share for share, _ in known])
        return _of_these(stats.mean(shares, clusters=[key for _, key in known], limits=(0.0, 1.0)))

    title = f"share of all weight that the {TOP} heaviest words of a text carry"
    return measured("top_share", title, estimate, better=Better.CONTEXT)


def _top_share(scores: Floats) -> float:
    weights = np.sort(np.abs(scores))
    return float(weights[-TOP:].sum() / weights.sum())


def _of_these(estimate: Estimate) -> Estimate:
    """The texts were chosen, so nothing follows for others."""
    return estimate.model_copy(update={"estimand": "fixed_set"})


def _evidence(cases: Sequence[Case], explained: Explained, *, harm: bool) -> Iterator[Evidence]:
    """The cases whose texts could all be explained, in the order in which they were chosen."""
    rows: Mapping[Text, int] = {example.text: row for row, example in enumerate(explained.examples)}
    names = explained.answers.names()
    several = explained.answers.problem is ProblemType.MULTI_LABEL
    for case in cases:
        if any(text not in rows for text in case.texts):
            continue
        places = [rows[text] for text in case.texts]
        targets = dict.fromkeys(explained.targets[place] for place in places)
        yield Evidence(
            example_id=case.source.id,
            chosen="random" if case.kind == RANDOM else "worst",
            shown=tuple(
                shown(
                    explained.attributions[place],
                    answer=names[place],
                    confidence=float(explained.answers.confidence[place]),
                )
                for place in places
            ),
            gold=gold_of(case.source),
            note=f"{case.note}; explained: “{'”, then “'.join(targets)}”" if several else case.note,
            content_note="possibly hateful language" if harm else "",
            slice={"kind": case.kind},
        )
