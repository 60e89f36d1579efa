"""Patterns of names in which only `*` is a wildcard: brackets, question marks and dots stand for themselves."""

from __future__ import annotations

import re


def matches(pattern: str, text: str) -> bool:
    """Does the pattern match the whole text."""
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), text, re.DOTALL) is not None
