"""What a perturbation is, and the one mechanism by which most of them edit a share of a text."""

from __future__ import annotations

import random
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from probes.core.probe import ProbeDoc

SEVERITIES = (1, 2, 3, 4, 5)
SHARES = (0.05, 0.1, 0.2, 0.35, 0.5)
"""Share of the eligible places that are edited at each severity, unless a perturbation says otherwise."""

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
PROTECTED = re.compile(
    r"(?:https?://|www\.)\S+|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+|[@#]\w+|\[[A-Z]+\]|<[^<>\s]+>|\{\w+\}"
)
"""Links, addresses, handles, hashtags, special tokens, tags and placeholders: editing inside them breaks a reference
instead of imitating a writer."""

_REFERS = re.compile(r"[@#\[<{]|://|www\.")

Apply = Callable[[str, int, random.Random], str]


class Family(StrEnum):
    """Chapters of the catalogue."""

    CHARACTERS = "characters"
    CASING = "casing"
    PUNCTUATION = "punctuation"
    WHITESPACE = "whitespace"
    UNICODE = "unicode"
    LEXICAL = "lexical"
    REGISTER = "register"
    WORDS = "words"
    CONTEXT = "context"
    CHAIN = "chain"


WORD_BY_WORD = frozenset({Family.CHARACTERS, Family.CASING, Family.UNICODE})
"""Families that change words and never move, add or remove one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbation:
    """One way of changing a text.

    Attributes:
        name: snake case; with the seed, the item and the part the key of what is drawn.
        apply: (text, severity 1 to 5, rng) -> text. Pure: everything random comes from `rng`. Returns the text itself
            where there is nothing to change. Its docstring has the headings of a probe (`ProbeDoc`).
        meaning: how far a careful reader would still give the same answer: "kept", "mostly_kept" or "may_change".
        version: raised when the same input may give another output.
    """

    name: str
    title: str
    family: Family
    apply: Apply
    meaning: Literal["kept", "mostly_kept", "may_change"]
    version: int = 1

    @property
    def keeps_words(self) -> bool:
        """Does what is said of a word hold for the word at the same place afterwards."""
        return self.family in WORD_BY_WORD

    @property
    def doc(self) -> ProbeDoc:
        """The documentation in the docstring of `apply`."""
        return ProbeDoc.parse(self.apply.__doc__)


def edit_share(
    text: str,
    rng: random.Random,
    *,
    pattern: re.Pattern[str],
    edit: Callable[[str, random.Random], str],
    share: float,
) -> str:
    """Edit about `share` of the places that `pattern` matches and `edit` changes, at least one of them.

    Places inside PROTECTED spans are left alone. Neither the order in which places are taken nor what `edit` draws may
    depend on the severity: with equal generators the edits at a lower share are then a subset of those at a higher one.
    """
    shielded = protected(text)
    candidates = []
    for match in pattern.finditer(text):
        start, end = match.span()
        if shielded and _within(shielded, start, end):
            continue
        old = match.group()
        new = edit(old, rng)
        if new != old:
            candidates.append((start, end, new))
    if not candidates:
        return text
    rng.shuffle(candidates)
    return _replaced(text, sorted(candidates[: max(1, round(share * len(candidates)))]))


def protected(text: str) -> list[tuple[int, int]]:
    """The PROTECTED spans of a text, in order."""
    # Most texts have none of the signs that every such span has, and to look for those takes a fifth of the time.
    return [match.span() for match in PROTECTED.finditer(text)] if _REFERS.search(text) else []


def _within(shielded: list[tuple[int, int]], start: int, end: int) -> bool:
    """Does any of the spans, which follow one another, share a letter with the place."""
    next_one = bisect_right(shielded, (start, start))
    return any(first < end and start < last for first, last in shielded[max(0, next_one - 1) : next_one + 1])


def _replaced(text: str, edits: list[tuple[int, int, str]]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end, new in edits:
        pieces += (text[done:start], new)
        done = end
    return "".join((*pieces, text[done:]))


def share_of(severity: int) -> float:
    """The share of eligible places edited at a severity of 1 to 5."""
    return SHARES[severity - 1]
