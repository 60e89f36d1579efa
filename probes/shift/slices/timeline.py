"""Reading a column of dates or numbers as an order in time, and cutting it into periods."""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import numpy as np

from probes.core.answers import Floats
from probes.core.stats.clusters import FEW

READABLE = 0.95
"""A column is of a form when at least this share of its values is."""
PERIODS = 12
"""More periods than this are merged: into months, years or four parts with as many texts each."""
PARTS = 4

_LABELS = ("%Y-%m-%d", "%Y-%m", "%Y")
_FORMATS = (
    ("%Y", 2), ("%Y-%m", 1), ("%Y/%m", 1), ("%B %Y", 1), ("%b %Y", 1), ("%Y/%m/%d", 0), ("%d.%m.%Y", 0),
    ("%B %d, %Y", 0), ("%b %d, %Y", 0), ("%d %B %Y", 0), ("%d %b %Y", 0), ("%m %d, %Y", 0),
    ("%a %b %d %H:%M:%S %z %Y", 0), ("%a, %d %b %Y %H:%M:%S %z", 0),
)  # fmt: skip
"""Ways of writing a date, each with how many of the finest labels it has no information for."""
_DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d/%m/%Y %H:%M")
_MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%Y %H:%M")
_SECONDS, _MILLISECONDS = 10, 13
"""Digits of a time counted from 1970, for the years 2001 to 2286."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time.

    Attributes:
        at: orders moments of one column; days where it is a date.
        labels: what a period around it may be called, finest first.
    """

    at: float
    labels: tuple[str, ...]


Read = Callable[[str], Moment | None]


class UnreadableError(Exception):
    """The values of a column have no order in time that can be told; the text says why, in words for a reader."""


def moments(values: Sequence[str]) -> list[Moment | None]:
    """What (n,) values mean; None for those that are empty or of another form than nearly all.

    Raises:
        UnreadableError: where no one form fits, or day and month cannot be told apart.
    """
    counts = Counter(value for value in values if value)
    known = _one_form(counts)
    return [known.get(value) for value in values]


def periods(found: Sequence[Moment | None]) -> list[str | None]:
    """(n,) names of periods: the finest of days, months and years with 2 to PERIODS of them, at least half of which
    hold 30 items; else PARTS periods with about as many items each. None where the moment is.
    """
    known = [moment for moment in found if moment is not None]
    for level in range(max((len(moment.labels) for moment in known), default=0)):
        names = [_label(moment, level) for moment in known]
        sizes = sorted(Counter(names).values())
        if 2 <= len(sizes) <= PERIODS and sizes[len(sizes) // 2] >= FEW:
            return [None if moment is None else _label(moment, level) for moment in found]
    return _equal_parts(found, known)


def instants(found: Sequence[Moment | None]) -> Floats:
    """(n,): 0 for the earliest and 1 for the latest moment, NaN where there is none, or only one."""
    at = np.array([np.nan if moment is None else moment.at for moment in found], dtype=np.float64)
    if np.isnan(at).all() or np.nanmin(at) == np.nanmax(at):
        return np.full(len(at), np.nan)
    return np.asarray((at - np.nanmin(at)) / (np.nanmax(at) - np.nanmin(at)), dtype=np.float64)


def _one_form(counts: Counter[str]) -> Mapping[str, Moment | None]:
    readers: list[Read] = [_iso, _since_1970, *(partial(_strptime, form=form, coarse=by) for form, by in _FORMATS)]
    for read in readers:
        known = _read(counts, read)
        if known is not None:
            return known
    pairs = (
        [_read(counts, partial(_strptime, form=form, coarse=0)) for form in forms]
        for forms in zip(_DAY_FIRST, _MONTH_FIRST, strict=True)
    )
    for day_first, month_first in pairs:
        if day_first and month_first and day_first != month_first:
            raise UnreadableError("its dates do not tell the day from the month; write them like 2026-03-14")
        if day_first or month_first:
            return day_first or month_first or {}
    known = _read(counts, _number)
    if known is None:
        raise UnreadableError("its values are neither dates nor numbers")
    return known


def _read(counts: Counter[str], read: Read) -> Mapping[str, Moment | None] | None:
    """Value -> moment; None where too few values are of this form."""
    known = {value: read(value) for value in counts}
    readable = sum(counts[value] for value, moment in known.items() if moment is not None)
    return known if readable and readable >= READABLE * counts.total() else None


def _iso(value: str) -> Moment | None:
    if value.isdigit() and len(value) != len("20260314"):
        return None
    try:
        return _moment(datetime.fromisoformat(value), coarse=0)
    except (ValueError, OverflowError):  # the last hours of the year 9999 in another time zone
        return None


def _since_1970(value: str) -> Moment | None:
    if not (value.isascii() and value.isdigit() and len(value) in (_SECONDS, _MILLISECONDS)):
        return None
    return _moment(datetime.fromtimestamp(int(value[:_SECONDS]), tz=UTC), coarse=0)


def _strptime(value: str, *, form: str, coarse: int) -> Moment | None:
    try:
        return _moment(datetime.strptime(value, form), coarse=coarse)
    except (ValueError, OverflowError):
        return None


def _number(value: str) -> Moment | None:
    """A plain number (week 12, month 3, wave 2), or the name of a month."""
    names = [name.lower() for name in calendar.month_name]
    try:
        at = float(names.index(value.lower()) if value.lower() in names else value)
    except ValueError:
        return None
    return Moment(at, (value,)) if np.isfinite(at) else None


def _moment(when: datetime, *, coarse: int) -> Moment:
    plain = when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when
    at = plain.toordinal() + (plain.hour * 3600 + plain.minute * 60 + plain.second) / 86400
    return Moment(at, tuple(plain.strftime(label) for label in _LABELS[coarse:]))


def _label(moment: Moment, level: int) -> str:
    return moment.labels[min(level, len(moment.labels) - 1)]


def _equal_parts(found: Sequence[Moment | None], known: Sequence[Moment]) -> list[str | None]:
    if not known:
        return [None] * len(found)
    at = np.array([moment.at for moment in known])
    cuts = np.unique(np.quantile(at, np.arange(1, PARTS) / PARTS, method="inverted_cdf"))
    part = {moment: int(np.searchsorted(cuts, moment.at)) for moment in known}
    names = {}
    for number in set(part.values()):
        members = sorted((moment for moment in part if part[moment] == number), key=lambda moment: moment.at)
        ends = dict.fromkeys((members[0].labels[0], members[-1].labels[0]))
        names[number] = " to ".join(ends)
    return [None if moment is None else names[part[moment]] for moment in found]
