"""Disguises put where a writer who evades a filter would put them: on the offensive words first."""

from __future__ import annotations

import dataclasses
import random

from probes.text.lexicon import rows
from probes.text.offensive import OFFENSIVE
from probes.text.perturbations import homoglyphs, invisible, obfuscation
from probes.text.perturbations.perturbation import PROTECTED, SEVERITIES, WORD, Perturbation, share_of

Span = tuple[int, int]

_BORROWED = ("cyrillic_homoglyphs", "zero_width_characters")


def techniques() -> tuple[Perturbation, ...]:
    """Every disguise that is tried, aimed."""
    known = (*obfuscation.PERTURBATIONS, *homoglyphs.PERTURBATIONS, *invisible.PERTURBATIONS)
    own = {perturbation.name for perturbation in obfuscation.PERTURBATIONS}
    return tuple(aimed(perturbation) for perturbation in known if perturbation.name in (*own, *_BORROWED))


def aimed(perturbation: Perturbation) -> Perturbation:
    """The same edit of a word, on the listed offensive words first and then on other words of content.

    The words are taken in a random order that does not depend on the severity, so the words edited at one severity are
    among those edited at a higher one.
    """

    def apply(text: str, severity: int, rng: random.Random) -> str:
        offensive, others = _targets(text)
        rng.shuffle(offensive)
        rng.shuffle(others)
        edits = [(start, end, _edited(text[start:end], perturbation, rng)) for start, end in (*offensive, *others)]
        edits = [(start, end, new) for start, end, new in edits if new != text[start:end]]
        for start, end, new in sorted(edits[: max(1, round(share_of(severity) * len(edits)))], reverse=True):
            text = text[:start] + new + text[end:]
        return text

    return dataclasses.replace(perturbation, name=f"evasion_{perturbation.name}", apply=apply)


def _edited(word: str, perturbation: Perturbation, rng: random.Random) -> str:
    """The whole word: at the highest severity a single word is always edited."""
    return perturbation.apply(word, max(SEVERITIES), rng)


def _targets(text: str) -> tuple[list[Span], list[Span]]:
    """Offensive words, and other words that carry content; nothing inside links, handles and the like."""
    taken = bytearray(len(text))
    for match in PROTECTED.finditer(text):
        _take(match.span(), taken)
    little = {word for (word,) in rows("function_words")}
    offensive = [match.span() for match in OFFENSIVE.finditer(text) if _take(match.span(), taken)]
    words = [match.span() for match in WORD.finditer(text) if match.group().lower() not in little]
    return offensive, [span for span in words if _take(span, taken)]


def _take(span: Span, taken: bytearray) -> bool:
    """Whether the place was free; it no longer is."""
    start, end = span
    free = not any(taken[start:end])
    taken[start:end] = b"\1" * (end - start)
    return free
