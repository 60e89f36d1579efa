"""Patterns of names in which only `*` is a wildcard: brackets, question marks and dots stand for themselves."""

from __future__ import annotations

import re
from functools import lru_cache


def matches(pattern: str, text: str) -> bool:
    """Does the pattern match the whole text."""
    return _compiled(pattern).fullmatch(text) is not None if "*" in pattern else pattern == text


@lru_cache(maxsize=4096)  # a gate asks about every measurement with the patterns of every check
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
