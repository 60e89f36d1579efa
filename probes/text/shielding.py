"""Parts of a text that a change must not touch, put behind signs that stand for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_FIRST, _LAST = 0xE000, 0xF8FF
"""The private use area of Unicode: neither letters, digits, punctuation nor blanks, and in hardly any text."""
_PRIVATE = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]")


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
    found = _merged(place for part in sorted(set(parts)) if part for place in _places(text, part))
    if _PRIVATE.search(text) or len(found) > _LAST - _FIRST:
        return None
    signed, done = "", 0
    for number, (start, end) in enumerate(found):
        signed, done = signed + text[done:start] + chr(_FIRST + number), end
    return Shielded(signed + text[done:], tuple(text[start:end] for start, end in found))


def _places(text: str, part: str) -> Iterator[tuple[int, int]]:
    """Where it stands, places inside one another included ("aa" twice in "aaa")."""
    for match in re.finditer(f"(?={re.escape(part)})", text):
        yield match.start(), match.start() + len(part)


def _merged(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """In their order, with those that share a character put together."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
