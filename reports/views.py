"""What the templates print: frozen objects whose strings are final. No template computes, compares or formats.

Every string may hold hostile text; the templates escape all of them and name what cannot be seen (`reports.render`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reports.charts import BarChart, IntervalPlot
from reports.lines import LineChart
from reports.marks import Segment

Kind = Literal["pass", "fail", "open", "error", "notrun", "na", "waived", "none"]
"""Names the colour and the shape of a status."""


@dataclass(frozen=True, slots=True)
class Badge:
    """A status: always a word, a shape and a colour together."""

    word: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Fact:
    """A name with its value; `code` for what is typed or copied."""

    name: str
    value: str
    code: bool = False


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
    """A table. `note` says what was left out, or how to read it."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    wide: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which run this is."""

    model: str
    fingerprint: str
    run_id: str
    created: str
    facts: tuple[Fact, ...]
    verdict: Badge


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
    """The first page."""

    badge: Badge
    sentence: str
    counts: tuple[tuple[Badge, str], ...]
    total: str
    headlines: tuple[Headline, ...]
    headline_note: str
    closest: tuple[Headline, ...]
    untested: tuple[Fact, ...]
    tasks: tuple[Fact, ...]
    notes: tuple[str, ...]
    assurance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskResults:
    """All checks of one risk."""

    anchor: str
    title: str
    summary: str
    plots: tuple[IntervalPlot, ...]
    checks: Table
    matrices: tuple[Table, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the findings register."""

    number: str
    anchor: str
    badge: Badge
    level: str
    title: str
    facts: tuple[Fact, ...]
    chapter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One text of a case, both parts of a pair, with what was answered.

    Attributes:
        parts: the texts, changes marked.
        strips: the texts once more with their words shaded, where `parts` shows changes; the shaded words are in
            `parts` where there is nothing else to mark.
        weights: the words by weight; None for a text that was not explained.
    """

    heading: str
    parts: tuple[tuple[Segment, ...], ...]
    answer: str
    strips: tuple[tuple[Segment, ...], ...] = ()
    weights: Table | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A concrete case. `content_note` says why its texts may hurt a reader; then they are shown on request only."""

    heading: str
    sides: tuple[Side, ...]
    facts: tuple[Fact, ...]
    content_note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """Cases chosen in one way; `explained` where the key to shaded words stands before them."""

    title: str
    intro: str
    cases: tuple[Case, ...]
    note: str
    explained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One probe; `caution` is what every reader of it must know, `aids` say which values of a number are good."""

    anchor: str
    title: str
    probe: str
    question: str
    badges: tuple[Badge, ...]
    result: str
    caution: str
    open: bool
    why: str
    method: tuple[Fact, ...]
    settings: tuple[Fact, ...]
    accounting: Table | None
    bars: BarChart | None
    aids: tuple[Fact, ...]
    plots: tuple[IntervalPlot, ...]
    tables: tuple[Table, ...]
    curves: tuple[LineChart, ...]
    cases: tuple[Cases, ...]
    skips: Table | None
    failure: tuple[str, ...]
    limits_title: str
    limits: str
    references: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskChapters:
    """The chapters of one risk."""

    title: str
    chapters: tuple[Chapter, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The thresholds as applied, and the policy they came from."""

    facts: tuple[Fact, ...]
    warning: str
    checks: Table | None
    lines: tuple[str, ...]
    lines_note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The whole report."""

    title: str
    identity: Identity
    decision: Decision
    results: tuple[RiskResults, ...]
    results_note: str
    register: tuple[Entry, ...]
    register_note: str
    chapters: tuple[RiskChapters, ...]
    chapters_note: str
    not_run: tuple[Table, ...]
    policy: Policy
    words: tuple[Table, ...]
    words_summary: str
    words_note: str
    limitations: tuple[Table, ...]
    void_when: tuple[str, ...]
    reproduce: tuple[Fact, ...]
    telemetry: Table | None
    versions: Table
    integrity: tuple[Fact, ...]
    files: tuple[Table, ...]
    reading: tuple[Fact, ...]
    glossary: tuple[Fact, ...]
    statuses: tuple[tuple[Badge, str], ...]
