"""The probe that puts the examples of a prompt into another order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

from probes.core.answered import accepted
from probes.core.answers import WRITING_HEADS
from probes.core.examples import Example
from probes.core.generations import Decoding
from probes.core.model import Capability, Generator
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Outcomes, Record
from probes.core.replies import prompt_of
from probes.robustness.format import USUAL
from probes.robustness.spread import Spread
from probes.robustness.spread_records import records
from probes.text.prompt_formats import FORMATS, fields_of

MOST = 6
"""Examples at most: there are 720 orders of six."""
BETWEEN = "\n\n"
"""Between two examples, and what ends a reply."""


@dataclass(frozen=True)
class FewShotOrder:
    """Does a generator answer differently when the examples before the question change places?

    Measures:
        Over several orders of the same few examples in the prompt: the share of pairs of orders in which the greedy
        replies to an item differ, overall and for each order against all others, with the largest; how similar two
        replies are (F1 of their words); mean F1 with the accepted answers in each order, and the largest difference in
        mean F1 between two orders.

    Why it matters:
        The order of examples carries no information, and yet it has been seen to make the difference between a good
        model and a guessing one. Where a product prompts with examples, a score measured in one order is a score of
        that order.

    Method:
        After Lu et al.: a few labelled items, drawn from the seed and set apart with all others of their cluster, stand
        as examples with their first accepted answer before every other item, in as many different orders as asked for,
        drawn from the seed and the same for all items; the first is the order in which they were drawn. Every prompt
        has the fields of `robustness.format` in its first format. A chat model gets all of it as one message. Replies
        end at an empty line, and are compared without case, punctuation and articles; a pair in which numerical noise
        may have decided counts as equal. Items with an empty reply in some order, or a prompt longer than the model
        reads, are unscored. Means have t intervals with the cluster of the item; the largest of several has a
        simultaneous lower bound (max-t).

    Limits:
        One set of examples: other examples may matter more than their order. A few orders of many: the true spread over
        all is larger. Models tuned to follow instructions are seldom prompted so; read it where yours is. A model that
        gives the same reply to everything shows nothing here, and no difference is published.

    References:
        Lu et al. 2022, Fantastically ordered prompts and where to find them, ACL. Zhao et al. 2021, Calibrate before
        use, ICML. Westfall and Young 1993, Resampling-Based Multiple Testing (max-t).
    """

    demonstrations: int = 3
    orders: int = 4
    max_tokens: int = 24
    resamples: int = 2000

    def __post_init__(self) -> None:
        if not 2 <= self.demonstrations <= MOST:
            raise ValueError(f"demonstrations is a number from 2 to {MOST}")
        if not 2 <= self.orders <= math.factorial(self.demonstrations):
            raise ValueError(f"orders is a number from 2 to {math.factorial(self.demonstrations)}")
        Decoding(max_tokens=self.max_tokens)

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="robustness.few_shot_order",
            version=1,
            risk="robustness",
            title="Order of the examples in a prompt",
            doc=ProbeDoc.parse(type(self).__doc__),
            calls=1.0 + (1 + self.demonstrations) * self.orders,
            needs=frozenset({Capability.GENERATE}),
            problems=WRITING_HEADS,
            gold=True,
        )

    def run(self, model: Generator, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields accounting, measurements, cases and outcomes."""
        labelled = [each for each in data if each.gold]
        shown = self._set_apart(labelled, ctx)
        taken = {each.cluster for each in shown}
        enough = len(shown) == self.demonstrations
        items = [each for each in labelled if enough and each.cluster not in taken]
        orders = self._orders(ctx)
        found = Spread.ask(
            model,
            [(each, [_prompt([shown[place] for place in order], each) for order in orders]) for each in items],
            ways=[f"order_{number + 1}" for number in range(len(orders))],
            decoding=Decoding(max_tokens=self.max_tokens, stop=(BETWEEN,)),
        )
        note = f"{len(shown)} items are set apart as examples, in {len(orders)} orders"
        yield from records(found, ctx, key="order", eligible=len(data), note=note, resamples=self.resamples)

    def _set_apart(self, labelled: Sequence[Example], ctx: Context) -> list[Example]:
        """The examples: of different clusters, drawn from the seed whatever the order of the data."""
        drawn: dict[str, Example] = {}
        for each in sorted(labelled, key=lambda each: (ctx.rng("demonstration", each.id).random(), each.id)):
            drawn.setdefault(each.cluster, each)
        return list(drawn.values())[: self.demonstrations]

    def _orders(self, ctx: Context) -> list[tuple[int, ...]]:
        """Different ones; the first is that of the drawing."""
        first, *others = permutations(range(self.demonstrations))
        return [first, *ctx.rng("orders").sample(others, self.orders - 1)]


def _prompt(shown: Sequence[Example], item: Example) -> str:
    return BETWEEN.join([*(f"{_written(each)} {accepted(each.gold)[0]}" for each in shown), _written(item)])


def _written(example: Example) -> str:
    return FORMATS[USUAL[0]].write(fields_of(prompt_of(example)))
