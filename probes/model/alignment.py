"""Where the tokens of a tokenizer without offsets lie in the text: found again by their spelling."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby

from probes.core.examples import Text
from probes.core.words import spans

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
    part, begun = 0, False
    for own, added in _runs(tokens, special):
        if added:
            part, begun = (min(part + 1, len(strings) - 1), False) if begun else (part, begun)
            offsets.extend((0, 0) for _ in own)
            parts.extend(None for _ in own)
            continue
        offsets.extend(_found(strings[part], own, unknown=unknown))
        parts.extend(part for _ in own)
        begun = True
    return offsets, parts


def _runs(tokens: Sequence[str], special: Sequence[int]) -> Iterator[tuple[list[str], bool]]:
    """Tokens that follow one another and are all special, or all not."""
    for added, run in groupby(zip(tokens, special, strict=True), key=lambda each: bool(each[1])):
        yield [token for token, _ in run], added


def _found(text: str, tokens: Sequence[str], *, unknown: str | None) -> Offsets:
    """Where the tokens of one part are. Unknown ones hold what is left between those that are known."""
    offsets: Offsets = []
    at, waiting = 0, 0
    for token in tokens:
        if token == unknown:
            waiting += 1
            continue
        start, end = _find(text, token, at, unknown=waiting)
        offsets.extend(_between(text, at, start, waiting))
        offsets.append((start, end))
        at, waiting = end, 0
    return offsets + _between(text, at, len(text), waiting)


def _find(text: str, token: str, at: int, *, unknown: int) -> tuple[int, int]:
    """The next place where the token may be, behind so many unknown ones; where a word begins rather than inside."""
    wanted = _folded(_bare(token))
    held = _between(text, at, len(text), unknown) or [(at, at)]
    last = held[-1][1]
    if not wanted:
        return last, last
    behind = range(held[0][0] + 1 if unknown else at, min(last + REACH, len(text)))
    for start in [*(start for start in behind if _begins(text, start)), *behind] if unknown else behind:
        end = _reach(text, start, wanted)
        if end is not None:
            return start, end
    raise LookupError(token)


def _begins(text: str, start: int) -> bool:
    return text[start - 1].isspace() or len(spans(text[start - 1 : start + 1])) > 1


def _between(text: str, start: int, end: int, count: int) -> Offsets:
    """Where `count` unknown tokens are: one for each piece between blanks, or, of fewer, for each word."""
    pieces = [(start + found.start(), start + found.end()) for found in re.finditer(r"\S+", text[start:end])]
    if len(pieces) < count:
        pieces = [(start + span.start, start + span.end) for span in spans(text[start:end])]
    return (pieces + [(end, end)] * count)[:count]


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


def _folded(text: str) -> str:
    """Without case and accents."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold()
