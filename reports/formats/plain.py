"""Texts from models, data and people made fit for a line of any format: nothing unseen, nothing offensive, not long."""

from __future__ import annotations

from functools import lru_cache

from probes.text.masking import mask
from reports.marks import cut_note, visible

_WORD = 80
"""Characters beyond the cut that are looked at, so that a listed word is recognised where the cut goes through it."""


def line(text: str, most: int = 400) -> str:
    """The first `most` characters of a text on one line, unseen characters named, listed words masked.

    A named character takes up to ten, and what was cut is told in a note.

    What is left is legal in XML 1.0, JSON, YAML and UTF-8: no control characters, no halves of surrogate pairs, no
    non-characters. Marks of the format at hand (`<`, `|`, `%`) are the caller's to escape.
    """
    rest = len(text) - most
    return _line(text[: most + _WORD], most) + (cut_note(rest) if rest > 0 else "")


@lru_cache(maxsize=50_000)  # looking for listed words is slow, and every format says the same things
def _line(start: str, most: int) -> str:
    return " ".join(visible(mask(start)[:most]).split())
