"""Parts of a text that a change must not touch, put behind signs that stand for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

_FIRST, _LAST = 0xE000, 0xF8FF
"""The private use area of Unicode: neither letters, digits, punctuation nor blanks, and in hardly any text."""
_PRIVATE = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]")
_REMEMBERED = 1 << 14
"""Texts: each is shielded again for every perturbation."""


@dataclass(frozen=True, slots=True)
class Shielded:
    """A text in which each protected part is one private-use character, and the parts, in their order."""

    text: str
    parts: tuple[str, ...]

    def restored(self, changed: str) -> str | None:
        """The changed text with its parts put back; None where one of them was lost, doubled or moved."""
        signs = [chr(_FIRST + number) for number in range(len(self.parts))]
        if _PRIVATE.findall(changed) != signs:
            return None
        return _PRIVATE.sub(lambda found: self.parts[ord(found.group()) - _FIRST], changed)


def shielded(text: str, parts: Iterable[str]) -> Shielded | None:
    """Shield every place at which a part stands, places that overlap as one; None where that cannot be done."""
    return _shielded(text, tuple(sorted({part for part in parts if part})))


@lru_cache(maxsize=_REMEMBERED)
def _shielded(text: str, parts: Sequence[str]) -> Shielded | None:
    found = _merged(place for part in parts for place in _places(text, part))
    if _PRIVATE.search(text) or len(found) > _LAST - _FIRST:
        return None
    signed: list[str] = []
    done = 0
    for number, (start, end) in enumerate(found):
        signed += [text[done:start], chr(_FIRST + number)]
        done = end
    return Shielded("".join([*signed, text[done:]]), tuple(text[start:end] for start, end in found))


def _places(text: str, part: str) -> Iterator[tuple[int, int]]:
    """Where it stands, places inside one another included ("aa" twice in "aaa").

    Each search begins at least half a part after the last, so that a long part that repeats itself takes no more steps
    than the text has characters: a place that overlaps this one by as much as a period stands one period on, or else
    starts in the last period of this one (Fine and Wilf 1965).
    """
    start = text.find(part)
    if start < 0:
        return
    period, length = _period(part), len(part)
    while start >= 0:
        yield start, start + length
        repeated = text.startswith(part[-period:], start + length)
        start = start + period if repeated else text.find(part, start + max(period, length - period) + 1)


@lru_cache(maxsize=_REMEMBERED)
def _period(part: str) -> int:
    """After how many characters it first repeats itself up to its end; its length if it does not.

    Source: Knuth, Morris and Pratt 1977, the failure function.
    """
    borders = [0]
    for sign in part[1:]:
        border = borders[-1]
        while border and part[border] != sign:
            border = borders[border - 1]
        borders.append(border + (part[border] == sign))
    return len(part) - borders[-1]


def _merged(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """In their order, with those that share a character put together."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
