"""The rate of what an imperfect classifier is asked to count."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from probes.core.records import Estimate, SkipReason
from probes.core.stats.clusters import Clusters, effective_n
from probes.core.stats.derived import UnmeasurableError
from probes.core.stats.intervals import LEVEL, estimate

Bools = NDArray[np.bool_]

BETTER_THAN_CHANCE = 0.05
"""Error rate at which a classifier must be shown to say "yes" more often where it should than where it should not."""


@dataclass(frozen=True)
class Sample:
    """(n,) answers of yes or no, and (n,) keys: items with equal ones are not independent."""

    yes: Bools
    clusters: Sequence[Hashable] | None = None

    @property
    def n(self) -> int:
        return len(self.yes)

    @property
    def groups(self) -> Clusters:
        return Clusters.of(self.clusters, n=self.n)

    def size(self) -> Callable[[float], float]:
        """One-sided error rate -> how many independent items these are worth."""
        return effective_n(np.asarray(self.yes, dtype=np.float64), self.groups)

    @property
    def rate(self) -> float:
        return float(np.mean(self.yes))


def corrected_rate(counted: Sample, *, harmful: Sample, harmless: Sample) -> Estimate:
    """The share of items that are what a classifier looks for, from its answers and its errors on labelled items.

    Rogan and Gladen (1978), Am. J. Epidemiology 107:71: (rate + specificity - 1) / (sensitivity + specificity - 1),
    cut to 0 and 1. The bounds are those of Lang and Reiczigel (2014), Preventive Veterinary Medicine 113:13, which
    carry the uncertainty of all three rates; repeated clusters count as the independent items that they are worth.

    Args:
        counted: its answers about the items whose share is asked for.
        harmful: its answers about labelled items that are what it looks for.
        harmless: its answers about labelled items that are not.

    Raises:
        UnmeasurableError: where it is not shown to tell labelled items apart better than chance, or where its errors on
            these contradict what it says of the items: then they are of another kind, and their errors do not apply.
        ValueError: for no items of any of the three kinds.
    """
    sensitivity, specificity = harmful.rate, 1 - harmless.rate
    sizes = [sample.size() for sample in (counted, harmful, harmless)]
    _require_better_than_chance(sensitivity, specificity, sizes[1:])
    plain = (counted.rate + specificity - 1) / (sensitivity + specificity - 1)
    value = min(1.0, max(0.0, plain))
    cut = "" if value == plain else f"; the plain value {plain:.3f} is cut"

    def bounds(alpha: float) -> tuple[float, float]:
        counts = [size(alpha) for size in sizes]
        return _lang_reiczigel((counted.rate, sensitivity, specificity), counts, z=-float(ndtri(alpha)))

    _require_possible(*bounds((1 - LEVEL) / 2))
    return estimate(
        value,
        bounds=bounds,
        n=counted.n,
        clusters=counted.groups.count,
        method=counted.groups.describe(f"Rogan-Gladen with Lang-Reiczigel bounds{cut}"),
        limits=(0.0, 1.0),
    )


def _require_better_than_chance(
    sensitivity: float, specificity: float, sizes: Sequence[Callable[[float], float]]
) -> None:
    counts = [size(BETTER_THAN_CHANCE) for size in sizes]
    found, passed = _pulled(sensitivity, counts[0]), _pulled(specificity, counts[1])
    error = math.sqrt(found * (1 - found) / (counts[0] + 2) + passed * (1 - passed) / (counts[1] + 2))
    if found + passed - 1 <= -float(ndtri(BETTER_THAN_CHANCE)) * error:
        raise UnmeasurableError(
            SkipReason.UNDEFINED, "It is not shown that the scorer tells labelled texts apart better than chance."
        )


def _require_possible(low: float, high: float) -> None:
    """A rate that is surely below 0 or above 1 would be cut to a false certainty."""
    if high < 0 or low > 1:
        few = "fewer texts than its false alarms alone" if high < 0 else "more texts than it can"
        raise UnmeasurableError(
            SkipReason.UNDEFINED,
            f"The scorer flags {few}, going by its errors on the labelled texts: they are unlike those judged here.",
        )


def _lang_reiczigel(rates: tuple[float, float, float], counts: Sequence[float], *, z: float) -> tuple[float, float]:
    """Rates pulled towards one half, and a shift for the skewness of the ratio."""
    n = counts[0] + z**2
    apparent = (counts[0] * rates[0] + z**2 / 2) / n
    found, passed = _pulled(rates[1], counts[1]), _pulled(rates[2], counts[2])
    youden = found + passed - 1
    value = (apparent + passed - 1) / youden
    of_found, of_passed = found * (1 - found) / (counts[1] + 2), passed * (1 - passed) / (counts[2] + 2)
    shift = 2 * z**2 * (value * of_found - (1 - value) * of_passed)
    variance = apparent * (1 - apparent) / n + value**2 * of_found + (1 - value) ** 2 * of_passed
    half = z * math.sqrt(variance) / youden
    return value + shift - half, value + shift + half


def _pulled(rate: float, count: float) -> float:
    return (count * rate + 1) / (count + 2)
