"""How much of the weight lies on the part that was found itself, beside it, and elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from probes.core.answers import Ints
from probes.core.attributions import Attribution
from probes.core.measuring import measured
from probes.core.records import Better, Measurement, Skip
from probes.explanation.faithfulness.scored import Scored, Why, mean
from probes.explanation.spans.found import Finding, Found, characters

BESIDE = 3
"""Words to either side that count as beside it."""
ITSELF, NEXT, ELSEWHERE, QUESTION = "itself", f"{BESIDE} words beside it", "elsewhere in the text", "the question"


def shares(found: Found) -> Iterator[Measurement | Skip]:
    """Mean share of all weight, whatever its sign, of each part of the texts."""
    names = (ITSELF, NEXT, ELSEWHERE, *([QUESTION] if _questions(found) else []))
    pairs = list(zip(found.findings, found.attributions, strict=True))
    values = {name: [_share(*pair, name) for pair in pairs] for name in names}
    for name in names:
        yield measured(
            "weight_share",
            f"share of all weight: {name}",
            partial(mean, values[name], clusters=found.clusters, limits=(0.0, 1.0)),
            better=Better.CONTEXT,
            part={"part": name},
        )


def _questions(found: Found) -> bool:
    return any(not isinstance(explained.text, str) for explained in found.attributions)


def _share(finding: Finding, explained: Attribution, name: str) -> Scored:
    """Of one text."""
    weights = np.abs(explained.scores)
    if not np.isfinite(weights).all():
        return Why.NOT_FINITE
    if not weights.any():
        return Why.NO_WEIGHT
    inside = np.array([each == name for each in parts(finding, explained)], dtype=bool)
    return float(weights[inside].sum() / weights.sum())


def parts(finding: Finding, explained: Attribution) -> list[str]:
    """(w,): to which part each word belongs. An answer that there is none is nowhere."""
    context = 0 if isinstance(explained.text, str) else 1
    start, end = characters(finding)
    own = np.array(
        [
            place
            for place, span in enumerate(explained.words)
            if span.part == context and span.start < end and span.end > start
        ],
        dtype=np.int64,
    )
    return [QUESTION if span.part != context else _part(place, own) for place, span in enumerate(explained.words)]


def _part(place: int, own: Ints) -> str:
    if not len(own):
        return ELSEWHERE
    away = max(int(own[0]) - place, place - int(own[-1]), 0)
    return ITSELF if away == 0 else NEXT if away <= BESIDE else ELSEWHERE
