"""From tokens to words and back: which word a token belongs to, and the scores of tokens summed over each word."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from probes.core.answers import Floats, Ints
from probes.core.examples import Text
from probes.core.words import Span, spans
from probes.model.sequences import Ids

SPECIAL = -1
"""The "word" of a token that the tokenizer added: [CLS], a separator, the end of the text."""
BLANK = -2
"""The "word" of any other token that belongs to none: blanks."""


def owners(
    text: Text, offsets: Iterable[tuple[int, int]], parts: Iterable[int | None], special: Iterable[int]
) -> list[int]:
    """The word of each of n tokens: the number, among `spans(text)`, of the word with its first character not blank.

    Args:
        offsets: (n,) characters [start, end) of each token in its part of the text.
        parts: (n,) which part of a pair; None for tokens of neither.
        special: (n,) 1 for tokens that the tokenizer added.
    """
    strings = (text,) if isinstance(text, str) else text
    words = [np.full(len(string) + 1, BLANK) for string in strings]
    for number, span in enumerate(spans(text)):
        words[span.part][span.start : span.end] = number
    return [
        SPECIAL if added or part is None else _first(words[part][start : max(end, start + 1)])
        for (start, end), part, added in zip(offsets, parts, special, strict=True)
    ]


def pooled(text: Text, owner: Ids, scores: Floats) -> tuple[tuple[Span, ...], Floats, float, int]:
    """The words with tokens, the sum of the token scores over each, that over all other tokens, words not read.

    A word that shares its only token with the word before it (as Chinese characters do) is not among the former; words
    not read are those behind the last, or before the first, word with a token.

    Args:
        owner: (tokens,) the word of each token.
        scores: (tokens,).
    """
    every = spans(text)
    totals = np.zeros(len(every))
    inside = owner >= 0
    np.add.at(totals, owner[inside], scores[inside])
    read = np.unique(owner[inside])
    return (
        tuple(every[number] for number in read),
        totals[read],
        float(scores[~inside].sum()),
        _unread(every, read),
    )


def _unread(every: tuple[Span, ...], read: Ids) -> int:
    parts = np.array([span.part for span in every], dtype=np.int64)
    total = 0
    for part in np.unique(parts):
        (numbers,) = np.nonzero(parts == part)
        found = read[np.isin(read, numbers)]
        total += len(numbers) - (int(found.max() - found.min()) + 1 if len(found) else 0)
    return total


def _first(words: Ints) -> int:
    return next((word for word in words.tolist() if word >= 0), BLANK)
