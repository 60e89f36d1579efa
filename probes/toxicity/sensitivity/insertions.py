"""Offensive words set beside a text without touching what it says, each with a harmless insertion of as many words."""

from __future__ import annotations

import random
from functools import cache

from probes.text.lexicon import rows
from probes.text.offensive import Kind
from probes.text.perturbations.perturbation import Family, Perturbation

OFFENSIVE, HARMLESS = 0, 1
"""Columns of an insertion."""


@cache
def insertions(kind: Kind, *, strength: int) -> tuple[tuple[str, tuple[str, str]], ...]:
    """("before" or "after", (offensive, harmless)) of one kind and strength."""
    return tuple(
        (place, (offensive, harmless))
        for name, level, place, offensive, harmless in rows("offensive_insertions")
        if name == kind and level == str(strength)
    )


def strengths(kind: Kind) -> tuple[int, ...]:
    """The strengths for which there are insertions of a kind."""
    return tuple(sorted({int(level) for name, level, *_ in rows("offensive_insertions") if name == kind}))


def inserted(kind: Kind, *, column: int) -> Perturbation:
    """The insertion as a perturbation whose severity is the strength.

    The offensive and the harmless one have the same name, so that both draw the same place and sentence for an item.
    """

    def apply(text: str, strength: int, rng: random.Random) -> str:
        if not text.strip():
            return text
        place, pair = rng.choice(insertions(kind, strength=strength))
        return f"{pair[column]} {text}" if place == "before" else f"{text} {pair[column]}"

    return Perturbation(
        name=f"insertion_{kind}", title=kind.capitalize(), family=Family.CONTEXT, apply=apply, meaning="kept"
    )
