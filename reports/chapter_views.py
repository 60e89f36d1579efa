"""What the templates print in a chapter: one probe with its numbers, charts and cases; as in `reports.views`."""

from __future__ import annotations

from dataclasses import dataclass

from reports.charts import BarChart, IntervalPlot
from reports.lines import LineChart
from reports.marks import Segment
from reports.views import Badge, Fact, Table


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
    curves_note: str
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

    risk: str
    anchor: str
    title: str
    chapters: tuple[Chapter, ...]
