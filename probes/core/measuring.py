"""From a number that may not be measurable to a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from probes.core import stats
from probes.core.positive import NONE, PositiveClass
from probes.core.records import Better, Estimate, Measurement, Skip, SkipReason, Unit
from probes.core.stats.derived import UnmeasurableError

Bools = NDArray[np.bool_]


def measured(
    name: str,
    title: str,
    estimate: Callable[[], Estimate],
    *,
    better: Better,
    unit: Unit = Unit.PROPORTION,
    part: Mapping[str, str] | None = None,
    family: str | None = None,
) -> Measurement | Skip:
    """The measurement, or a skip saying why there is none."""
    part = part or {}
    try:
        value = estimate()
    except UnmeasurableError as error:
        return Skip(reason=error.reason, detail=f"{title}: {error.detail}", name=name, slice=part)
    return Measurement(name=name, title=title, estimate=value, better=better, unit=unit, slice=part, family=family)


def share(successes: Bools, *, among: Bools | None = None, clusters: Sequence[str], of: str = "item") -> Estimate:
    """Rate of `successes` (n,) among the items (n,) where `among`.

    Raises:
        UnmeasurableError: when there is no such item; `of` names one.
    """
    members = np.ones(len(successes), dtype=bool) if among is None else among
    if not members.any():
        raise UnmeasurableError(SkipReason.UNDEFINED, f"There is no {of}.")
    return stats.rate(successes[members], clusters=list(compress(clusters, members)))


def no_positive_class(
    positive: PositiveClass, *, detail: str, name: str | None = None, part: Mapping[str, str] | None = None
) -> Skip:
    """What cannot be measured without a positive class; not applicable where the user said that there is none."""
    if positive.origin == NONE:
        reason, enable = SkipReason.WRONG_PROFILE, "name one with --positive-label if there is one after all"
    else:
        reason = SkipReason.NO_POSITIVE_CLASS
        enable = f"name it with --positive-label, or say `--positive-label {NONE}` if no answer is the positive one"
    return Skip(reason=reason, detail=detail, enable=enable, name=name, slice=part or {})
