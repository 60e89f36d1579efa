"""What a probe publishes that asks the same items in several ways."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Literal

import numpy as np

from probes.core import stats
from probes.core.answered import accepted, exact_of, gold_told
from probes.core.answers import Floats
from probes.core.counts import plural
from probes.core.measuring import measured
from probes.core.probe import Context
from probes.core.records import (
    Accounting,
    Better,
    Estimate,
    Evidence,
    Measurement,
    Outcomes,
    Record,
    Shown,
    Skip,
    SkipReason,
    Unit,
    measurement_key,
)
from probes.core.stats.derived import UnmeasurableError
from probes.robustness.spread import Spread
from probes.text.answer_trials import mean_of


def accounting(found: Spread, *, eligible: int, note: str = "") -> Accounting:
    """One row for all ways."""
    return Accounting(
        eligible=eligible,
        scored=len(found),
        unscored=found.cut + found.empty,
        tied=int(found.tied.any(axis=1).sum()) if len(found) else 0,
        note="; ".join([*([note] if note else []), *_unusable(found)]),
    )


def _unusable(found: Spread) -> list[str]:
    """Why items are unscored, without the reasons that no item has."""
    reasons = (
        (found.cut, f"{plural(found.cut, 'item')} with a prompt longer than the model reads"),
        (found.empty, f"{plural(found.empty, 'item')} with an empty reply in some way"),
    )
    return [told for count, told in reasons if count]


def measurements(found: Spread, ctx: Context, *, key: str, resamples: int) -> Iterator[Measurement | Skip]:
    """Numbers of the replies, then of their scores; `key` is what the ways are called in slices ("format")."""
    if found.constant:
        yield from map(_constant, ("disagreement", "similarity", "worst_disagreement"))
    else:
        yield from _consistency(found, ctx, key=key, resamples=resamples)
    if not found.labelled.any():
        yield Skip(
            reason=SkipReason.NO_GOLD,
            detail="The data have no accepted answers, so only differences between replies are measured.",
            enable="give data with a column of answers",
            name="f1_spread",
        )
        return
    for column, way in enumerate(found.ways):
        yield measured(
            "f1",
            "mean F1 of the words with the accepted answers",
            partial(mean_of, found.graded[:, column], clusters=found.graded_clusters, limits=(0.0, 1.0)),
            better=Better.HIGHER,
            part={key: way},
        )
    if found.constant:
        yield _constant("f1_spread")
        return
    best, least = (found.ways[int(pick(found.graded.mean(axis=0)))] for pick in (np.argmax, np.argmin))
    yield measured(
        "f1_spread",
        f"largest difference in mean F1 between two ways ({best} over {least})",
        partial(
            _largest,
            _differences(found.graded),
            clusters=found.graded_clusters,
            rng=ctx.generator("f1"),
            resamples=resamples,
            limits=(-1.0, 1.0),
            least=0.0,
        ),
        better=Better.LOWER,
        unit=Unit.DIFFERENCE,
    )


def _constant(name: str) -> Skip:
    return Skip(
        reason=SkipReason.UNDEFINED,
        detail="The model gives the same reply to everything, so equal replies show nothing about the ways of asking.",
        name=name,
    )


def _consistency(found: Spread, ctx: Context, *, key: str, resamples: int) -> Iterator[Measurement | Skip]:
    apart = np.nanmean(found.differs, axis=2)  # (items, ways): share of the other ways with another reply
    yield measured(
        "disagreement",
        "share of pairs of ways in which the replies to an item differ",
        lambda: mean_of(apart.mean(axis=1), clusters=found.clusters, limits=(0.0, 1.0)),
        better=Better.LOWER,
    )
    yield measured(
        "similarity",
        "mean F1 of the words of two replies to an item",
        lambda: mean_of(np.nanmean(found.alike, axis=(1, 2)), clusters=found.clusters, limits=(0.0, 1.0)),
        better=Better.HIGHER,
    )
    for column, way in enumerate(found.ways):
        yield measured(
            "disagreement",
            "share of the other ways in which the reply is another one",
            partial(mean_of, apart[:, column], clusters=found.clusters, limits=(0.0, 1.0)),
            better=Better.LOWER,
            part={key: way},
        )
    worst = found.ways[int(np.argmax(apart.mean(axis=0)))]
    yield measured(
        "worst_disagreement",
        f"the same for the way that differs most from the others ({worst})",
        partial(
            _largest,
            apart,
            clusters=found.clusters,
            rng=ctx.generator("worst"),
            resamples=resamples,
            limits=(0.0, 1.0),
        ),
        better=Better.LOWER,
    )


def _differences(scores: Floats) -> Floats:
    """(items, ordered pairs of ways)."""
    ways = range(scores.shape[1])
    return np.stack([scores[:, a] - scores[:, b] for a in ways for b in ways if a != b], axis=1)


def _largest(
    matrix: Floats,
    *,
    clusters: Sequence[str],
    rng: np.random.Generator,
    resamples: int,
    limits: tuple[float, float],
    least: float = -math.inf,
) -> Estimate:
    """The largest column mean.

    Raises:
        UnmeasurableError: for a single cluster.
    """
    try:
        return stats.worst_of(matrix, clusters=clusters, rng=rng, resamples=resamples, limits=limits, least=least)
    except ValueError as error:
        raise UnmeasurableError(SkipReason.TOO_FEW, f"{error}.") from error


def cases(found: Spread, ctx: Context) -> Iterator[Evidence]:
    """Two ways of one item: some items at random, then those whose replies have least in common."""
    if not len(found):
        return
    least = np.nanmin(found.alike, axis=(1, 2))
    drawn = ctx.rng("evidence").sample(range(len(found)), min(ctx.random_cases, len(found)))
    yield from (_case(found, row, chosen="random") for row in drawn)
    apart = np.nanmax(found.differs, axis=(1, 2)) > 0
    ranked = sorted(np.flatnonzero(apart).tolist(), key=lambda row: (least[row], found.examples[row].id))
    yield from (_case(found, row, chosen="worst") for row in ranked[: ctx.worst_cases])


def _case(found: Spread, item: int, *, chosen: Literal["random", "worst"]) -> Evidence:
    """The two ways whose replies have least in common."""
    one, other = np.unravel_index(int(np.nanargmin(found.alike[item])), found.alike[item].shape)
    rows = [item * len(found.ways) + int(way) for way in (one, other)]
    said = "the reply changes" if found.differs[item, one, other] > 0 else "the reply stays"
    return Evidence(
        example_id=found.examples[item].id,
        chosen=chosen,
        shown=tuple(
            Shown(
                texts=(found.prompts[row],),
                answer=found.replies.given[row],
                confidence=float(found.replies.confidence[row]),
            )
            for row in rows
        ),
        gold=gold_told(found.examples[item].gold),
        note=f"{found.ways[int(one)]} → {found.ways[int(other)]}: {said}",
    )


def outcomes(found: Spread, *, key: str) -> Outcomes:
    """One row for each item and way; before is the reply in the first way. What is said of an item stands in the first
    of its rows."""
    width = len(found.ways)
    examples = [example for example in found.examples for _ in found.ways]
    golds = [example.gold for example in examples]
    return Outcomes(
        example_id=[example.id for example in examples],
        cluster=[example.cluster for example in examples],
        variant=[f"{key}={way}" for _ in found.examples for way in found.ways],
        after=list(found.replies.given),
        before=[found.given(item)[0] for item in range(len(found)) for _ in found.ways],
        gold=[gold_told(gold) for gold in golds],
        correct=[
            None if gold is None else bool(exact_of([reply], [accepted(gold)])[0])
            for reply, gold in zip(found.replies.given, golds, strict=True)
        ],
        changed=[bool(found.differs[row // width, 0, row % width] > 0) for row in range(len(examples))],
        score=found.replies.confidence.tolist(),
        values={name: _known(table) for name, table in _means(found, key=key).items()},
    )


def _means(found: Spread, *, key: str) -> dict[str, Floats]:
    """Name of a number -> (items, ways) what it is the mean of, NaN where nothing is."""
    shape = (len(found), len(found.ways))
    apart = np.nanmean(found.differs, axis=2)
    made = {name: np.full(shape, np.nan) for name in ("f1", "disagreement", "similarity")}
    made["f1"][found.labelled] = found.graded
    made["disagreement"][:, 0] = apart.mean(axis=1)
    made["similarity"][:, 0] = np.nanmean(found.alike, axis=(1, 2))
    for column, way in enumerate(found.ways):
        own = made[measurement_key("disagreement", {key: way})] = np.full(shape, np.nan)
        own[:, column] = apart[:, column]
    return made


def _known(table: Floats) -> list[float | None]:
    return [None if np.isnan(value) else value for value in table.ravel().tolist()]


def _nothing(found: Spread) -> Skip:
    reasons = _unusable(found)
    if reasons:
        return Skip(reason=SkipReason.UNDEFINED, detail=f"No item is left: {'; '.join(reasons)}.")
    return Skip(reason=SkipReason.TOO_FEW, detail="There is no item to ask about.")


def records(
    found: Spread, ctx: Context, *, key: str, eligible: int, note: str, resamples: int
) -> Iterator[Record | Outcomes]:
    """All that a probe of several ways publishes."""
    yield accounting(found, eligible=eligible, note=note)
    if not len(found):
        yield _nothing(found)
        return
    yield from measurements(found, ctx, key=key, resamples=resamples)
    yield from cases(found, ctx)
    yield outcomes(found, key=key)
