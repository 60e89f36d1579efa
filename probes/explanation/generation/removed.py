"""Prompts without the words that a ranking puts first, and how likely the same text is after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probes.core.answers import Bools, Floats, Ints
from probes.core.attributions import Attribution
from probes.core.attributors import GeneratorAttributor
from probes.core.generations import Decoding
from probes.core.probe import Context
from probes.core.replies import Replies
from probes.core.words import without, word
from probes.explanation.faithfulness.removal import SHARES, Drops, unrankable, variants
from probes.explanation.generation.outputs import Outputs


def drops(
    model: GeneratorAttributor, outputs: Outputs, rankings: Sequence[tuple[str, Sequence[Ints]]]
) -> dict[str, Drops]:
    """By how many nats per token the log-probability of each text falls, by name of a ranking; all in one bulk.

    Args:
        rankings: names with (n,) orders of the words of each prompt; of several with one name the mean is taken.
    """
    prompts = [
        str(text)
        for _, orders in rankings
        for explained, order in zip(outputs.attributions, orders, strict=True)
        for text in variants(explained, order)
    ]
    each = 2 * len(SHARES)
    written = [text for _ in rankings for text in outputs.texts for _ in range(each)]
    after = model.score_written(prompts, written).totals.reshape(len(rankings), len(outputs), each)
    fallen = (outputs.totals[:, None] - after) / outputs.tokens[:, None]
    names = [name for name, _ in rankings]
    return {name: _mean(name, fallen[[own == name for own in names]], outputs.attributions) for name in names}


def _mean(name: str, fallen: Floats, explained: Sequence[Attribution]) -> Drops:
    """Of (r, n, 2K) numbers of one ranking drawn r times."""
    means = fallen.mean(axis=0)
    return Drops(
        ranking=name,
        comprehensiveness=means[:, : len(SHARES)],
        sufficiency=means[:, len(SHARES) :],
        why=[unrankable(each) for each in explained],
    )


@dataclass(frozen=True, kw_only=True)
class OneWord:
    """n prompts with one word taken out: the one that weighs most, or another one.

    Attributes:
        rows: (m,) the outputs whose prompts have two words of letters or digits that can be ranked.
        top, other: (m,) does another text come out.
        tied: (m,) did numerical noise decide a token of any of these texts, so that it counts as the same.
    """

    rows: Ints
    top: Bools
    other: Bools
    tied: Bools

    @classmethod
    def ask(
        cls, model: GeneratorAttributor, outputs: Outputs, orders: Sequence[Ints], decoding: Decoding, ctx: Context
    ) -> OneWord:
        """Have new texts written, in one bulk; `orders` (n,) are those of the words by their weights."""
        named = [written(each, order) for each, order in zip(outputs.attributions, orders, strict=True)]
        rows = np.array([row for row, order in enumerate(named) if len(order) > 1], dtype=np.int64)
        tops = [_without(outputs.attributions[row], named[row][0]) for row in rows]
        others = [_without(outputs.attributions[row], _another(outputs, row, named[row], ctx)) for row in rows]
        replies = Replies(model.generate([*tops, *others], decoding))
        before = np.array([outputs.texts[row] for row in rows], dtype=object)
        changed = np.array(replies.given, dtype=object).reshape(2, -1) != before
        near = replies.tied.reshape(2, -1) | outputs.replies.tied[rows]
        changed &= ~near
        return cls(rows=rows, top=changed[0], other=changed[1], tied=np.asarray(near.any(axis=0)))


def written(explained: Attribution, order: Ints) -> Ints:
    """The words of letters or digits in this order, for every prompt has its signs; none where none can be ranked."""
    if unrankable(explained):
        return order[:0]
    real = [any(map(str.isalnum, word(explained.text, explained.words[position]))) for position in order]
    return np.asarray(order[np.array(real, dtype=bool)])


def _without(explained: Attribution, position: int) -> str:
    return str(without(explained.text, {explained.words[position]}))


def _another(outputs: Outputs, row: int, order: Ints, ctx: Context) -> int:
    """Any of the words but the first."""
    return int(ctx.generator("other", outputs.examples[row].id).choice(order[1:]))
