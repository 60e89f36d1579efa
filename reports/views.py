"""What the templates print: frozen objects whose strings are final. No template computes, compares or formats.

Every string may hold hostile text; the templates escape all of them and name what cannot be seen (`reports.render`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reports.charts import IntervalPlot

Kind = Literal["pass", "fail", "open", "error", "notrun", "na", "waived", "none"]
"""Names the colour and the shape of a status."""


@dataclass(frozen=True, slots=True)
class Badge:
    """A status: always a word, a shape and a colour together."""

    word: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to another place of the report."""

    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A name with its value; `code` for what is typed or copied, `prose` for sentences with such between backticks."""

    name: str
    value: str
    code: bool = False
    prose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One table cell.

    Attributes:
        sub: a second, quieter line.
        shade: 0 to 5, how strongly the cell is tinted.
    """

    text: str = ""
    kind: Literal["text", "number", "code", "badge"] = "text"
    sub: str = ""
    badge: Badge | None = None
    anchor: str = ""
    shade: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column heading."""

    text: str
    number: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A table row; its first cell is its heading. `kind` lets the optional filter find it."""

    cells: tuple[Cell, ...]
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table. `note` says what was left out, or how to read it; `anchor` is there where others lead to it."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    wide: bool = False
    anchor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A chapter that is nothing but a lead, facts and tables; `links` lead to what it summarises."""

    lead: str
    facts: tuple[Fact, ...] = ()
    tables: tuple[Table, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which run this is.

    Attributes:
        review: whether a person has decided about it.
        confidentiality: the label that was declared; "" where none was.
        in_print: all of it in one line, for the margin of each printed page.
    """

    model: str
    fingerprint: str
    run_id: str
    created: str
    facts: tuple[Fact, ...]
    verdict: Badge
    review: Badge
    confidentiality: str
    in_print: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """A finding on the first page."""

    number: str
    anchor: str
    badge: Badge
    level: str
    title: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The first page.

    Attributes:
        bearings: what is worst, for whom, and how sure all of it is; empty where nothing was judged.
        headline_note: what the headlines leave out.
        waivers: those in force and those not in order; "" where there are none.
    """

    badge: Badge
    sentence: str
    counts: tuple[tuple[Badge, str], ...]
    total: str
    bearings: tuple[Fact, ...]
    headlines: tuple[Headline, ...]
    headline_note: str
    closest: tuple[Headline, ...]
    waivers: str
    untested: tuple[Fact, ...]
    tasks: tuple[Fact, ...]
    notes: tuple[str, ...]
    assurance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskResults:
    """All checks of one risk; `risk` lets the optional filter find it."""

    risk: str
    anchor: str
    title: str
    summary: str
    plots: tuple[IntervalPlot, ...]
    checks: Table
    matrices: tuple[Table, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the findings register; `risk` lets the optional filter find it."""

    risk: str
    number: str
    anchor: str
    badge: Badge
    level: str
    title: str
    facts: tuple[Fact, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A text in full, line by line."""

    title: str
    lines: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The thresholds as applied, the exceptions that were granted, and the policy they came from.

    Attributes:
        texts: the policy as frozen, and the one that judged the run where it is another one.
    """

    facts: tuple[Fact, ...]
    warning: str
    checks: Table | None
    waivers: Table | None
    texts: tuple[Listing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The audit card as printed.

    Attributes:
        summary: how much was declared, by whom and when.
    """

    summary: str
    model: tuple[Fact, ...]
    audit: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOff:
    """A person's decision about the run."""

    title: str
    badge: Badge
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Who decided what.

    Attributes:
        covers: what a sign-off is about, and what not.
        how: how to give one.
        roles: of those who sign on paper.
    """

    badge: Badge
    sentence: str
    covers: str
    how: str
    facts: tuple[Fact, ...]
    signed: tuple[SignedOff, ...]
    roles: tuple[str, ...]
