"""How far rounding alone may move a number: the same model, asked in other batches, adds up in another order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from probes.core.precision import TOLERANCE
from probes.core.records import Accounting, Estimate, Measurement, Record

_COUNTS = ("Wilson", "Tango", "Clopper-Pearson")
"""Intervals of numbers that count answers. All others may hold probabilities, which move without a change of answer."""


def rounding(found: Measurement, records: Iterable[Record], *, dtype: str) -> float:
    """The most that rounding is taken to move a bound of a number, in its unit; 0 in float32.

    Only an answer that is a near tie can come out otherwise, so the share of near ties bounds how far a count of
    answers moves, whatever the number type. A bound may move up to about twice as fast as its share (the slope of
    Wilson's bound is below 2), and two runs each have this margin, so that both together cover it.

    Args:
        records: of the step that the number is from; its accountings say how many answers are near ties.
        dtype: number type of the run.
    """
    tolerance = TOLERANCE.get(dtype, 0.0)
    if tolerance <= TOLERANCE["float32"]:
        return 0.0
    accounts = _about(found.slice, [record for record in records if isinstance(record, Accounting)])
    tied = near_ties(found.estimate, accounts)
    return tied if any(name in found.estimate.method for name in _COUNTS) else max(tied, tolerance)


def near_ties(estimate: Estimate, accounts: Sequence[Accounting]) -> float:
    """The share of a number's items that are near ties, as that of all items; a whole number of them."""
    scored = sum(account.scored for account in accounts)
    share = min(1.0, sum(account.tied for account in accounts) / scored) if scored else 0.0
    return math.ceil(share * estimate.n - 1e-9) / estimate.n


def _about(part: Mapping[str, str], accounts: Sequence[Accounting]) -> list[Accounting]:
    """The accountings of the smallest part that holds this one; all of them where none does."""
    holding = [account for account in accounts if account.slice.items() <= part.items()]
    most = max((len(account.slice) for account in holding), default=0)
    return [account for account in holding if len(account.slice) == most] or list(accounts)
