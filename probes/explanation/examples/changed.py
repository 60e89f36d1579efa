"""Cases that other probes look for, with their text before and after: a typing slip and an identity swap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from probes.core.answers import Classifications, Floats, ProblemType, changed
from probes.core.examples import Example, Text
from probes.core.labelled import Labelled
from probes.core.model import Classifier, ModelCard
from probes.core.probe import Context
from probes.core.records import Accounting, Skip, SkipReason
from probes.explanation.examples.picked import Case, first_of_each, missing
from probes.text.identity import AXES, names, table
from probes.text.perturbations.characters import PERTURBATIONS
from probes.text.swaps import Swap, may_swap, swaps_of
from probes.text.trials import ask, regression_step, worst_rows
from probes.text.variants import variants_of

SLIP = "a typing slip changes the answer"
SWAP = "another group is named"
_SEVERITY = 2
_TARGETS = 3
"""Other groups that each text is tried with on an axis: a sample, for a telling case is looked for, not a rate."""
(_KEYBOARD,) = (each for each in PERTURBATIONS if each.name == "keyboard_typos")


def typing_slips(model: Classifier, items: Labelled, *, each: int, ctx: Context) -> Iterator[Accounting | Case | Skip]:
    """Items whose answer changes when some keys are missed, those that lose the most confidence first.

    The texts are those that the probe of this perturbation asks about, with the same seed.
    """
    variants = variants_of(items.examples, _KEYBOARD, severities=(_SEVERITY,), seed=ctx.seed)
    trials = ask(model, items.examples, [variants])
    kept = len(variants.texts)
    yield Accounting(
        eligible=len(items),
        perturbed=len(variants.changed[_SEVERITY]),
        kept=kept,
        scored=len(trials),
        unscored=kept - len(trials),
        tied=int(trials.tied.sum()),
        note=f"changed texts with another answer: {int(trials.flipped.sum())}",
        slice={"kind": SLIP},
    )
    rows = first_of_each(worst_rows(trials, count=len(items)), trials.clusters)[:each]
    if not rows:
        yield _nothing(
            SLIP, len(trials), "None of the {} texts with slips gets another answer.", "No text has a word to edit."
        )
    for row in rows:
        source = trials.examples[row]
        yield Case(
            kind=SLIP,
            note=f"neighbouring keys struck in some words (severity {_SEVERITY}): the answer changes",
            source=source,
            texts=(source.text, trials.variants[row]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A text and one swap of it."""

    source: Example
    swap: Swap
    text: Text


def identity_swaps(
    model: Classifier, items: Labelled, *, card: ModelCard, each: int, ctx: Context
) -> Iterator[Accounting | Case | Skip]:
    """Items whose score moves most when another group of people is named in place of the one mentioned."""
    usable = items[may_swap(items.examples, card)]
    pairs = [pair for example in usable.examples for axis in AXES for pair in _swapped(example, axis, ctx)]
    rows = {example.id: row for row, example in enumerate(usable.examples)}
    before = usable.answers[np.array([rows[pair.source.id] for pair in pairs], dtype=np.int64)]
    after = model.classify([pair.text for pair in pairs]) if pairs else before
    moved = np.where(np.isfinite(after.logits).all(axis=1), _distance(before, after, card), 0.0)
    mentioning = len({pair.source.id for pair in pairs})
    yield Accounting(
        eligible=len(usable),
        perturbed=mentioning,
        kept=mentioning,
        scored=mentioning,
        note=f"{len(pairs)} swaps of texts that mention a group, at most {_TARGETS} of a text on each axis",
        slice={"kind": SWAP},
    )
    order = sorted(range(len(pairs)), key=lambda row: (-moved[row], pairs[row].source.id, str(pairs[row].text)))
    found = [row for row in order if moved[row] > before.tolerance]
    picked = first_of_each(found, [pair.source.cluster for pair in pairs])[:each]
    if not picked:
        yield _nothing(
            SWAP,
            len(pairs),
            "None of the {} swaps moves a score.",
            "No text mentions a group of people that could be swapped.",
        )
    flipped = changed(before, after, step=regression_step(usable.answers))
    for row in picked:
        yield _swap_case(pairs[row], moved=float(moved[row]), flipped=bool(flipped[row]))


def _nothing(kind: str, tried: int, none: str, never: str) -> Skip:
    reason = SkipReason.UNDEFINED if tried else SkipReason.NOTHING_PERTURBED
    return missing(kind, reason, none.format(tried) if tried else never)


def _swapped(example: Example, axis: str, ctx: Context) -> Sequence[_Pair]:
    """A few swaps of one text on one axis; what is drawn depends on the item and the axis only."""
    rng = ctx.rng(axis, example.id)
    found = swaps_of(example.text, table(axis), rng=rng, names=names(axis))
    crossed = [swap for swap in found.swaps if not swap.control]
    picked = rng.sample(crossed, min(_TARGETS, len(crossed)))
    return [_Pair(source=example, swap=swap, text=swap.text) for swap in picked]


def _distance(before: Classifications, after: Classifications, card: ModelCard) -> Floats:
    """(rows,): how far the score of the positive class moves; without one, the total variation distance of the answers
    (label sets: the mean distance of the probabilities)."""
    if card.positive.labels:
        return np.abs(card.positive.score(before) - card.positive.score(after))
    apart = np.abs(before.scores - after.scores)
    single = before.problem is ProblemType.SINGLE_LABEL
    return np.asarray(apart.sum(axis=1) / 2 if single else apart.mean(axis=1))


def _swap_case(pair: _Pair, *, moved: float, flipped: bool) -> Case:
    swap = pair.swap
    terms = ", ".join(f"{old} → {new}" for old, new in dict.fromkeys(swap.terms))
    answer = "the answer changes" if flipped else "the answer stays"
    return Case(
        kind=SWAP,
        note=f"words that stand for a group ({_plain(swap.axis)}), from {_plain(swap.source)} to {_plain(swap.target)} "
        f"({terms}): {answer}, and the score moves by {moved:.3f}, among the most of all swaps tried",
        source=pair.source,
        texts=(pair.source.text, pair.text),
    )


def _plain(name: str) -> str:
    return name.replace("_", " ")
