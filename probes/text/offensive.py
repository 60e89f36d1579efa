"""Profanities, insults and slurs: a restrained list of our own, for masking them and for testing what they do.

Strength: 1 mild or with an everyday second meaning, 2 rude, 3 strong. A slur names a group of people, its target.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from probes.text.lexicon import rows

Kind = Literal["profanity", "insult", "slur"]
KINDS: tuple[Kind, ...] = ("profanity", "insult", "slur")


@dataclass(frozen=True, slots=True)
class Entry:
    """One word of the list; `target` is "<axis> <group>" as in the identity lists, "" for none."""

    word: str
    kind: Kind
    strength: int
    target: str


@cache
def entries() -> tuple[Entry, ...]:
    """The whole list, in its order."""
    kinds: dict[str, Kind] = {kind: kind for kind in KINDS}
    return tuple(
        Entry(word, kinds[kind], int(strength), "" if target == "-" else target)
        for word, kind, strength, target in rows("offensive")
    )


def words(kind: Kind | None = None, *, strength: int | None = None) -> tuple[str, ...]:
    """The words of one kind, of one strength, or all, in the order of the list."""
    return tuple(entry.word for entry in entries() if kind in (None, entry.kind) and strength in (None, entry.strength))


OFFENSIVE: re.Pattern[str] = re.compile(
    rf"(?<!\w)(?:{'|'.join(sorted(words(), key=len, reverse=True))})(?!\w)", re.IGNORECASE
)
"""Any listed word, whole and as it is spelt; `probes.text.masking` also sees disguised ones."""
