"""From tokens to words and back: which word a token belongs to, and the scores of tokens shared out to words.

A token mostly lies in one word, and the score of a word is the sum over its tokens. Where a token holds several words,
as it may in scripts without blanks ("東京") or beside punctuation ("(the"), each of its characters takes an equal part.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from probes.core.answers import Floats, Ints
from probes.core.examples import Text
from probes.core.words import Span, spans, word
from probes.model.sequences import Ids

SPECIAL = -1
"""The "word" of a token that the tokenizer added: [CLS], a separator, the end of the text."""
BLANK = -2
"""The "word" of any other token that belongs to none: blanks."""
NONE = -1


def owners(
    text: Text,
    offsets: Iterable[tuple[int, int]],
    parts: Iterable[int | None],
    special: Iterable[int],
    *,
    among: Callable[[Text], Sequence[Span]] = spans,
) -> list[int]:
    """The word of each of n tokens: the number, among `spans(text)`, of the word with its first letter or digit.

    Of a token without any, the word with its first character that is not blank.

    Args:
        offsets: (n,) characters [start, end) of each token in its part of the text.
        parts: (n,) which part of a pair; None for tokens of neither.
        special: (n,) 1 for tokens that the tokenizer added.
        among: the words of a text.
    """
    strings = (text,) if isinstance(text, str) else text
    words = [[BLANK] * len(string) for string in strings]
    for number, span in enumerate(among(text)):
        words[span.part][span.start : span.end] = [number] * (span.end - span.start)

    def owner(part: int, start: int, end: int) -> int:
        string, own, other = strings[part], words[part], BLANK
        for place in range(start, min(max(end, start + 1), len(own))):
            number = own[place]
            if number != BLANK:
                if string[place].isalnum():  # mostly the first or, behind a blank, the second
                    return number
                if other == BLANK:
                    other = number
        return other

    return [
        SPECIAL if added or part is None else owner(part, *offset)
        for offset, part, added in zip(offsets, parts, special, strict=True)
    ]


def pooled(text: Text, owner: Ids, scores: Floats, *, cut: bool = False) -> tuple[tuple[Span, ...], Floats, float, int]:
    """The words that were read, the score of each, that of all tokens in no word, and how many words were not read.

    Words not read are those behind the last, or before the first, that is in a token.

    Args:
        owner: (tokens,) the word of each token.
        scores: (tokens,).
        cut: whether the text may go on behind its last token. Then a word without a token of its own there counts as
            not read, although the end of that token may hold it.
    """
    every = spans(text)
    inside = owner >= 0
    totals = np.zeros(len(every))
    np.add.at(totals, owner[inside], scores[inside])
    held = _held(text, every, np.unique(owner[inside]), cut=cut)
    (read,) = np.nonzero(held != NONE)
    lengths = np.array([span.end - span.start for span in every], dtype=np.float64)
    whole = np.zeros(len(every))
    np.add.at(whole, held[read], lengths[read])
    return (
        tuple(every[number] for number in read),
        totals[held[read]] * (lengths[read] / whole[held[read]]),
        float(scores[~inside].sum()),
        _unread(every, read),
    )


def _held(text: Text, every: tuple[Span, ...], owning: Ints, *, cut: bool) -> Ints:
    """(words,): for each word the one that owns its tokens, most often itself; NONE for words in no token.

    A token belongs to the word with its first letter. So a word of letters that owns none lies in a token of the word
    that it adjoins; punctuation may lie in one of the word behind it, too.
    """
    held = np.full(len(every), NONE)
    held[owning] = owning
    last = {every[number].part: number for number in owning.tolist()}
    for number in np.flatnonzero(held == NONE).tolist():
        span = every[number]
        if not _visible(word(text, span)) or (cut and number > last.get(span.part, NONE)):
            continue
        letters = any(map(str.isalnum, word(text, span)))
        for neighbour in (number - 1,) if letters else (number + 1, number - 1):
            if 0 <= neighbour < len(every) and held[neighbour] != NONE and _adjoin(span, every[neighbour]):
                held[number] = held[neighbour]
                break
    return held


def _visible(written: str) -> bool:
    """Tokenizers may drop signs that are not."""
    return any(unicodedata.category(sign)[0] != "C" for sign in written)


def _adjoin(one: Span, other: Span) -> bool:
    return one.part == other.part and (one.end == other.start or other.end == one.start)


def _unread(every: tuple[Span, ...], read: Ints) -> int:
    parts = np.array([span.part for span in every], dtype=np.int64)
    total = 0
    for part in np.unique(parts):
        (numbers,) = np.nonzero(parts == part)
        found = read[np.isin(read, numbers)]
        total += len(numbers) - (int(found.max() - found.min()) + 1 if len(found) else 0)
    return total
