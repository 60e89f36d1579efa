"""The probe that explains entities and answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from probes.core.answers import ProblemType
from probes.core.attributions import Method
from probes.core.attributors import SpanAttributor
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.model import Capability
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Accounting, Evidence, Outcomes, Record, Skip, SkipReason
from probes.core.sampling import stratified
from probes.explanation.explained import sampled, shown, unread
from probes.explanation.faithfulness.comparison_numbers import agreement_numbers
from probes.explanation.faithfulness.error_numbers import convergence_numbers
from probes.explanation.method import allowed, chosen_method, instead, method_named, named, no_method
from probes.explanation.spans.found import Found
from probes.explanation.spans.parts import shares

SECOND = (Method.FEATURE_ABLATION, Method.INTEGRATED_GRADIENTS)
"""What stands in for a second method that the network does not allow, or that gives the numbers of the first."""


@dataclass(frozen=True)
class Spans:
    """Which words pushed the model to an entity, or to an answer from a context?

    Measures:
        For an entity of each of a few texts (taggers), or the answer about each of a few contexts (readers), how far
        each word raised or lowered its score; how much of all weight lies on the words of the entity or the answer
        itself, on the three words to either side, elsewhere in the text and, for readers, on the question. Whether the
        weights add up to what they should, and whether a second method agrees.

    Why it matters:
        An entity that is found by its own words alone is known by heart, and one that is found by what stands beside it
        will be found where nobody ever heard of it; an answer that owes nothing to the question answers another one. A
        reviewer can say which is to be expected. Evidence relevant to transparency duties.

    Method:
        Of the entities in a text one is drawn; of a tagger the logits of the labels of its words (of each the first
        token's) are explained together, as their sum, of a reader the sum of the logits of the start and the end of the
        answer given, which may be that there is none, in the window with most text around it. Integrated gradients
        compare the text with one whose words are all masked (or padding, for models without a mask); the weight of a
        word is the sum over its tokens. The second method replaces one word at a time. Shares are of absolute weights,
        with t intervals on the cluster of the text. Texts are drawn by their ids; fewer than 10 give no number.

    Limits:
        An attribution describes what one model computes from one text. It is not causal, and not a reason that may be
        given to a person. A sum of logits is not a probability: what pushes all labels alike counts too. A text without
        words is unlike what the model was trained on. Entities that the model missed are not explained. Nothing here
        takes words out of texts to test the weights; two methods that agree may both be wrong.

    References:
        Sundararajan, Taly and Yan 2017, Axiomatic Attribution for Deep Networks, ICML. Zeiler and Fergus 2014,
        Visualizing and Understanding Convolutional Networks, ECCV. Mudrakarta et al. 2018, Did the Model Understand the
        Question?, ACL. Agarwal et al. 2021, Interpretability Analysis for Named Entity Recognition to Understand System
        Predictions and How They Can Improve, Computational Linguistics 47:117.
    """

    method: Method = Method.INTEGRATED_GRADIENTS
    """How texts are explained."""
    second: Method = Method.FEATURE_ABLATION
    """What it is compared with."""
    items: int = 60
    """Texts."""
    resamples: int = 2000

    def __post_init__(self) -> None:
        if min(self.items, self.resamples) < 1:
            raise UsageError("explanation.spans: items or resamples", hint="these are whole numbers from 1 up")
        for name in ("method", "second"):
            object.__setattr__(self, name, method_named(getattr(self, name), probe="explanation.spans"))

    @cached_property
    def info(self) -> ProbeInfo:
        """Identity, documentation and cost."""
        return ProbeInfo(
            id="explanation.spans",
            version=1,
            risk="explanation",
            title="Explained entities and answers",
            doc=ProbeDoc.parse(type(self).__doc__),
            calls=90,
            needs=frozenset({Capability.ATTRIBUTE}),
            problems=frozenset({ProblemType.TOKEN, ProblemType.SPAN}),
        )

    def run(self, model: SpanAttributor, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Ask for entities or answers, explain them by two methods, show some."""
        method = chosen_method(model.card, self.method)
        if method is None:
            yield from no_method(model.card, self.method, total=len(data))
            return
        drawn = stratified(data, limit=self.items, seed=ctx.seed)
        found = Found.ask(model, drawn, method=method, ctx=ctx)
        yield self._accounting(found, drawn=len(drawn), total=len(data))
        if not len(found):
            yield Skip(reason=SkipReason.TOO_FEW, detail="The model found nothing in these texts to explain.")
            return
        yield from shares(found)
        yield from convergence_numbers(found, rng=ctx.generator("delta"), resamples=self.resamples)
        second = allowed(model.card, *(each for each in (self.second, *SECOND) if named(each) != named(method)))
        if second:
            yield from agreement_numbers(found, found.by(model, second), second=second)
        else:
            detail = "The network allows no second method to compare with."
            yield Skip(reason=SkipReason.NO_CAPABILITY, detail=detail, name="agreement")
        yield from _cases(found, ctx)
        yield _outcomes(found)

    def _accounting(self, found: Found, *, drawn: int, total: int) -> Accounting:
        told = [
            sampled(drawn, total),
            instead(found.method, asked=self.method),
            f"in {found.nothing} of {drawn} texts the model found nothing" if found.nothing else "",
            unread(found.attributions),
        ]
        return Accounting(
            eligible=total,
            scored=len(found),
            unscored=found.nothing,
            note="; ".join(part for part in told if part),
        )


def _cases(found: Found, ctx: Context) -> Iterator[Evidence]:
    """Random ones, then those that are wrong, the most confident first."""
    order = sorted(range(len(found)), key=lambda row: ctx.rng("evidence", found.findings[row].example.id).random())
    ordinary, others = order[: ctx.random_cases], order[ctx.random_cases :]
    wrong = [row for row in others if found.findings[row].right is False]
    ranked = sorted(wrong, key=lambda row: (-found.findings[row].confidence, found.findings[row].example.id))
    yield from (_case(found, row, "random") for row in ordinary)
    yield from (_case(found, row, "worst") for row in ranked[: ctx.worst_cases])


def _case(found: Found, row: int, chosen: Literal["random", "worst"]) -> Evidence:
    finding = found.findings[row]
    return Evidence(
        example_id=finding.example.id,
        chosen=chosen,
        shown=(shown(found.attributions[row], answer=finding.target.name, confidence=finding.confidence),),
        gold=finding.gold,
        note="" if chosen == "random" else "among the most confident of the wrong ones",
    )


def _outcomes(found: Found) -> Outcomes:
    """One row for each text in which something was found."""
    n, findings = len(found), found.findings
    return Outcomes(
        example_id=[finding.example.id for finding in findings],
        cluster=found.clusters,
        variant=[""] * n,
        after=[finding.target.name for finding in findings],
        before=[None] * n,
        gold=[finding.gold for finding in findings],
        correct=[finding.right for finding in findings],
        changed=[None] * n,
        score=[finding.confidence for finding in findings],
    )
