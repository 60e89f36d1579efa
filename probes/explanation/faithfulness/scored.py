"""What became of one item: a number, or the reason why there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

import numpy as np

from probes.core import stats
from probes.core.answers import Floats
from probes.core.records import Accounting, Estimate, SkipReason
from probes.core.stats.derived import FEW, UnmeasurableError


class Why(StrEnum):
    """Why an item has no number; never counted as 0 or 1."""

    ONE_WORD = "with a single word"
    NO_RANKING = "whose words all weigh the same"
    NO_WEIGHT = "whose words all weigh 0"
    FEW_WORDS = "with fewer than 3 words to compare"
    OTHER_WORDS = "of which other words were read the second time"
    NOT_FINITE = "with a score or an answer that is no number"
    NO_SCALE = "on a scale without spread: all texts get the same value"
    NO_CHANGE = "whose answer no removal moves"
    NO_DELTA = "answered like a text without words"
    ANSWER_CHANGED = "whose answer changed"
    SAME_READING = "that the model reads as before"


Scored = float | Why


def scored(values: Floats, why: Iterable[Why | None]) -> list[Scored]:
    """(n,) values, each replaced by the reason why it has no meaning where there is one."""
    return [
        reason or (float(value) if np.isfinite(value) else Why.NOT_FINITE)
        for value, reason in zip(values, why, strict=True)
    ]


def minus(first: Sequence[Scored], second: Sequence[Scored]) -> list[Scored]:
    """Item by item; the reason of the first comes before that of the second."""
    pairs = zip(first, second, strict=True)
    return [a if isinstance(a, Why) else b if isinstance(b, Why) else a - b for a, b in pairs]


def mean(
    values: Sequence[Scored], *, clusters: Sequence[str], limits: tuple[float, float] = (-np.inf, np.inf)
) -> Estimate:
    """Mean over the items that have a number.

    Raises:
        UnmeasurableError: for fewer than FEW independent items, or values without limits that are all alike.
    """
    numbers, keys = known(values, clusters)
    if np.ptp(numbers) == 0 and not np.isfinite(limits).all():
        raise UnmeasurableError(SkipReason.TOO_FEW, "All items give the same value: nothing says how uncertain it is.")
    return stats.mean(numbers, clusters=keys, limits=limits)


def known(values: Sequence[Scored], clusters: Sequence[str]) -> tuple[Floats, list[str]]:
    """The items that have a number, and their clusters.

    Raises:
        UnmeasurableError: for fewer than FEW independent items.
    """
    kept = [(value, key) for value, key in zip(values, clusters, strict=True) if not isinstance(value, Why)]
    keys = [key for _, key in kept]
    if len(set(keys)) < FEW:
        detail = f"It rests on {len(set(keys))} independent texts; {FEW} are needed"
        raise UnmeasurableError(SkipReason.TOO_FEW, f"{detail} ({left_out(values)}).")
    return np.array([value for value, _ in kept], dtype=np.float64), keys


def left_out(values: Iterable[Scored]) -> str:
    """How many items have no number, and why, in words."""
    reasons = Counter(value for value in values if isinstance(value, Why))
    listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    return f"not counted: {listed}" if listed else "none left out"


def account(part: str, values: Sequence[Scored]) -> Accounting:
    """How many of the items asked about have a number in this part of the probe, named for the reader."""
    numbers = sum(not isinstance(value, Why) for value in values)
    return Accounting(
        eligible=len(values),
        scored=numbers,
        unscored=len(values) - numbers,
        note=left_out(values) if numbers < len(values) else "",
        slice={"kind": part},
    )
