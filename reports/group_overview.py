"""Every comparison of groups in one place: who was compared, how many have no value, who was too few, how far apart;
then the comparisons that put words for one group of people in place of words for another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from probes.core.findings import Finding
from probes.core.manifest import PlannedStep
from probes.core.records import Measurement, Skip
from reports.chapters import chapter_anchors
from reports.groups import ATTRIBUTES, Slice
from reports.limits import Limits
from reports.load import Loaded
from reports.numbers import capital, count, part_in_words, plural, printed, spread
from reports.ranking import Ranked
from reports.selection_rates import selection_rates
from reports.tables import columns, number, row, status, table, text
from reports.views import Badge, Cell, Row, Section, Table
from reports.wording import outcome

_UNKNOWN = "unknown_share"
_JUDGED_NOT = Badge("Measured, not judged", "none")
_NAMED = 4
"""Groups that a cell names."""
_MEMBERS = ("group", "pair")
"""Slice keys that name one side of a comparison, or two of them."""


@dataclass(slots=True)
class _Comparison:
    """One attribute of one test; `groups` and `pairs` are sizes by name, in the order published."""

    step: PlannedStep
    name: str
    where: Slice
    groups: dict[str, int] = field(default_factory=dict)
    pairs: dict[str, int] = field(default_factory=dict)
    apart: list[Measurement] = field(default_factory=list)
    unknown: Measurement | None = None
    left_out: list[str] = field(default_factory=list)

    @property
    def swapped(self) -> bool:
        """Whether it compares the answers to words for groups, and not items of groups."""
        return not self.groups and bool(self.apart)


def group_overview(loaded: Loaded, findings: Sequence[Ranked], *, limits: Limits) -> Section:
    """The chapter on groups; the tables of each group stand in the chapters of the tests."""
    found = _comparisons(loaded)
    compared, swapped = [each for each in found if each.groups], [each for each in found if each.swapped]
    if not compared and not swapped:
        return Section(lead=_none(loaded))
    anchors, made = chapter_anchors(loaded), []
    if compared:
        made.append(_compared(compared, findings, anchors, limits))
    if swapped:
        made.append(_swapped(swapped, findings, anchors, limits))
    return Section(lead=_lead(loaded, compared, swapped), tables=(*made, *selection_rates(loaded, limits=limits)))


def _compared(
    found: Sequence[_Comparison], findings: Sequence[Ranked], anchors: Mapping[str, str], limits: Limits
) -> Table:
    names = ("Groups compared", "Without a value", "How far apart")
    head = columns("Divided by", "Status", *names, "Left out as too few", numbers=names)
    rows = [_row(each, findings, anchors) for each in found]
    note = "Each status leads to the chapter with a table of every group: items, number, interval, ratio and status."
    caption = "Groups that were compared"
    return table(caption, head, rows, most=limits.rows, what="comparisons", note=note, wide=True)


def _swapped(
    found: Sequence[_Comparison], findings: Sequence[Ranked], anchors: Mapping[str, str], limits: Limits
) -> Table:
    names = ("Pairs compared", "How far apart")
    head = columns("Divided by", "Status", *names, "Left out as too few", numbers=names)
    rows = [_swap_row(each, findings, anchors) for each in found]
    note = (
        "The same texts about one group and about another: what is compared is what the model makes of the words, not "
        "how it treats people who are in the data. Each status leads to the chapter with all pairs."
    )
    return table(
        "Identities that were compared by the words for them",
        head,
        rows,
        most=limits.rows,
        what="comparisons",
        note=note,
        wide=True,
    )


def _none(loaded: Loaded) -> str:
    return (
        f"No test of this run compared groups, or words for them. {_given(loaded)} "
        "Nothing is known about differences between people."
    )


def _given(loaded: Loaded) -> str:
    named_by_data = ", ".join(loaded.manifest.data.groups)
    return f"The data name groups by {named_by_data}." if named_by_data else "The data name no groups."


def _lead(loaded: Loaded, compared: Sequence[_Comparison], swapped: Sequence[_Comparison]) -> str:
    declared = "; ".join(loaded.manifest.card.affected_groups)
    counts = [
        f"{plural(len(compared), 'comparison')} of groups" if compared else "",
        f"{plural(len(swapped), 'comparison')} of identities by the words for them" if swapped else "",
    ]
    told = f"{' and '.join(filter(None, counts))}. "
    if not loaded.manifest.data.groups:
        told += "The data name no groups, so nothing is known about the people behind the texts. "
    told += f"Declared as affected by the model: {declared}. " if declared else "Who is affected was not declared. "
    labelled = "Groups are as labelled in the data; a" if loaded.manifest.data.groups else "A"
    return f"{told}{labelled} difference is no finding of unlawful discrimination."


def _comparisons(loaded: Loaded) -> list[_Comparison]:
    found: dict[tuple[str, Slice, str], _Comparison] = {}
    for step, record in loaded.records():
        if not isinstance(record, Measurement | Skip):
            continue
        key = _place(record.slice)
        if key is None:
            continue
        where, name = key
        _add(found.setdefault((step.step_id, where, name), _Comparison(step, name, where)), record)
    return list(found.values())


def _place(part: Mapping[str, str]) -> tuple[Slice, str] | None:
    """What a slice divides people by, and its name; None where it does not."""
    where = tuple(sorted((key, value) for key, value in part.items() if key not in _MEMBERS))
    if any(key in ATTRIBUTES for key, _ in where):
        return where, part_in_words(dict(where))
    column, equals, _ = part.get("group", "").partition("=")
    return (where, column) if equals else None


def _add(to: _Comparison, record: Measurement | Skip) -> None:
    group, pair = (record.slice.get(key) for key in _MEMBERS)
    if isinstance(record, Skip):
        one = group or pair
        to.left_out += [one] if one and one not in {*to.groups, *to.pairs} else []
    elif group is not None:
        to.groups.setdefault(group, record.estimate.n)
    elif pair is not None:
        to.pairs.setdefault(pair, record.estimate.n)
    elif record.name == _UNKNOWN:
        to.unknown = record
    else:
        to.apart.append(record)


def _row(found: _Comparison, findings: Sequence[Ranked], anchors: Mapping[str, str]) -> Row:
    judged = _judged(found, findings)
    badge = outcome(judged[0]) if judged else _JUDGED_NOT
    sizes = list(found.groups.values())
    return row(
        text(capital(found.name), found.step.title),
        status(badge, anchors[found.step.step_id]),
        number(count(len(sizes)), f"{spread(sizes)} items each"),
        _told(found.unknown),
        _apart(found, judged),
        text(_some(found.left_out) or "–"),
        kind=badge.kind,
    )


def _swap_row(found: _Comparison, findings: Sequence[Ranked], anchors: Mapping[str, str]) -> Row:
    judged = _judged(found, findings)
    badge = outcome(judged[0]) if judged else _JUDGED_NOT
    sizes = list(found.pairs.values())
    return row(
        text(capital(found.name), found.step.title),
        status(badge, anchors[found.step.step_id]),
        number(count(len(sizes)), f"{spread(sizes)} items each") if sizes else number("–"),
        _apart(found, judged),
        text(_some(found.left_out) or "–"),
        kind=badge.kind,
    )


def _judged(found: _Comparison, findings: Sequence[Ranked]) -> list[Finding]:
    """The findings about it, the gravest first."""
    own = [item.finding for item in findings if item.finding.probe == found.step.probe]
    return [finding for finding in own if (_place(finding.slice) or ((), ""))[1] == found.name]


def _told(measurement: Measurement | None) -> Cell:
    if measurement is None:
        return number("–")
    figures = printed(measurement.estimate, measurement.unit)
    return number(figures.value, figures.interval)


def _apart(found: _Comparison, judged: Sequence[Finding]) -> Cell:
    """The difference that was judged, or else the first one published."""
    names = [finding.measurement or "" for finding in judged]
    chosen = next((m for name in names for m in found.apart if m.name == name), None) or next(iter(found.apart), None)
    if chosen is None:
        return number("–", "see the groups")
    figures = printed(chosen.estimate, chosen.unit)
    return number(figures.line, chosen.name.replace("_", " "))


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(dict.fromkeys(names[:_NAMED]))
    return f"{shown} and {count(len(names) - _NAMED)} more" if len(names) > _NAMED else shown
