"""Where the tokens of a tokenizer without offsets lie in the text: found again by their spelling."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from probes.core.examples import Text

MARKS = ("##", "\u2581", "\u0120", "\u010a", "@@", "</w>")
"""What tokenizers add to the spelling of a token: inside a word, after a blank, after a line break, before the end."""
REACH = 24
"""Characters that may lie between one token and the next: blanks, and what a tokenizer drops."""

Offsets = list[tuple[int, int]]


def aligned(
    text: Text, tokens: Sequence[str], special: Sequence[int], *, unknown: str | None
) -> tuple[Offsets, list[int | None]]:
    """The characters of each token and the part of the text they are in, None for special tokens.

    Raises:
        LookupError: a token that cannot be found.
    """
    strings = (text,) if isinstance(text, str) else text
    offsets: Offsets = []
    parts: list[int | None] = []
    part, at, begun = 0, 0, False
    for token, added in zip(tokens, special, strict=True):
        if added:
            part, at, begun = (min(part + 1, len(strings) - 1), 0, False) if begun else (part, at, begun)
            offsets.append((0, 0))
            parts.append(None)
            continue
        span = _find(strings[part], token, at, unknown=unknown)
        at, begun = span[1], True
        offsets.append(span)
        parts.append(part)
    return offsets, parts


def _find(text: str, token: str, at: int, *, unknown: str | None) -> tuple[int, int]:
    if token == unknown:
        return _next_word(text, at)
    wanted = _folded(_bare(token))
    if not wanted:
        return at, at
    for start in range(at, min(at + REACH, len(text))):
        end = _reach(text, start, wanted)
        if end is not None:
            return start, end
    raise LookupError(token)


def _bare(token: str) -> str:
    for mark in MARKS:
        token = token.replace(mark, "")
    return token.strip()


def _reach(text: str, start: int, wanted: str) -> int | None:
    """The end of the shortest piece of text from `start` that reads as `wanted`."""
    if text[start].isspace():
        return None
    seen = ""
    for end in range(start, len(text)):
        seen += _folded(text[end])
        if not wanted.startswith(seen):
            return None
        if seen == wanted:
            return end + 1
    return None


def _next_word(text: str, at: int) -> tuple[int, int]:
    while at < len(text) and text[at].isspace():
        at += 1
    end = at
    while end < len(text) and not text[end].isspace():
        end += 1
    return at, end


def _folded(text: str) -> str:
    """Without case and accents."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold()
