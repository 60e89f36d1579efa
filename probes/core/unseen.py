"""Characters that are drawn as nothing though their category says otherwise."""

from __future__ import annotations

BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f\u17b4\u17b5")
"""Hangul fillers, an empty Braille cell, the grapheme joiner, and two Khmer vowels that are never written."""
