"""A time budget cuts every sample by the same share, and says so."""

from __future__ import annotations

import math
from collections.abc import Mapping

from audits.planning.rehearsal import Questions

MINIMUM_ITEMS = 30
"""A time budget never cuts a step below this: fewer items answer nothing."""
CLEAN_SHARE = 0.25
"""Of a time budget, for the items' own texts: the cheapest evidence there is."""


def fit_budget(
    counts: Mapping[str, int], rates: Mapping[str, Questions], *, seconds: float, seconds_per_call: float
) -> tuple[dict[str, int], list[str]]:
    """Cut samples until the estimated cost fits; never below MINIMUM_ITEMS.

    Probes that ask only for the items' own texts share that one pass, which may take CLEAN_SHARE of the budget; the
    others are cut by one common factor to what is left.
    """
    cap = max(MINIMUM_ITEMS, int(CLEAN_SHARE * seconds / seconds_per_call))

    def cut(factor: float) -> dict[str, int]:
        return {
            name: min(count, max(MINIMUM_ITEMS, math.floor(count * factor)) if rates[name].own else cap)
            for name, count in counts.items()
        }

    def cost(sizes: Mapping[str, int]) -> float:
        calls = sum(rates[name].calls(count) for name, count in sizes.items())
        return (max(sizes.values(), default=0) + calls) * seconds_per_call

    if cost(counts) <= seconds:
        return dict(counts), []
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if cost(cut(middle)) <= seconds else (low, middle)
    sizes = cut(low)
    return sizes, _budget_notes(sizes, seconds=seconds, without=cost(counts), estimate=cost(sizes))


def _budget_notes(sizes: Mapping[str, int], *, seconds: float, without: float, estimate: float) -> list[str]:
    counts = [size for size in sizes.values() if size]  # 0: asks about texts of its own
    smallest, largest = min(counts, default=0), max(counts, default=0)
    each = f"{smallest:,}" if smallest == largest else f"{smallest:,} to {largest:,}"
    notes = [
        f"The time budget of {seconds:.0f} s cut the samples to {each} items a probe. Without it the suite would take "
        f"about {without:.0f} s. With it intervals are wider and more checks stay inconclusive."
    ]
    if estimate > seconds:
        notes.append(f"The budget is too small for {MINIMUM_ITEMS} items a probe; the estimate is {estimate:.0f} s.")
    return notes
