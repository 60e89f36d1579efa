"""The probe that explains what a generator writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from probes.core.answers import WRITING_HEADS, Ints
from probes.core.attributions import COMPLETE, Attribution, Method
from probes.core.attributors import GeneratorAttributor
from probes.core.counts import plural
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.generations import Decoding
from probes.core.model import Capability
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Accounting, Outcomes, Record, Skip, SkipReason
from probes.explanation.explained import sampled, unread
from probes.explanation.faithfulness.comparison_numbers import agreement_numbers
from probes.explanation.faithfulness.error_numbers import convergence_numbers
from probes.explanation.faithfulness.numbers import CHANCE, curves, over, removal_numbers
from probes.explanation.faithfulness.removal import ranked
from probes.explanation.faithfulness.scored import account
from probes.explanation.generation.cases import cases, outcomes
from probes.explanation.generation.numbers import JUDGED, leading_numbers, one_word_numbers
from probes.explanation.generation.outputs import Outputs
from probes.explanation.generation.removed import OneWord, drops
from probes.explanation.method import allowed, chosen_method, instead, method_named, named, no_method

SECOND = (Method.FEATURE_ABLATION, Method.INTEGRATED_GRADIENTS)
"""What stands in for a second method that the network does not allow, or that gives the numbers of the first."""


@dataclass(frozen=True)
class Generation:
    """Which words of a prompt pushed the model to write what it wrote, and can that be relied on?

    Measures:
        For the likeliest text after each of a few prompts, how far each word of the prompt raised or lowered its
        probability. Whether the words that weigh most are those the text hangs on: how many nats of log-probability a
        token of the same text loses when they are taken out of the prompt (comprehensiveness), and when nothing else is
        left of it (sufficiency), at 5, 10, 20 and 50 % of the words and on average, against words picked at random and
        against a second method. How often another text comes out without the one word that weighs most, and without
        another word. Whether the weights add up and a second method agrees. Which words weigh most in most of the
        prompts that hold them.

    Why it matters:
        A reviewer who sees what a text hangs on can say whether that is a sensible thing to hang on. A word that
        decides what is written wherever it stands may be a shortcut, or a trigger that somebody planted. And an
        explanation that fails its own tests is decoration, which no decision should lean on. Evidence relevant to
        transparency duties.

    Method:
        The likeliest token is taken each time (greedy), `max_tokens` at most; a chat model is given the prompt in its
        template. What is explained is the log-probability of all tokens of the text together, each given the prompt and
        the tokens before it. A word's weight is what is lost when it alone is replaced by the mean of the embedding
        table (by the mask, for models that have one), while the template and the text stay. The second method,
        integrated gradients, replaces all words by degrees; it misses words that count only beside others, such as a
        trigger that acts before a sign at the end of the prompt. Words are ranked from the one
        that speaks most for the text down, equal ones at random, and taken out of the prompt itself, at least one;
        then the same text is scored again. Random rankings are averaged; differences between rankings are paired by
        prompt. For the test of one word, of letters or digits, a new text is written without the top one and without
        another; a text of which numerical noise decided a token counts as the same. A word of letters or digits is
        listed that stands in five prompts or more. Prompts are drawn by their ids. Shares have Wilson intervals, means
        t intervals, differences of shares score intervals (Tango), with the cluster of the prompt; fewer than 10
        prompts give no number.

    Limits:
        An attribution describes what one model computes from one text. It is not causal, and not a reason that may be
        given to a person. Prompts with words taken out are unlike what the model was trained on, so a loss mixes
        missing evidence with surprise; the random ranking is there to compare with. A text that would be written after
        almost any prompt hangs on no word: a low comprehensiveness then says nothing against the explanation. What is
        scored is the text as the tokenizer cuts it, not always in the tokens in which it was written. Words of the text
        itself also push what follows them; they stay, and get no weight. The last words of a prompt, which decide the
        form of what follows, often weigh most. A long text is explained as a whole, its first
        words no more than its last. Agreement of two methods does not make either true. Few prompts, so rare triggers
        are missed.

    References:
        Sundararajan, Taly and Yan 2017, Axiomatic Attribution for Deep Networks, ICML.
        Miglani et al. 2023, Using Captum to Explain Generative Language Models, NLP-OSS, arXiv:2312.05491.
        DeYoung et al. 2020, ERASER: A Benchmark to Evaluate Rationalized NLP Models, ACL.
        Zhao and Shan 2024, ReAGent: A Model-agnostic Feature Attribution Method for Generative Language Models,
        arXiv:2402.00794.
        Tango 1998, Equivalence Test and Confidence Interval for the Difference in Proportions for the Paired-Sample
        Design, Statistics in Medicine 17:891.
    """

    method: Method = Method.FEATURE_ABLATION
    """How texts are explained."""
    second: Method = Method.INTEGRATED_GRADIENTS
    """What it is compared with."""
    items: int = 24
    """Prompts."""
    max_tokens: int = 24
    """Of each text."""
    draws: int = 2
    """Random rankings of the words of each prompt."""
    resamples: int = 2000

    def __post_init__(self) -> None:
        if min(self.items, self.max_tokens, self.draws, self.resamples) < 1:
            raise UsageError(
                "explanation.generation: items, max_tokens, draws or resamples",
                hint="these are whole numbers from 1 up",
            )
        for name in ("method", "second"):
            object.__setattr__(self, name, method_named(getattr(self, name), probe="explanation.generation"))

    @cached_property
    def info(self) -> ProbeInfo:
        """Identity, documentation and cost."""
        return ProbeInfo(
            id="explanation.generation",
            version=1,
            risk="explanation",
            title="What its texts hang on",
            doc=ProbeDoc.parse(type(self).__doc__),
            calls=120,
            needs=frozenset({Capability.GENERATE, Capability.SCORE, Capability.ATTRIBUTE}),
            problems=WRITING_HEADS,
        )

    def run(self, model: GeneratorAttributor, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Have texts written, explain each by two methods, and take words out of their prompts."""
        method = chosen_method(model.card, self.method)
        if method is None:
            yield from no_method(model.card, self.method, total=len(data))
            return
        decoding = Decoding(max_tokens=self.max_tokens)
        outputs = Outputs.ask(model, data, method=method, decoding=decoding, items=self.items, seed=ctx.seed)
        yield self._accounting(outputs, total=len(data))
        if not len(outputs):
            yield Skip(reason=SkipReason.TOO_FEW, detail="There is no prompt with a text that could be explained.")
            return
        second = allowed(model.card, *(each for each in (self.second, *SECOND) if named(each) != named(method)))
        yield from self._measured(model, outputs, second, decoding, ctx)

    def _measured(
        self,
        model: GeneratorAttributor,
        outputs: Outputs,
        second: Method | None,
        decoding: Decoding,
        ctx: Context,
    ) -> Iterator[Record | Outcomes]:
        others = model.attribute_written(outputs.prompts, outputs.texts, method=second) if second else []
        orders = _orders(outputs, outputs.attributions, ctx)
        rankings = [(named(outputs.method), orders), *((CHANCE, _random(outputs, k, ctx)) for k in range(self.draws))]
        rankings += [(named(second), _orders(outputs, others, ctx))] if second else []
        fallen = drops(model, outputs, rankings)
        own, chance = fallen[named(outputs.method)], fallen[CHANCE]
        other = fallen[named(second)] if second else None
        drop, lead = own.aopc(own.comprehensiveness), over(JUDGED[0], own, chance)
        yield account("words taken out", drop)
        yield from removal_numbers(own, chance, other, clusters=outputs.clusters, judged=JUDGED, family=self.info.id)
        yield from curves(list(fallen.values()), clusters=outputs.clusters, judged=JUDGED)
        yield from one_word_numbers(outputs, OneWord.ask(model, outputs, orders, decoding, ctx))
        added_up = replace(outputs, method=second, attributions=tuple(others)) if second in COMPLETE else outputs
        yield from convergence_numbers(added_up, rng=ctx.generator("delta"), resamples=self.resamples)
        if second:
            yield from agreement_numbers(outputs, others, second=second)
        else:
            detail = "The network allows no second method to compare with."
            yield Skip(reason=SkipReason.NO_CAPABILITY, detail=detail, name="agreement")
        yield from leading_numbers(outputs)
        yield from cases(outputs, drop, lead, ctx)
        yield outcomes(outputs, drop)

    def _accounting(self, outputs: Outputs, *, total: int) -> Accounting:
        told = [
            sampled(outputs.drawn, total),
            instead(outputs.method, asked=self.method),
            f"{plural(outputs.empty, 'prompt')} got no text" if outputs.empty else "",
            f"of {outputs.unread} prompts, or their texts, the model reads too little" if outputs.unread else "",
            unread(outputs.attributions),
        ]
        return Accounting(
            eligible=total,
            scored=len(outputs),
            unscored=outputs.drawn - len(outputs),
            tied=int(outputs.replies.tied.sum()),
            note="; ".join(part for part in told if part),
        )


def _orders(outputs: Outputs, explained: Sequence[Attribution], ctx: Context) -> list[Ints]:
    return [
        ranked(each.scores, ctx.generator("ties", example.id))
        for each, example in zip(explained, outputs.examples, strict=True)
    ]


def _random(outputs: Outputs, draw: int, ctx: Context) -> list[Ints]:
    return [
        ctx.generator("chance", example.id, draw).permutation(len(each.words))
        for each, example in zip(outputs.attributions, outputs.examples, strict=True)
    ]
