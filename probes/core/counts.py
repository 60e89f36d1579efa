"""Counts as they are written."""

from __future__ import annotations


def count(number: int) -> str:
    """A count with thousands separators."""
    return f"{number:,}"


def plural(number: int, word: str, words: str | None = None) -> str:
    """A count with its noun: "1 check", "3 checks"."""
    return f"{count(number)} {word if number == 1 else words or word + 's'}"
