"""The probe that attacks the prompts of a generator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from probes.core.answers import WRITING_HEADS
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.generations import Decoding
from probes.core.model import Capability, Generator
from probes.core.probe import FOR_THE_RECORD, Context, ProbeDoc, ProbeInfo
from probes.core.records import Accounting, Outcomes, Record, Skip, SkipReason
from probes.robustness.adversarial.fight import Fight
from probes.robustness.adversarial.probe import described
from probes.robustness.adversarial.recipe import Resource
from probes.robustness.adversarial.recipes import find
from probes.robustness.adversarial.writing import Writing

COST = 10
"""What writing a reply costs, in questions about a text; a guess, as far as a plan needs one."""


@dataclass(frozen=True)
class AdversarialPrompts:
    """How often does a search for small changes of a prompt find one that is replied to otherwise?

    Measures:
        For each recipe of attack: the share of prompts, replied to as accepted before, for which it finds a change that
        leads to another reply; the prompts that the model had to reply to; the share of words changed. Success by
        replies allowed, by words changed, and by group; and what all recipes break together.

    Why it matters:
        Changes at random ask what happens by accident. A search asks how near the next prompt is that means the same
        and is replied to otherwise, which is what somebody finds who wants it so.

    Method:
        The searches are those of `robustness.adversarial`, with greedy replies of at most `max_tokens` tokens and a
        budget of prompts an item. The goal is a reply that shares less than half of its words (F1, as in SQuAD) with
        every accepted one, or where those are not known, with the model's own first one. Replies within numerical noise
        of another one, and empty ones, break nothing. Prompts not replied to as accepted before are counted apart. Of a
        pair the second text is attacked. Shares have Wilson intervals, also where nothing was broken, and exact
        one-sided bounds; the cluster is that of the item.

    Limits:
        Shared words say little of the meaning of long replies: read the cases. A search finds some changes, not all,
        and with few prompts an item it finds few. Few items, because a reply costs many times a classification.
        English word lists.

    References:
        Zhu et al. 2023, PromptRobust, arXiv:2306.04528. Gao et al. 2018, Black-box Generation of Adversarial Text
        Sequences (DeepWordBug), IEEE SPW. Rajpurkar et al. 2016, EMNLP (F1). Wilson 1927, JASA 22:209.
    """

    recipes: tuple[str, ...] = ("deepwordbug",)
    budget: int = 60
    max_tokens: int = 32
    stop: tuple[str, ...] = ()
    """Texts at which a reply ends."""
    resources: tuple[str, ...] = field(default=(), metadata=FOR_THE_RECORD)
    """What candidates come from."""
    given: Mapping[Resource, Any] = field(default_factory=dict, metadata={"parameter": False}, compare=False)

    def __post_init__(self) -> None:
        """Refuse parameters that cannot be meant.

        Raises:
            UsageError: for an unknown recipe, none, or numbers that are not positive.
        """
        if not self.recipes or self.budget < 2:
            raise UsageError(
                f"robustness.adversarial_prompts: {len(self.recipes)} recipes, a budget of {self.budget}",
                hint="name a recipe, and a budget of at least 2 prompts",
            )
        object.__setattr__(self, "recipes", tuple(dict.fromkeys(self.recipes)))
        for name in self.recipes:
            find(name)
        Decoding(max_tokens=self.max_tokens, stop=self.stop)

    @cached_property
    def info(self) -> ProbeInfo:
        recipes = [find(name) for name in self.recipes]
        return ProbeInfo(
            id="robustness.adversarial_prompts",
            version=1,
            risk="robustness",
            title="Adversarial prompts",
            doc=described(ProbeDoc.parse(type(self).__doc__), recipes),
            needs=frozenset({Capability.GENERATE}),
            problems=WRITING_HEADS,
            calls=1 + COST * sum(min(recipe.queries, self.budget) for recipe in recipes),
            searches=True,
        )

    def run(self, model: Generator, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields measurements of each recipe, then of all together, then cases and outcomes."""
        examples = sorted(data, key=lambda example: example.id)
        if not examples:
            yield Accounting(eligible=0, scored=0)
            yield Skip(reason=SkipReason.TOO_FEW, detail="There is no prompt to attack.")
            return
        subject = Writing(model, examples, Decoding(max_tokens=self.max_tokens, stop=self.stop))
        recipes = [find(name) for name in self.recipes]
        yield from Fight(subject=subject, recipes=recipes, budget=self.budget, given=self.given, ctx=ctx).records()
