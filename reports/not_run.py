"""What was not measured, and why: skips planned or found while running, broken or missing steps, empty checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from probes.core.findings import Finding, Status
from probes.core.records import Skip
from reports.limits import Limits
from reports.load import Loaded
from reports.marks import visible
from reports.numbers import count, part_in_words, plural
from reports.ranking import Ranked
from reports.tables import code, columns, row, status, table, text
from reports.views import Badge, Row, Table
from reports.wording import BADGES, LEVELS, REASONS

Kind = Literal["probe", "number", "check"]
_NAMED = 4
"""Checks that are named in one row."""
_CAPTIONS: Mapping[Kind, str] = {
    "probe": "Probes that were not run, do not apply or broke",
    "number": "Single numbers that probes of this run could not give",
    "check": "Checks that found nothing to judge",
}
_ABSENT = frozenset({Status.NOT_RUN, Status.ERROR, Status.NOT_APPLICABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRun:
    """One thing that was not measured: a whole probe, one number of a probe that ran, or what a check asks for.

    Attributes:
        what: id of the probe, with the name of the number where it is one.
        checks: the checks of the policy that could not be made without it, with their levels.
    """

    title: str
    probe: str
    what: str
    badge: Badge
    reason: str
    detail: str
    enable: str
    kind: Kind = "probe"
    checks: tuple[str, ...] = ()


def not_run(loaded: Loaded, findings: Iterable[Ranked]) -> list[NotRun]:
    """Everything that was not measured, each with the checks that wanted it: probes, single numbers, then checks."""
    found = [*_broken(loaded), *_planned(loaded), *_skipped(loaded)]
    wanted: dict[int, list[str]] = {}
    alone = []
    for finding in (item.finding for item in findings if item.finding.status in _ABSENT):
        place = _place(finding, found)
        if place is None:
            alone.append(_unjudged(finding))
        else:
            wanted.setdefault(place, []).append(_check(finding))
    found = [replace(item, checks=tuple(wanted.get(place, ()))) for place, item in enumerate(found)] + alone
    return sorted(found, key=lambda item: get_args(Kind).index(item.kind))


def _place(finding: Finding, found: Sequence[NotRun]) -> int | None:
    """Which of them is why the check was not made: the one that says the same, or else the whole probe."""
    of_probe = [place for place, item in enumerate(found) if item.probe == finding.probe]
    same = [place for place in of_probe if visible(found[place].detail) == finding.message]
    exact = [place for place in same if found[place].title == finding.title]
    whole = [place for place in of_probe if found[place].kind == "probe"]
    return next(iter(exact + same + whole), None)


def _check(finding: Finding) -> str:
    return f"{finding.check} ({LEVELS[finding.level].lower()})"


def _broken(loaded: Loaded) -> Iterable[NotRun]:
    for planned in loaded.manifest.steps:
        step = loaded.steps.get(planned.step_id)
        if step is None:
            yield NotRun(
                title=planned.title,
                probe=planned.probe,
                what=planned.probe,
                badge=BADGES[Status.NOT_RUN],
                reason="The run ended before it",
                detail="This step was planned and has no results on disk.",
                enable="run the same command again; finished steps are kept",
            )
        elif step.end.status == "failed":
            yield NotRun(
                title=planned.title,
                probe=planned.probe,
                what=planned.probe,
                badge=BADGES[Status.ERROR],
                reason="The test broke",
                detail=step.end.error,
                enable="correct the cause and run the same command again",
            )


def _planned(loaded: Loaded) -> Iterable[NotRun]:
    for planned in loaded.manifest.skips:
        yield _from_skip(planned.title, planned.probe, planned.probe, planned.skip)


def _skipped(loaded: Loaded) -> Iterable[NotRun]:
    for planned, record in loaded.records():
        if isinstance(record, Skip):
            part = part_in_words(record.slice)
            spoken = (record.name or "").replace("_", " ")
            named = " ".join(p for p in (spoken, f"({part})" if part else "") if p)
            title = f"{planned.title}: {named}" if named else planned.title
            what = f"{planned.probe}.{record.name}" if record.name else planned.probe
            yield replace(_from_skip(title, planned.probe, what, record), kind="number" if named else "probe")


def _from_skip(title: str, probe: str, what: str, skip: Skip) -> NotRun:
    state = Status.NOT_RUN if skip.reason.applicable else Status.NOT_APPLICABLE
    return NotRun(
        title=title,
        probe=probe,
        what=what,
        badge=BADGES[state],
        reason=REASONS[skip.reason],
        detail=skip.detail,
        enable=skip.enable,
    )


def _unjudged(finding: Finding) -> NotRun:
    return NotRun(
        title=finding.title,
        probe=finding.probe,
        what=_check(finding),
        badge=BADGES[finding.status],
        reason="The check found nothing to judge",
        detail=finding.message,
        enable=finding.enable,
        kind="check",
    )


def not_run_tables(missing: Sequence[NotRun], *, limits: Limits) -> tuple[Table, ...]:
    """A table for each kind of thing; none when everything planned was measured."""
    head = columns("Not measured", "Status", "Reason", "What would enable it")
    rows = {kind: [_row(item) for item in missing if item.kind == kind] for kind in _CAPTIONS}
    return tuple(
        table(caption, head, rows[kind], most=limits.checks, wide=True)
        for kind, caption in _CAPTIONS.items()
        if rows[kind]
    )


def counted(missing: Sequence[NotRun]) -> str:
    """How many of each kind: "65 probes, 5 single numbers"."""
    kinds = Counter(item.kind for item in missing)
    names: Mapping[Kind, str] = {"probe": "probe", "number": "single number", "check": "check"}
    return ", ".join(plural(kinds[kind], name) for kind, name in names.items() if kinds[kind])


def _row(missing: NotRun) -> Row:
    enable = code(missing.enable) if missing.enable.startswith("-") else text(missing.enable or "–")
    return row(
        text(missing.title, f"{missing.what}{_without(missing.checks)}"),
        status(missing.badge),
        text(missing.reason, missing.detail),
        enable,
        kind=missing.badge.kind,
    )


def _without(checks: Sequence[str]) -> str:
    """The checks that could not be made, as far as a row has room for them."""
    if not checks:
        return ""
    more = f" and {count(len(checks) - _NAMED)} more" if len(checks) > _NAMED else ""
    name = "Check" if len(checks) == 1 else "Checks"
    return f". {name} that could not be made: {', '.join(checks[:_NAMED])}{more}"


def grouped(missing: Sequence[NotRun]) -> list[tuple[str, list[str]]]:
    """Titles by reason, for a short list: whole probes, then single numbers."""
    groups: dict[str, list[str]] = {}
    for item in missing:
        groups.setdefault(item.reason, []).append(item.title)
    return list(groups.items())
