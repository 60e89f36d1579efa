"""Markdown that stays text: nothing from data becomes a heading, a link, an image, a mention or an element.

Signs of Markdown and HTML are written as numeric character references, which CommonMark never reads as structure. Sites
look for mentions, references and bare addresses after that, in the finished text, so an invisible space (U+200B) parts
the sign that would start one from what follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from reports.formats.plain import line

_ENTITIES = {ord(sign): f"&#{ord(sign)};" for sign in "\\`*_[]<>#!|~&$@{}^\u200b"}
_STARTS = re.compile(
    r"(?<=[@#!~%$&^])(?=[\w\"'\[])"  # mentions and references on GitHub and GitLab
    r"|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=\bGH)(?=-\d)",  # bare addresses, references by words
    re.IGNORECASE,
)


def escaped(text: str, most: int = 400) -> str:
    """One line of text for the middle of a paragraph or a table cell."""
    return _STARTS.sub("\u200b", line(text, most)).translate(_ENTITIES)


def code(text: str, most: int = 200) -> str:
    """One line of text to be copied: no invisible spaces, as sites look for no mention within code."""
    return f"<code>{line(text, most).translate(_ENTITIES)}</code>"


def table_head(names: Sequence[str]) -> str:
    """Heading and rule of a table."""
    return f"| {' | '.join(names)} |\n|{'---|' * len(names)}\n"


def table_row(cells: Sequence[str]) -> str:
    """A row of cells that are escaped already."""
    return f"| {' | '.join(cells)} |\n"


def fitted(rows: Iterable[str], room: int) -> tuple[str, int]:
    """As many of the first rows as fit into `room` bytes of UTF-8, and how many they are."""
    kept: list[str] = []
    for row in rows:
        room -= len(row.encode())
        if room < 0:
            break
        kept.append(row)
    return "".join(kept), len(kept)
