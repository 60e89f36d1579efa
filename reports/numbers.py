"""How numbers are printed: no more digits than the interval supports, units named, frequencies people can picture.

Natural frequencies ("about 7 in 100") are understood better than percentages by readers who are not statisticians
(Gigerenzer & Hoffrage, Psychological Review 102, 1995); they are used on the first page, percentages in tables.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from probes.core.counts import count as count
from probes.core.counts import plural as plural
from probes.core.records import Estimate, Unit

MINUS = "\N{MINUS SIGN}"
BASES = (100, 1_000, 10_000, 100_000)
SUFFIX = {Unit.PROPORTION: "%", Unit.DIFFERENCE: " pp", Unit.SCORE: ""}
_ENDS: Mapping[Unit | None, tuple[float, float]] = {Unit.PROPORTION: (0.0, 1.0), Unit.DIFFERENCE: (-1.0, 1.0)}
NAMED = {Unit.PROPORTION: "%", Unit.DIFFERENCE: " percentage points", Unit.SCORE: ""}
_MEANS = re.compile(r"(^|_)(f1|rouge|bleu|chrf)(_|$)")
"""Names of numbers that lie between 0 and 1 and are no share of anything that could be counted."""


@dataclass(frozen=True, slots=True)
class Printed:
    """An estimate as text: its value, its interval ("5.1% to 9.8%"), and both on one line."""

    value: str
    interval: str

    @property
    def line(self) -> str:
        """Value and interval together."""
        return f"{self.value} ({self.interval})"


def printed(estimate: Estimate, unit: Unit) -> Printed:
    """An estimate in its unit, to the digits its interval supports."""
    scale = _scale(unit)
    value, low, high = (scale * x for x in (estimate.value, estimate.low, estimate.high))
    places = decimals(low, high, value=value, limit=100 if unit is Unit.PROPORTION else None)
    sign = unit is Unit.DIFFERENCE
    if exact(estimate):
        return Printed(value=fixed(value, places, sign=sign) + SUFFIX[unit], interval="exact")
    return Printed(
        value=fixed(value, places, sign=sign) + SUFFIX[unit],
        interval=f"{fixed(low, places, sign=sign)}{_inner(unit)} to {fixed(high, places, sign=sign)}{SUFFIX[unit]}",
    )


def exact(estimate: Estimate) -> bool:
    """Is the number counted from all there is, so that chance has no part in it and an interval no meaning."""
    return estimate.estimand == "fixed_set" and estimate.low == estimate.value == estimate.high


def decimals(low: float, high: float, *, value: float | None = None, limit: float | None = None) -> int:
    """Decimal places that resolve the width of an interval to two digits, and show at most three digits in all.

    A value short of `limit` (100 for percentages) is never rounded up to it, nor one above zero down to it, where three
    places can tell them apart.
    """
    width = high - low
    largest = max(abs(low), abs(high))
    by_width = 1 - math.floor(math.log10(width)) if width > 0 else 2
    by_digits = 2 - math.floor(math.log10(largest)) if largest > 0 else 1
    places = max(0, min(by_width, by_digits, 3))
    while value is not None and places < 3 and _rounds_away(value, places, limit):
        places += 1
    return places


def _rounds_away(value: float, places: int, limit: float | None) -> bool:
    seen = round(value, places)
    return (seen == 0 and value != 0) or (limit is not None and value < limit <= seen)


def fixed(value: float, places: int, *, sign: bool = False) -> str:
    """A number with thousands separators, a true minus sign and no negative zero."""
    text = f"{abs(value):,.{places}f}"
    if float(text.replace(",", "")) == 0:
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def difference_unit(unit: Unit | None) -> Unit:
    """In what a difference of two such numbers is printed."""
    return Unit.SCORE if unit in (Unit.SCORE, None) else Unit.DIFFERENCE


def threshold(value: float, unit: Unit | None, *, named: bool = False) -> str:
    """A threshold as its author would write it: 5%, 2.5 pp, 0.4."""
    unit = unit or Unit.SCORE
    text = f"{_scale(unit) * value:.6g}".replace("-", MINUS)
    return text + (NAMED if named else SUFFIX)[unit]


def rounded_up(size: float) -> float:
    """A size in two digits, never smaller than it is; 0 for none."""
    digits = 1 - math.floor(math.log10(size)) if size > 0 else 0
    return math.ceil(round(size * 10.0**digits, 6)) / 10.0**digits


def ends(unit: Unit | None) -> tuple[float, float]:
    """The least and the greatest that a number of this unit can be; endless where its scale is not known."""
    return _ENDS.get(unit, (-math.inf, math.inf))


def accepted(minimum: float | None, maximum: float | None, unit: Unit | None, *, named: bool = False) -> str:
    """What a policy accepts: "at most 5%", "at least 80%", "1% to 5%", or "no threshold"."""
    low = None if minimum is None else threshold(minimum, unit, named=named)
    high = None if maximum is None else threshold(maximum, unit, named=named)
    if low and high:
        return f"{low} to {high}"
    return f"at least {low}" if low else f"at most {high}" if high else "no threshold"


def level(estimate: Estimate) -> str:
    """The confidence level of the interval: "95%"."""
    return f"{100 * estimate.level:g}%"


def spread(sizes: Sequence[int]) -> str:
    """The least and the most of some counts: "26 to 400", or "26" where they are alike."""
    least, most = min(sizes), max(sizes)
    return count(least) if least == most else f"{count(least)} to {count(most)}"


def items(estimate: Estimate) -> str:
    """How much an estimate rests on: "1,140", or "5,700 in 1,140 clusters" where items are not independent."""
    if estimate.n == estimate.clusters:
        return count(estimate.n)
    return f"{count(estimate.n)} in {count(estimate.clusters)} clusters"


def base_for(value: float, others: Iterable[float] = ()) -> int:
    """The smallest of 100, 1,000 ... at which a share is at least 1 (and short of all) and differs from `others`."""
    for base in BASES:
        seen = round(value * base)
        told_apart = all(round(other * base) != seen for other in others if other != value)
        if told_apart and (value in (0, 1) or min(value, 1 - value) * base > 1 - 1e-9):
            return base
    return BASES[-1]


def frequency(value: float, base: int) -> str:
    """A share as a frequency: "about 7 in 100"; "none" and "all" only where that was the observation."""
    if value in (0, 1):
        return "none" if value == 0 else "all"
    seen = round(value * base)
    if seen in (0, base):
        return f"fewer than 1 in {count(base)}" if seen == 0 else f"more than {count(base - 1)} in {count(base)}"
    return f"about {count(seen)} in {count(base)}"


def in_words(
    estimate: Estimate, unit: Unit | None, *, minimum: float | None, maximum: float | None, name: str = ""
) -> str:
    """An estimate against its threshold, for a reader who is no statistician.

    Args:
        name: of the measurement; an F1 of 40% does not mean 40 in 100 of anything.
    """
    accepts = accepted(minimum, maximum, unit, named=True)
    if unit is not Unit.PROPORTION or _MEANS.search(name):
        figures = printed(estimate, unit or Unit.SCORE)
        value, interval = figures.value.replace(" pp", NAMED[Unit.DIFFERENCE]), figures.interval
    else:
        bounds = [bound for bound in (minimum, maximum) if bound is not None]
        base = base_for(estimate.value, bounds)
        value = frequency(estimate.value, base)
        interval = f"{count(round(estimate.low * base))} to {count(round(estimate.high * base))} in {count(base)}"
        limits = [None if bound is None else count_in(bound, base) for bound in (minimum, maximum)]
        accepts = _accepted_frequency(limits[0], limits[1])
    told = f"the policy accepts {accepts}" if minimum is not None or maximum is not None else "no threshold is set"
    sure = "exact" if exact(estimate) else f"{level(estimate)} interval {interval}"
    return f"{value} ({sure}); {told}; n = {items(estimate)}"


def count_in(share: float, base: int) -> str:
    """A threshold as a frequency: "5 in 100", with a decimal where it needs one."""
    return f"{share * base:,.6g} in {count(base)}"


def _accepted_frequency(low: str | None, high: str | None) -> str:
    if low and high:
        return f"{low} to {high}"
    return f"at least {low}" if low else f"at most {high}"


def capital(text: str) -> str:
    """The text with its first letter upper-case and the rest as it is."""
    return text[:1].upper() + text[1:]


def _scale(unit: Unit) -> float:
    return 1.0 if unit is Unit.SCORE else 100.0


def _inner(unit: Unit) -> str:
    return "%" if unit is Unit.PROPORTION else ""


_NAMED = frozenset({"order", "perturbation", "register"})
_OURS = frozenset({"axis", "pair", "functionality", "technique", "category", "kind", "ranking", *_NAMED})
"""Keys whose values are names of our own lists."""
_PLAIN = frozenset({"attribute", "group", "slice", "source", *_OURS}) - _NAMED
"""Keys of a part of the data that need no naming: their values say what they are."""
_SOURCES = {"data": "in the audit's texts", "templates": "in templates", "own sentences": "in sentences of our own"}


def part_in_words(part: Mapping[str, str]) -> str:
    """Which part of the data or which setting a number is about: "severity 2", "religion, in templates"; "" for all."""
    return ", ".join(_said(key, value, part) for key, value in sorted(part.items()))


def value_in_words(key: str, value: str, part: Collection[str] = ()) -> str:
    """A value of a part of the data as a reader sees it; names of our own lists lose their underscores.

    Args:
        part: the keys of the part: the groups of an axis are those of our lists, others are the user's.
    """
    if key == "source":
        return _SOURCES.get(value, value)
    ours = key in _OURS or (key == "group" and "axis" in part)
    return value.replace("_", " ") if ours else value


def _said(key: str, value: str, part: Collection[str]) -> str:
    said = value_in_words(key, value, part)
    if key == "word":
        return f"word “{said}”"
    return said if key in _PLAIN or said.startswith(f"{key} ") else f"{key} {said}"
