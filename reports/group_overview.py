"""Every comparison of groups in one table: who was compared, how many have no value, who was too few, how far apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from probes.core.manifest import PlannedStep
from probes.core.records import Measurement, Skip
from reports.chapters import chapter_anchors
from reports.groups import ATTRIBUTES, Slice, named, without_group
from reports.limits import Limits
from reports.load import Loaded
from reports.numbers import capital, count, plural, printed, spread
from reports.ranking import Ranked
from reports.tables import columns, number, row, status, table, text
from reports.views import Badge, Cell, Row, Section
from reports.wording import BADGES

_UNKNOWN = "unknown_share"
_JUDGED_NOT = Badge("Measured, not judged", "none")
_NAMED = 4
"""Groups that a cell names."""


@dataclass(slots=True)
class _Comparison:
    """One attribute of one test; `groups` are sizes by name, in the order published."""

    step: PlannedStep
    name: str
    where: Slice
    groups: dict[str, int] = field(default_factory=dict)
    apart: list[Measurement] = field(default_factory=list)
    unknown: Measurement | None = None
    left_out: list[str] = field(default_factory=list)


def group_overview(loaded: Loaded, findings: Sequence[Ranked], *, limits: Limits) -> Section:
    """The chapter on groups; the tables of each group stand in the chapters of the tests."""
    compared = [each for each in _comparisons(loaded) if each.groups]
    if not compared:
        return Section(lead=_none(loaded))
    anchors, names = chapter_anchors(loaded), ("Groups compared", "Without a value", "How far apart")
    head = columns("Divided by", "Status", *names, "Left out as too few", numbers=names)
    rows = [_row(each, findings, anchors) for each in compared]
    note = "Each status leads to the chapter with a table of every group: items, number, interval, ratio and status."
    made = table("Groups that were compared", head, rows, most=limits.rows, what="comparisons", note=note, wide=True)
    return Section(lead=_lead(loaded, compared), tables=(made,))


def _none(loaded: Loaded) -> str:
    named_by_data = ", ".join(loaded.manifest.data.groups)
    given = f"The data name groups by {named_by_data}" if named_by_data else "The data name no groups"
    return f"No test of this run compared groups. {given}. Nothing is known about differences between people."


def _lead(loaded: Loaded, compared: Sequence[_Comparison]) -> str:
    declared = "; ".join(loaded.manifest.card.affected_groups)
    told = f"{plural(len(compared), 'comparison')} of groups. "
    told += f"Declared as affected by the model: {declared}. " if declared else "Who is affected was not declared. "
    return told + "Groups are as labelled in the data; a difference is no finding of unlawful discrimination."


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
    where = without_group(part)
    if any(key in ATTRIBUTES for key, _ in where):
        return where, named(where)
    column, equals, _ = part.get("group", "").partition("=")
    return (where, column) if equals else None


def _add(to: _Comparison, record: Measurement | Skip) -> None:
    group = record.slice.get("group")
    if isinstance(record, Skip):
        to.left_out += [group] if group and group not in to.groups else []
    elif group is not None:
        to.groups.setdefault(group, record.estimate.n)
    elif record.name == _UNKNOWN:
        to.unknown = record
    else:
        to.apart.append(record)


def _row(found: _Comparison, findings: Sequence[Ranked], anchors: Mapping[str, str]) -> Row:
    own = [item.finding for item in findings if item.finding.probe == found.step.probe]
    judged = [finding for finding in own if (_place(finding.slice) or ((), ""))[1] == found.name]
    badge = BADGES[judged[0].status] if judged else _JUDGED_NOT
    sizes = list(found.groups.values())
    return row(
        text(capital(found.name), found.step.title),
        status(badge, anchors[found.step.step_id]),
        number(count(len(sizes)), f"{spread(sizes)} items each"),
        _told(found.unknown),
        _apart(found, [finding.measurement or "" for finding in judged]),
        text(_some(found.left_out) or "–"),
        kind=badge.kind,
    )


def _told(measurement: Measurement | None) -> Cell:
    if measurement is None:
        return number("–")
    figures = printed(measurement.estimate, measurement.unit)
    return number(figures.value, figures.interval)


def _apart(found: _Comparison, judged: Sequence[str]) -> Cell:
    """The difference that was judged, or else the first one published."""
    chosen = next((m for name in judged for m in found.apart if m.name == name), None) or next(iter(found.apart), None)
    if chosen is None:
        return number("–", "see the groups")
    figures = printed(chosen.estimate, chosen.unit)
    return number(figures.line, chosen.name.replace("_", " "))


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(dict.fromkeys(names[:_NAMED]))
    return f"{shown} and {count(len(names) - _NAMED)} more" if len(names) > _NAMED else shown
