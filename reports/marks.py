"""Texts as they were read by the model, made visible: what changed is marked, what cannot be seen is named.

Texts, labels and names come from models and data and are hostile until shown otherwise. Characters that have no shape
of their own, or that reorder what is around them (bidirectional controls: "Trojan Source", Boucher & Anderson 2021),
are printed as their code point in angle brackets.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from probes.core.unseen import BLANK

Kind = Literal["same", "del", "ins", "hidden", "cut", "word"]

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_KEPT = frozenset("\n\t ")
_SPLIT = re.compile(r"(⟨U\+[0-9A-F]{4,6}⟩)")
_MOST_COMPARED = 2_000
"""Characters of either text that are compared: matching is quadratic in the worst case."""
_MOST_MARKS = 3
"""Combining marks in a row that are left in place; more of them paint over the lines above and below."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text shown in one way; `tone` says how a word is shaded ("to3"), and is "" for all else."""

    kind: Kind
    text: str
    tone: str = ""


def visible(text: str, *, cap: int | None = None) -> str:
    """The text with unseen characters named and everything beyond `cap` characters replaced by a note of how much."""
    rest = 0
    if cap is not None and len(text) > cap:
        text, rest = text[:cap], len(text) - cap
    if not text.isascii() or not text.isprintable():
        text = "".join(map(_shown, _limited_marks(text)))
    return text + (cut_note(rest) if rest else "")


def cut_note(characters: int) -> str:
    """What stands in place of text that was left out."""
    return f" [… {characters:,} more characters]"


def segments(text: str, *, cap: int) -> tuple[Segment, ...]:
    """One text without a counterpart."""
    return capped([Segment("same", text)], cap=cap)


def compared(before: str, after: str, *, cap: int) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """Both texts, with the characters that differ marked as deleted in the first and inserted in the second.

    Between the first and the last difference 2,000 characters are compared; beyond them all counts as changed.
    """
    head = _shared_start(before, after)
    tail = _shared_start(before[head:][::-1], after[head:][::-1])
    left, right = [Segment("same", before[:head])], [Segment("same", after[:head])]
    for old, new in _differences(before[head : len(before) - tail], after[head : len(after) - tail]):
        if old == new:
            left.append(Segment("same", old))
            right.append(Segment("same", new))
        else:
            left.append(Segment("del", _blanks(old)))
            right.append(Segment("ins", _blanks(_named_lookalikes(new, replaced=old))))
    left.append(Segment("same", before[len(before) - tail :]))
    right.append(Segment("same", after[len(after) - tail :]))
    return capped(_elided(left, cap), cap=cap), capped(_elided(right, cap), cap=cap)


def _shared_start(left: str, right: str) -> int:
    """How many characters both begin with."""
    shorter = min(len(left), len(right))
    return next((i for i in range(shorter) if left[i] != right[i]), shorter)


def _differences(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Stretches of both texts that are equal or stand in place of one another."""
    start, end = before[:_MOST_COMPARED], after[:_MOST_COMPARED]
    for _, i, j, k, m in difflib.SequenceMatcher(None, start, end, autojunk=False).get_opcodes():
        yield start[i:j], end[k:m]
    if len(before) > _MOST_COMPARED or len(after) > _MOST_COMPARED:
        yield before[_MOST_COMPARED:], after[_MOST_COMPARED:]


def _elided(parts: list[Segment], cap: int) -> list[Segment]:
    """In a text too long to show, unchanged stretches are shortened first, so that the changes stay in view."""
    if sum(len(part.text) for part in parts) <= cap:
        return parts
    near = max(20, cap // 6)
    return [piece for part in parts for piece in _shortened(part, near)]


def _shortened(part: Segment, near: int) -> list[Segment]:
    left_out = len(part.text) - 2 * near
    if part.kind != "same" or left_out <= 40:
        return [part]
    note = Segment("cut", f" [… {left_out:,} unchanged characters …] ")
    return [Segment("same", part.text[:near]), note, Segment("same", part.text[-near:])]


def capped(parts: Iterable[Segment], *, cap: int) -> tuple[Segment, ...]:
    """The first `cap` characters of a text in stretches, with unseen characters named and a note of what is missing."""
    shown: list[Segment] = []
    room = cap
    for part in parts:
        if part.text and room > 0:
            shown.extend(_with_hidden(replace(part, text=part.text[:room])))
        room -= len(part.text)
    if room < 0:
        shown.append(Segment("cut", cut_note(-room)))
    return tuple(shown)


def _with_hidden(part: Segment) -> list[Segment]:
    """Names of unseen characters become segments of their own where the text around them did not change."""
    pieces = [piece for piece in _SPLIT.split(visible(part.text)) if piece]
    if part.kind != "same":
        return [replace(part, text="".join(pieces))]
    return [Segment("hidden" if _SPLIT.fullmatch(piece) else "same", piece) for piece in pieces]


def _blanks(text: str) -> str:
    """In a marked stretch even line breaks and tabs must be seen."""
    return text.replace("\n", "↵\n").replace("\t", "⇥\t")


def _named_lookalikes(text: str, *, replaced: str) -> str:
    """A letter of another script in place of a Latin one looks unchanged, so its code point is added."""
    if not replaced.isascii() or text.isascii():
        return text
    return "".join(
        c + _named(c) if c.isalpha() and not unicodedata.name(c, "").startswith("LATIN") else c for c in text
    )


@lru_cache(maxsize=4096)  # texts are long, and alphabets are not
def _shown(character: str) -> str:
    if character in _KEPT or not _is_unseen(character):
        return character
    return _named(character)


def _is_unseen(character: str) -> bool:
    category = unicodedata.category(character)
    selector = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    return category in _UNSEEN or category == "Zs" or character in BLANK or selector


def _named(character: str) -> str:
    return f"⟨U+{ord(character):04X}⟩"


def _limited_marks(text: str) -> str:
    return _MARK_RUN.sub(_first_marks, text)


def _first_marks(run: re.Match[str]) -> str:
    return f"{run.group()[:_MOST_MARKS]}⟨+{len(run.group()) - _MOST_MARKS} marks⟩"


_MARK_RUN = re.compile(r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4,}")
