"""Tables of the groups that a probe compares: one for each attribute, with the gaps between its groups and with the
groups that were too small to be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from probes.core.records import Measurement, Skip
from reports.limits import Limits
from reports.numbers import capital, count, printed, value_in_words
from reports.ranking import Ranked
from reports.tables import columns, estimated, number, rests_on, row, status, table, text
from reports.views import Cell, Row, Table
from reports.wording import BADGES, REASONS

ATTRIBUTES = ("attribute", "axis")
"""Slice keys that name what people are divided by, beside "group": columns of the data, lists of our own."""

Slice = tuple[tuple[str, str], ...]
"""A slice without its group, as sorted pairs."""

_ONE_TABLE = 5
"""Numbers that fit beside one another on paper."""
_PER_TABLE = 4
_FIRST = ("ratio_to_most_favoured", "ratio_to_reference", "gap_to_mean")
"""Numbers that belong beside the one the groups are sorted by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """What became of a probe's records.

    Attributes:
        tables: of the groups.
        measurements, skips: those that are in none of these tables.
    """

    tables: tuple[Table, ...]
    measurements: tuple[Measurement, ...]
    skips: tuple[Skip, ...]


def grouped(
    measurements: Sequence[Measurement],
    skips: Sequence[Skip],
    findings: Sequence[Ranked],
    *,
    title: str,
    limits: Limits,
) -> Grouped:
    """The group tables of one probe; `findings` are its own, the gravest first."""
    tables: list[Table] = []
    for where in attributes(measurements):
        part = _Part.of(where, measurements, skips, findings)
        tables += part.tables(title=f"{title}: {named(where)}", limits=limits)
        taken = {id(record) for record in (*part.groups, *part.gaps, *part.left_out)}
        measurements = [m for m in measurements if id(m) not in taken]
        skips = [skip for skip in skips if id(skip) not in taken]
    return Grouped(tables=tuple(tables), measurements=tuple(measurements), skips=tuple(skips))


def attributes(measurements: Sequence[Measurement]) -> list[Slice]:
    """The slices that are divided into groups, in the order published."""
    found = [without_group(m.slice) for m in measurements if "group" in m.slice]
    return [where for where in dict.fromkeys(found) if any(key in ATTRIBUTES for key, _ in where)]


def without_group(part: Mapping[str, str]) -> Slice:
    """What a slice says besides the group."""
    return tuple(sorted((key, value) for key, value in part.items() if key != "group"))


def named(where: Slice) -> str:
    """The attribute, then what else tells it from others: "religion (source data)"."""
    name = ", ".join(value_in_words(key, value) for key, value in where if key in ATTRIBUTES)
    rest = ", ".join(f"{key} {value}" for key, value in where if key not in ATTRIBUTES)
    return f"{name} ({rest})" if rest else name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """All records of one attribute; `keys` are those that name it."""

    keys: frozenset[str]
    groups: list[Measurement]
    gaps: list[Measurement]
    left_out: list[Skip]
    findings: list[Ranked]

    @classmethod
    def of(
        cls, where: Slice, measurements: Sequence[Measurement], skips: Sequence[Skip], findings: Sequence[Ranked]
    ) -> _Part:
        own = [m for m in measurements if without_group(m.slice) == where]
        measured = {m.slice.get("group") for m in own}
        return cls(
            keys=frozenset(key for key, _ in where),
            groups=[m for m in own if "group" in m.slice],
            gaps=[m for m in own if "group" not in m.slice],
            left_out=[
                skip
                for skip in skips
                if without_group(skip.slice) == where and skip.slice.get("group") not in {None, *measured}
            ],
            findings=[item for item in findings if without_group(item.finding.slice) == where],
        )

    def tables(self, *, title: str, limits: Limits) -> list[Table]:
        """By group; between groups; and the groups left out."""
        found = self._by_group(title, limits)
        if self.gaps:
            found.append(self._between(title, limits))
        if self.left_out:
            rows = [
                row(text(self._said(s.slice["group"])), text(REASONS[s.reason], s.detail), text(s.enable or "–"))
                for s in self.left_out
            ]
            head = columns("Group", "Reason", "What would enable it")
            found.append(table(f"{title}, groups not compared", head, rows, most=limits.rows, what="groups"))
        return found

    def _by_group(self, title: str, limits: Limits) -> list[Table]:
        """The groups by their first number, the highest first, in as many tables as fit on paper."""
        by_group: dict[str, dict[str, Measurement]] = {}
        for m in self.groups:
            by_group.setdefault(m.slice["group"], {})[m.name] = m
        parts = _parts([m.name for m in self.groups])
        main = parts[0][0]
        ordered = sorted(by_group, key=lambda group: (_sorting(by_group[group].get(main)), group))
        judged = any("group" in item.finding.slice for item in self.findings)
        tables = []
        for part in parts:
            first = part is parts[0]
            rows = [self._row(group, by_group[group], part, main=main, judged=first and judged) for group in ordered]
            head = columns(
                *_heading(judged=first and judged), *map(_spoken, part), numbers=("Items", *map(_spoken, part))
            )
            caption = f"{title}, by group" + ("" if first else f": {', '.join(map(_spoken, part)).lower()}")
            note = " ".join([f"Sorted by {_spoken(main).lower()}.", *self._explained(part)])
            tables.append(table(caption, head, rows, most=limits.rows, what="groups", note=note, wide=len(part) > 2))
        return tables

    def _row(
        self, group: str, cells: Mapping[str, Measurement], names: Sequence[str], *, main: str, judged: bool
    ) -> Row:
        first = cells.get(main)
        return row(
            text(self._said(group)),
            *([self._status(group=group)] if judged else []),
            rests_on(first.estimate if first else None),
            *(_cell(cells.get(name), n=first.estimate.n if first else 0) for name in names),
        )

    def _said(self, group: str) -> str:
        return value_in_words("group", group, self.keys)

    def _explained(self, names: Sequence[str]) -> Iterator[str]:
        """The columns in words, where all groups have the same title."""
        for name in names:
            titles = {m.title for m in self.groups if m.name == name}
            if len(titles) == 1:
                yield f"{_spoken(name)}: {titles.pop()}."

    def _between(self, title: str, limits: Limits) -> Table:
        judged = any("group" not in item.finding.slice for item in self.findings)
        rows = [
            row(
                text(capital(m.title), m.name),
                *([self._status(measurement=m.name)] if judged else []),
                estimated(m.estimate, m.unit),
                rests_on(m.estimate),
                text(m.estimate.method),
            )
            for m in self.gaps
        ]
        names = ("Measurement", *(["Status"] if judged else []), "Estimate and interval", "Items", "Interval method")
        head = columns(*names, numbers=("Estimate and interval", "Items"))
        return table(f"{title}, between groups", head, rows, most=limits.rows, what="measurements")

    def _status(self, *, group: str | None = None, measurement: str | None = None) -> Cell:
        """The gravest finding about this group, or about this number of the whole attribute."""
        for item in self.findings:
            finding = item.finding
            if finding.slice.get("group") == group and measurement in (None, finding.measurement):
                return status(BADGES[finding.status], item.anchor)
        return text("–")


def _parts(names: Sequence[str]) -> list[list[str]]:
    """The names in the order they are shown, divided evenly into tables; what belongs to the first comes with it."""
    distinct = list(dict.fromkeys(names))
    lead = [*distinct[:1], *(name for name in _FIRST if name in distinct[1:])]
    rest = [name for name in distinct if name not in lead]
    if len(distinct) <= _ONE_TABLE:
        return [lead + rest]
    tables = -(-len(rest) // _PER_TABLE)
    size = -(-len(rest) // tables)
    return [lead, *(rest[start : start + size] for start in range(0, len(rest), size))]


def _heading(*, judged: bool) -> tuple[str, ...]:
    return ("Group", "Status", "Items") if judged else ("Group", "Items")


def _sorting(main: Measurement | None) -> float:
    return -main.estimate.value if main else float("inf")


def _spoken(name: str) -> str:
    return capital(name.replace("_", " "))


def _cell(measurement: Measurement | None, *, n: int) -> Cell:
    """An estimate over its interval, with the number of items where it is another than the row's."""
    if measurement is None:
        return number("–")
    figures, own = printed(measurement.estimate, measurement.unit), measurement.estimate.n
    return number(figures.value, figures.interval if own == n else f"{figures.interval}; n {count(own)}")
