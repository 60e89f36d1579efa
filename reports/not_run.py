"""What was not measured, and why: skips planned or found while running, broken or missing steps, empty checks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from probes.core.findings import Status
from probes.core.records import Skip
from reports.limits import Limits
from reports.load import Loaded
from reports.numbers import part_in_words
from reports.ranking import Ranked
from reports.tables import code, columns, row, status, table, text
from reports.views import Badge, Row, Table
from reports.wording import BADGES, REASONS


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRun:
    """One thing that was not measured. `whole` is False where only one number of a probe is missing."""

    title: str
    what: str
    badge: Badge
    reason: str
    detail: str
    enable: str
    whole: bool = True


def not_run(loaded: Loaded, findings: Iterable[Ranked]) -> list[NotRun]:
    """Everything that was not measured, whole probes first."""
    found = [*_broken(loaded), *_planned(loaded), *_skipped(loaded)]
    known = {item.what for item in found}
    found += [_unjudged(item) for item in findings if _is_missing(item, known)]
    return sorted(found, key=lambda item: not item.whole)


def _broken(loaded: Loaded) -> Iterable[NotRun]:
    for planned in loaded.manifest.steps:
        step = loaded.steps.get(planned.step_id)
        if step is None:
            yield NotRun(
                title=planned.title,
                what=planned.probe,
                badge=BADGES[Status.NOT_RUN],
                reason="The run ended before it",
                detail="This step was planned and has no results on disk.",
                enable="run the same command again; finished steps are kept",
            )
        elif step.end.status == "failed":
            yield NotRun(
                title=planned.title,
                what=planned.probe,
                badge=BADGES[Status.ERROR],
                reason="The test broke",
                detail=step.end.error,
                enable="correct the cause and run the same command again",
            )


def _planned(loaded: Loaded) -> Iterable[NotRun]:
    for planned in loaded.manifest.skips:
        yield _from_skip(planned.title, planned.probe, planned.skip, whole=True)


def _skipped(loaded: Loaded) -> Iterable[NotRun]:
    for planned, record in loaded.records():
        if isinstance(record, Skip):
            part = part_in_words(record.slice)
            named = " ".join(p for p in (record.name or "", f"({part})" if part else "") if p)
            title = f"{planned.title}: {named}" if named else planned.title
            what = f"{planned.probe}.{record.name}" if record.name else planned.probe
            yield _from_skip(title, what, record, whole=not named)


def _from_skip(title: str, what: str, skip: Skip, *, whole: bool) -> NotRun:
    state = Status.NOT_RUN if skip.reason.applicable else Status.NOT_APPLICABLE
    return NotRun(
        title=title,
        what=what,
        badge=BADGES[state],
        reason=REASONS[skip.reason],
        detail=skip.detail,
        enable=skip.enable,
        whole=whole,
    )


def _is_missing(item: Ranked, known: set[str]) -> bool:
    missing = item.finding.status in (Status.NOT_RUN, Status.ERROR, Status.NOT_APPLICABLE)
    return missing and item.finding.probe not in known and item.finding.check not in known


def _unjudged(item: Ranked) -> NotRun:
    finding = item.finding
    return NotRun(
        title=finding.title,
        what=finding.check,
        badge=BADGES[finding.status],
        reason="The check found nothing to judge",
        detail=finding.message,
        enable=finding.enable,
        whole=False,
    )


def not_run_table(missing: Sequence[NotRun], *, limits: Limits) -> Table | None:
    """The rows a reader sees; None when everything planned was measured."""
    if not missing:
        return None
    head = columns("Not measured", "Status", "Reason", "What would enable it")
    return table("Not run, not applicable and broken", head, [_row(m) for m in missing], most=limits.checks, wide=True)


def _row(missing: NotRun) -> Row:
    enable = code(missing.enable) if missing.enable.startswith("-") else text(missing.enable or "–")
    return row(
        text(missing.title, missing.what),
        status(missing.badge),
        text(missing.reason, missing.detail),
        enable,
        kind=missing.badge.kind,
    )


def grouped(missing: Sequence[NotRun]) -> list[tuple[str, list[str]]]:
    """Titles by reason, for a short list: whole probes, then single numbers."""
    groups: dict[str, list[str]] = {}
    for item in missing:
        groups.setdefault(item.reason, []).append(item.title)
    return list(groups.items())
