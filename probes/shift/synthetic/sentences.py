"""Where the sentences of a text end, and phrases drawn from our lists."""

from __future__ import annotations

import random
import re
from functools import cache

from probes.text.lexicon import rows

_BETWEEN = re.compile(r"(?<=[.!?…。！？])[\"”’')\]]*+(\s+)|\n+")
_TITLES = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Prof|No|vs|etc|e\.g|i\.e)|\b[A-Z])\.\Z")
_LONGEST = 8
"""Characters in which such an abbreviation has room."""


def sentences(text: str) -> list[str]:
    """The sentences of a text in order, without the blanks between them; empty for a blank text."""
    found, start = [], 0
    for match in _BETWEEN.finditer(text):
        end = match.start(1) if match.group(1) else match.start()
        if not _TITLES.search(text, max(start, end - _LONGEST), end):
            found.append(text[start:end])
            start = match.end()
    return [part.strip() for part in (*found, text[start:]) if part.strip()]


def drawn(lexicon: str, rng: random.Random) -> dict[str, str]:
    """One phrase of each kind in a list of kinds and phrases; a bar in it stands for a new line."""
    return {kind: rng.choice(phrases).replace(" | ", "\n") for kind, phrases in _by_kind(lexicon).items()}


@cache
def _by_kind(lexicon: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for kind, phrase in rows(lexicon):
        found.setdefault(kind, []).append(phrase)
    return found
