"""How far rounding alone may move a number: the same model, asked in other batches, adds up in another order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from probes.core.precision import LOG_TOLERANCE, TOLERANCE
from probes.core.records import Accounting, Estimate, Measurement, Record
from probes.core.scored_texts import BITS

_COUNTS = ("Wilson", "Tango", "Clopper-Pearson")
"""Intervals of numbers that count answers. All others may hold probabilities, which move without a change of answer."""

PERPLEXITIES = frozenset({"perplexity", "perplexity_ratio", "word_perplexity", "word_perplexity_ratio"})
"""Names of numbers that are two to the power of a mean of bits, or the ratio of two of them."""
IN_BITS = frozenset(
    {
        "bits_over_frequency",
        "bits_per_byte",
        "expectation_gap",
        "likelihood_difference",
        "praise",
        "praise_gap",
        "valence",
        "valence_gap",
    }
)
"""Names of means of log-probabilities to base 2."""
IN_NATS = frozenset({"nll"})
"""Likewise with the natural logarithm. No record says what a score is made of, so these go by their names."""


def rounding(found: Measurement, records: Iterable[Record], *, dtype: str) -> float:
    """The most that rounding is taken to move a bound of a number, in its unit; 0 in float32.

    Only an answer that is a near tie can come out otherwise, so the share of near ties bounds how far a count of
    answers moves, whatever the number type. A bound may move up to about twice as fast as its share (the slope of
    Wilson's bound is below 2), and two runs each have this margin, so that both together cover it.

    Args:
        records: of the step that the number is from; its accountings say how many answers are near ties.
        dtype: number type of the run.
    """
    if TOLERANCE.get(dtype, 0.0) <= TOLERANCE["float32"]:
        return 0.0
    accounts = _about(found.slice, [record for record in records if isinstance(record, Accounting)])
    tied = near_ties(found.estimate, accounts)
    counts = any(name in found.estimate.method for name in _COUNTS)
    return tied if counts else max(tied, _without_a_tie(found, dtype))


def _without_a_tie(found: Measurement, dtype: str) -> float:
    """How far a number moves with the probabilities or log-probabilities that it is a mean of: as far as one of them,
    also where sums over words are averaged, because noise cancels out over many; a perplexity by the factor of that.
    """
    if found.name in PERPLEXITIES:
        return found.estimate.value * math.expm1(LOG_TOLERANCE[dtype])
    if found.name in IN_BITS:
        return LOG_TOLERANCE[dtype] * BITS
    return (LOG_TOLERANCE if found.name in IN_NATS else TOLERANCE)[dtype]


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
