"""Offensive words as a reader may be spared them: the first letter stays, the others become a mask.

Also seen are the simple disguises: digits and signs for letters, letters of other scripts drawn alike, accents,
characters without a shape, repeated letters, and single letters with a blank or a mark between them. Only whole words
count, so "Scunthorpe" and "assess" stay; words that camel case or a sign joins ("BadWord", "bad!word") are looked at
one by one. A disguise that uses a mask of its own ("f*ck") is left as its writer left it. Wording without a listed word
can be as harmful and is never masked.

Every character is folded to one character, so that places in the folded text are places in the text, and every step is
a pass over the text: linear time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import groupby, pairwise

from probes.core.unseen import BLANK
from probes.text.lexicon import rows
from probes.text.offensive import entries

MASK = "\u2217"
"""An asterisk that nobody types, so that a mask is never taken for a part of the text."""
STRONG = 2
"""Least strength of a profanity or slur that is masked; insults without either ("stupid") never are."""
SHORT = 3
"""In words up to this length a doubled letter makes another word; only three in a row are a stretched one."""

_UNSEEN, _OTHER = "\x00", "\x01"
"""What characters without a shape, and letters that look like no Latin one, are folded to."""
_FILLERS = BLANK | {_UNSEEN, _OTHER}
_SIGNS = [(ord(sign), letter) for letter, *signs in rows("leetspeak") for sign in signs]
_READ = dict(_SIGNS)
_MERGED = {**{ord(sign): "i" for sign in "1!|"}, ord("l"): "i"}
"""Signs that stand for i or l: a word with one of them is compared without telling these two letters apart."""
_CLASS = re.escape("".join(sorted({chr(sign) for sign, _ in _SIGNS})))
_LETTER = rf"[a-z{_OTHER}{MASK}]"
_ONE = rf"[a-z{_OTHER}{MASK}{_CLASS}]"
_PART = rf"[a-z{_OTHER}{MASK}{_CLASS}{_UNSEEN}]"
_GAP = rf"[ .*_,/~·•{_UNSEEN}-]"
_TOKEN = re.compile(rf"{_PART}{{3,}}")
_SPACED = re.compile(rf"(?<!{_PART}){_ONE}(?P<gap>{_GAP}{{1,3}}){_ONE}(?!{_LETTER})(?:(?P=gap){_ONE}(?!{_LETTER}))+")
_AMBIGUOUS = re.compile(r"[1!|]")
_BETWEEN_SIGNS = re.compile(rf"[a-z0-9{_OTHER}{MASK}{_UNSEEN}]+")
_INNER = re.compile(rf"{_LETTER}(?:.*{_LETTER})?", re.DOTALL)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_GAPS = re.compile(_GAP)
_REPEATED = re.compile(r"(.)\1+", re.DOTALL)
_INNOCENT = frozenset({"Shiite"})
"""Words for people that look like a listed word with a letter repeated; only as they are properly written."""
_REMEMBERED = 40
"""Characters of the longest token that is remembered."""
_Span = tuple[int, int]


def mask(text: str) -> str:
    """The text with the letters after the first of each listed profanity or slur replaced by `MASK`.

    Same length; only letters change; masking twice changes nothing more.
    """
    characters: list[str] | None = None
    for start, end in _offending(text):
        characters = characters or list(text)
        places = [place for place in range(start, end) if _FOLDED[ord(text[place])] != _UNSEEN]
        for place in places[1:]:
            if text[place].isalpha():
                characters[place] = MASK
    return text if characters is None else "".join(characters)


def has_offensive(text: str) -> bool:
    """Whether `mask` would find something."""
    return any(True for _ in _offending(text))


class _Folding(dict[int, str]):
    """Code point -> the one character it is folded to, worked out when first met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _folded(chr(code))
        return folded


_FOLDED = _Folding()


def _folded(character: str) -> str:
    if character in _FILLERS or unicodedata.category(character) in ("Cf", "Mn", "Me"):
        return _UNSEEN
    if character == MASK:
        return character
    plain = twins().get(character) or unicodedata.normalize("NFKD", character)
    base = "".join(part for part in plain if not unicodedata.combining(part))
    base = (twins().get(base) or base).lower()
    if character.isalpha():
        return base if len(base) == 1 and base.isascii() else _OTHER
    return base if len(base) == 1 and not base.isalpha() else "\n"


@cache
def twins() -> dict[str, str]:
    """Letters of other scripts -> the Latin letter they are drawn like."""
    pairs = (*rows("homoglyphs_cyrillic"), *rows("homoglyphs_greek"), ("i", "ı"), ("o", "ø"))
    return {twin: latin for latin, twin in pairs}


def _offending(text: str) -> Iterator[_Span]:
    """Stretches of the text that are a listed word, each possibly more than once."""
    folded = text.translate(_FOLDED)
    for token in _TOKEN.finditer(folded):
        start, end = token.span()
        if end - start <= _REMEMBERED:
            yield from ((start + first, start + last) for first, last in _in_word(token.group(), text[start:end]))
        else:
            yield from _listed(folded, _pieces(token.group(), text[start:end]), offset=start)
    for run in _SPACED.finditer(folded):
        yield from _listed(folded, _trimmed(run.group()), offset=run.start())


@lru_cache(maxsize=50_000)
def _in_word(token: str, raw: str) -> tuple[_Span, ...]:
    """The listed words in one token, remembered: a report has few words and each of them many times."""
    return () if raw in _INNOCENT else tuple(_listed(token, _pieces(token, raw), offset=0))


def _listed(folded: str, spans: set[_Span], *, offset: int) -> Iterator[_Span]:
    for start, end in spans:
        if _is_listed(folded[offset + start : offset + end]):
            yield offset + start, offset + end


def _pieces(token: str, raw: str) -> set[_Span]:
    """Where in a token a word may stand."""
    if token.isalpha() and (raw.islower() or raw.istitle()):
        return {(0, len(token))}
    found = _trimmed(token)
    for part in _BETWEEN_SIGNS.finditer(token):
        if len(part.group()) >= SHORT:
            found |= _trimmed(part.group(), offset=part.start())
    humps = [0, *(match.start() for match in _HUMP.finditer(raw)), len(raw)]
    for start, end in pairwise(humps):
        if end - start >= SHORT:
            found |= _trimmed(token[start:end], offset=start)
    return found


def _trimmed(piece: str, *, offset: int = 0) -> set[_Span]:
    """The whole piece, and without the digits and signs at either or both of its ends."""
    inner = _INNER.search(piece)
    if inner is None:
        return set()
    return {(offset + start, offset + end) for start in (0, inner.start()) for end in (inner.end(), len(piece))}


def _is_listed(piece: str) -> bool:
    letters = _GAPS.sub("", piece)
    if len(letters) < SHORT or MASK in letters or _OTHER in letters:
        return False
    merged = bool(_AMBIGUOUS.search(letters))
    word = letters.translate({**_READ, **_MERGED} if merged else _READ)
    shapes = _shapes(merged=merged).get(_REPEATED.sub(r"\1", word), ())
    return any(_fits(_runs(word), shape) for shape in shapes)


def _fits(runs: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    short = sum(shape) <= SHORT
    return all(n == least or (n > least and (not short or n >= 3)) for n, least in zip(runs, shape, strict=True))


@cache
def _shapes(*, merged: bool) -> dict[str, list[tuple[int, ...]]]:
    """Masked words by their letters without repetitions -> how often each letter is repeated at least."""
    shapes: dict[str, list[tuple[int, ...]]] = {}
    for entry in entries():
        if entry.kind != "insult" and entry.strength >= STRONG:
            word = entry.word.translate(_MERGED) if merged else entry.word
            shapes.setdefault(_REPEATED.sub(r"\1", word), []).append(_runs(word))
    return shapes


def _runs(word: str) -> tuple[int, ...]:
    return tuple(len(list(run)) for _, run in groupby(word))
