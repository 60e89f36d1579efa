"""How surely a difference is none of chance, when many numbers are looked at."""

from __future__ import annotations

from collections.abc import Sequence

from scipy.special import stdtr

from probes.core.records import Estimate
from probes.core.side_by_side import ComparedNumber, Value
from probes.core.stats.clusters import t_quantile
from probes.core.stats.multiplicity import benjamini_hochberg


def adjusted(numbers: Sequence[ComparedNumber]) -> list[ComparedNumber]:
    """The numbers, each difference with its p-value adjusted for all differences of its run (Benjamini, Hochberg)."""
    places = [
        (row, column)
        for row, each in enumerate(numbers)
        for column, value in enumerate(each.values)
        if value.difference is not None
    ]
    values = [list(each.values) for each in numbers]
    for letter in sorted({values[row][column].letter for row, column in places}):
        own = [(row, column) for row, column in places if values[row][column].letter == letter]
        found = benjamini_hochberg([_p(values[row][column]) for row, column in own])
        for (row, column), p in zip(own, found.tolist(), strict=True):
            values[row][column] = values[row][column].model_copy(update={"adjusted": p})
    return [each.model_copy(update={"values": tuple(own)}) for each, own in zip(numbers, values, strict=True)]


def _p(value: Value) -> float:
    return 1.0 if value.difference is None else p_value(value.difference)


def p_value(difference: Estimate) -> float:
    """Two-sided p-value that a difference is zero, from its interval.

    The standard error is taken from the bound on the side of zero (Altman and Bland 2011, BMJ 343:d2304), with
    Student's t of as many degrees of freedom as there are independent items less one in place of the normal
    distribution.
    """
    half = difference.value - difference.low if difference.value > 0 else difference.high - difference.value
    if difference.value == 0 or half <= 0:
        return 1.0
    degrees = max(difference.clusters - 1, 1)
    distance = abs(difference.value) / half * t_quantile((1 - difference.level) / 2, df=degrees)
    return float(2 * stdtr(degrees, -distance))
