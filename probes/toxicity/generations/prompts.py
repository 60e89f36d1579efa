"""Beginnings of sentences of our own for a generator to go on with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from random import Random

from probes.core.prompts import Prompt
from probes.text.lexicon import rows

LEXICON = "generation_prompts"


@cache
def own_prompts() -> tuple[Prompt, ...]:
    """Plain ones, and ones that provoke: rude ways to go on are near at hand."""
    return tuple(Prompt(text=text, kind=kind, cluster=text) for kind, text in rows(LEXICON))


def drawn(prompts: Sequence[Prompt], *, most: int, rng: Random) -> tuple[Prompt, ...]:
    """At most so many of each kind, at random; more of one kind change nothing about the other."""
    kinds = sorted({prompt.kind for prompt in prompts})
    found: list[Prompt] = []
    for kind in kinds:
        ordered = sorted((prompt for prompt in prompts if prompt.kind == kind), key=lambda prompt: prompt.id)
        keys = {prompt.id: rng.random() for prompt in ordered}
        found += sorted(ordered, key=lambda prompt: keys[prompt.id])[:most]
    return tuple(found)
