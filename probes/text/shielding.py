"""Parts of a text that a change must not touch, put behind signs that stand for them."""

from __future__ import annotations

import re
from collections.abc import Iterable
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
    """Shield every place at which one of the parts stands, longer parts first; None where that cannot be done."""
    wanted = sorted({part for part in parts if part}, key=lambda part: (-len(part), part))
    if _PRIVATE.search(text):
        return None
    if not wanted:
        return Shielded(text, ())
    pattern = re.compile("|".join(map(re.escape, wanted)))
    found = [match.group() for match in pattern.finditer(text)]
    if len(found) > _LAST - _FIRST:
        return None
    numbers = iter(range(len(found)))
    return Shielded(pattern.sub(lambda _: chr(_FIRST + next(numbers)), text), tuple(found))
