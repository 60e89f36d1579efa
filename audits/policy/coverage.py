"""Which of many checks decides: found by the words of the patterns instead of by trying each check on each other."""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from audits.policy.checks import Check

_WORD = re.compile(r"(?<![\w*])\w+(?![\w*])")
"""A word that stands in a pattern as a whole, and so in everything that the pattern matches."""


class Coverage:
    """The checks of a policy, to be asked which later one replaces another.

    What a pattern matches holds all of its words. Each pattern is kept under the one that the fewest others have, so
    that ten thousand checks take a second and not a minute.
    """

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = checks
        self._same: dict[str, list[int]] = defaultdict(list)
        self._by_word: dict[str, list[int]] = defaultdict(list)
        patterns = {row: set(_WORD.findall(check.check)) for row, check in enumerate(checks) if "*" in check.check}
        often = Counter(word for words in patterns.values() for word in words)
        for row, check in enumerate(checks):
            if row in patterns:
                self._by_word[min(patterns[row], key=lambda word: (often[word], word), default="")].append(row)
            else:
                self._same[check.check].append(row)

    def replaced_by(self, row: int, *, probe: str = "", key: str = "") -> int | None:
        """The last check below that decides in place of this one, for every head it is meant for; None without any.

        Args:
            row: place of the check.
            probe, key: the number in question; by default all that the check is about.
        """
        check = self._checks[row]
        probe, key = probe or check.probe, key or check.key
        for later in self._below(row, f"{probe}.{key}"):
            if self._checks[later].covers(check, probe=probe, key=key):
                return later
        return None

    def _below(self, row: int, text: str) -> Iterator[int]:
        """Places below that may match, the last first."""
        for place in heapq.merge(*map(reversed, self._candidates(text)), reverse=True):
            if place <= row:
                return
            yield place

    def _candidates(self, text: str) -> list[list[int]]:
        found = [self._same[text]] if text in self._same else []
        return found + [self._by_word[word] for word in {"", *_WORD.findall(text)} if word in self._by_word]


def effective(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The checks that no later one replaces as a whole."""
    coverage = Coverage(checks)
    return tuple(check for row, check in enumerate(checks) if coverage.replaced_by(row) is None)
