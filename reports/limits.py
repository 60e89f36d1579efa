"""How much of a run is shown, so that the report opens everywhere. What is left out is said, and stays on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")

MOST_BYTES = 4_900_000


class Whole(str):
    """A text of which the end matters: how a probe measured, how to run it again. Other strings are cut sooner."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Numbers of things shown.

    Attributes:
        checks: rows of the results table of one risk, and of the policy table.
        register: entries of the findings register.
        plotted: rows of one interval plot.
        rows: rows of any other table.
        chapters: probes with a chapter.
        cases: examples of a chapter, random and worst each; more where their settings have more values than that.
        text: characters of an example text.
        whole: characters of a `Whole`.
        string: characters of any other string.
        lines: lines of the policy or of a traceback.
    """

    checks: int = 400
    register: int = 60
    plotted: int = 32
    rows: int = 60
    chapters: int = 120
    cases: int = 5
    text: int = 700
    whole: int = 6000
    string: int = 2000
    lines: int = 1500


LADDER = (
    Limits(),
    Limits(checks=150, register=30, plotted=30, rows=30, chapters=60, cases=3, text=300, string=800, lines=400),
    Limits(checks=100, register=20, plotted=20, rows=20, chapters=40, cases=2, text=300, string=400, lines=100),
    Limits(checks=30, register=7, plotted=10, rows=10, chapters=20, cases=1, text=80, string=80, lines=50),
)
"""Tried in this order until the report is small enough."""


def limited(items: Sequence[Item], most: int, what: str) -> tuple[Sequence[Item], str]:
    """The first `most` items, and a sentence saying what is missing ("" when nothing is)."""
    if len(items) <= most:
        return items, ""
    return items[:most], (
        f"Shortened: {most:,} of {len(items):,} {what} are shown here. "
        "The rest is in the files of the run folder, listed under Integrity."
    )
