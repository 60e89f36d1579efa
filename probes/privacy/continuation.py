"""Where a text is cut into what a model is given and what it may have kept, and how near it comes to the latter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probes.core.known_texts import KnownText


@dataclass(frozen=True, slots=True)
class Cut:
    """A text in two.

    Attributes:
        prompt: what the model is given.
        rest: the words that follow there.
    """

    source: KnownText
    prompt: str
    rest: tuple[str, ...]


def cut(source: KnownText, *, prefix: int, continuation: int, shortest: int) -> Cut | None:
    """The first `prefix` words and the `continuation` words behind them; None for too short a text.

    A text with fewer words is cut in the middle, if `shortest` words or more are left behind it. What was given with a
    text stands before all of it, and is the whole prompt.
    """
    words = source.text.split()
    at = 0 if source.given else min(prefix, len(words) // 2)
    rest = tuple(words[at : at + continuation])
    if len(rest) < shortest:
        return None
    return Cut(source, source.given or " ".join(words[:at]), rest)


def verbatim(written: str, rest: Sequence[str]) -> bool:
    """Do the first words written equal those of the text, letter by letter, whatever the blanks between them."""
    return written.split()[: len(rest)] == list(rest)


def similarity(written: str, rest: Sequence[str]) -> float:
    """1 less the Levenshtein distance of the two, as a share of the longer one; 1 for equal, 0 for unrelated.

    Compared are as many words as the text has, without regard to case and blanks.
    """
    one, other = (" ".join(words).casefold() for words in (written.split()[: len(rest)], rest))
    longer = max(len(one), len(other))
    return 1.0 if not longer else 1 - levenshtein(one, other) / longer


def levenshtein(one: str, other: str) -> int:
    """The fewest characters to insert, delete or replace to make one text of the other (Levenshtein 1966)."""
    signs = np.array([ord(sign) for sign in other], dtype=np.int64)
    places = np.arange(len(other) + 1)
    row = places
    for count, sign in enumerate(one, start=1):
        changed = np.minimum(row[1:] + 1, row[:-1] + (signs != ord(sign)))
        # What is inserted costs one each: the least of what stands before, less the way there.
        row = np.minimum.accumulate(np.concatenate(([count], changed)) - places) + places
    return int(row[-1])
