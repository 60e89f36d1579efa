"""Legal status and age of a map on the day of a run. The clock is never asked, so a report renders alike on any day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from reports.evidence_map.instrument import Clause, Header, LegalStatus
from reports.load import Loaded
from reports.views import Badge

STALE_AFTER = timedelta(days=180)
"""Age at which a map is no longer printed without a warning."""

_BADGES: Mapping[LegalStatus, Badge] = {
    LegalStatus.IN_FORCE: Badge("In force", "none"),
    LegalStatus.ADOPTED: Badge("Adopted, not yet applicable", "notrun"),
    LegalStatus.DRAFT: Badge("Draft", "notrun"),
    LegalStatus.VOLUNTARY: Badge("Voluntary", "none"),
    LegalStatus.SUPERSEDED: Badge("Superseded", "notrun"),
}
NOT_YET = Badge("Not yet applicable", "notrun")
_PARTLY = Badge("In force in part", "notrun")
_PASSED = Badge("Adopted; its date has passed", "open")


def day_of(loaded: Loaded) -> date | None:
    """The day on which the run was last judged, where that was recorded, or else made; None where neither is a date."""
    judged = loaded.verdict.as_of if loaded.verdict else None
    for written in (judged, loaded.manifest.created):
        try:
            return date.fromisoformat((written or "")[:10])
        except ValueError:
            continue
    return None


def is_stale(header: Header, day: date) -> bool:
    """Was the instrument last checked too long before that day."""
    return day - header.verified_on > STALE_AFTER


def staleness(header: Header, day: date | None) -> str:
    """The warning for a map that is too old; "" where it is not, or where the day is not known."""
    if day is None or not is_stale(header, day):
        return ""
    return (
        f"Last checked on {header.verified_on}, {(day - header.verified_on).days} days before {day}: status, dates and "
        "clauses may have changed since. Check them before you rely on this map."
    )


def status_on(header: Header, day: date | None) -> Badge:
    """The legal status, with the dates compared with the day."""
    dates = header.applies_from.values()
    if day is None or not dates:
        return _BADGES[header.status]
    if header.status is LegalStatus.ADOPTED:
        return _BADGES[LegalStatus.ADOPTED] if max(dates) > day else _PASSED
    if header.status is LegalStatus.IN_FORCE and max(dates) > day:
        return NOT_YET if min(dates) > day else _PARTLY
    return _BADGES[header.status]


def ahead(clause: Clause, header: Header, day: date | None) -> str:
    """When a clause starts to apply, where nothing it depends on applied on that day; otherwise ""."""
    dates = {name: header.applies_from[name] for name in clause.applies if name in header.applies_from}
    if day is None or not dates or min(dates.values()) <= day:
        return ""
    return listed(dates)


def listed(dates: Mapping[str, date]) -> str:
    """What applies from when: "general-purpose models from 2025-08-02; ..."."""
    return "; ".join(f"{name} from {start}" for name, start in _by_date(dates.items()))


def _by_date(dates: Iterable[tuple[str, date]]) -> list[tuple[str, date]]:
    return sorted(dates, key=lambda item: (item[1], item[0]))
