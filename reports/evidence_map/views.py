"""What the templates print of the evidence map; as in `reports.views`."""

from __future__ import annotations

from dataclasses import dataclass

from reports.views import Badge, Fact, Link, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceItem:
    """One piece of evidence beside a clause; `found` is "" where it is no probe's."""

    what: str
    found: str
    links: tuple[Link, ...]
    relation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseRow:
    """A clause of the evidence map.

    Attributes:
        badge: that it did not apply yet; None otherwise.
        since: from when it will; "" otherwise.
        warning: about its number.
    """

    id: str
    title: str
    badge: Badge | None
    since: str
    warning: str
    items: tuple[EvidenceItem, ...]
    limits: str
    human: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentMap:
    """A law or standard with its clauses."""

    anchor: str
    title: str
    id: str
    badges: tuple[Badge, ...]
    warning: str
    summary: str
    facts: tuple[Fact, ...]
    clauses: tuple[ClauseRow, ...]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceMap:
    """Which results are evidence relevant to which clause."""

    scope: str
    banner: str
    notes: tuple[str, ...]
    status: Table
    relations: tuple[Fact, ...]
    instruments: tuple[InstrumentMap, ...]
    never: Table
