"""Texts as a language model scores them: which tokens are read, and which of them count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from probes.core.answers import Ints
from probes.core.likelihoods import Likelihoods
from probes.model.alignment import Offsets
from probes.model.pooling import SPECIAL
from probes.model.sequences import Sequences, flat, packed
from probes.model.tokens import Encoder, empty_text
from probes.model.windows import trimmed

Span = tuple[int, int]
SCORED = 0


@dataclass(frozen=True, kw_only=True)
class Passages:
    """n texts cut into tokens.

    Attributes:
        sequences: the tokens that are read, with SCORED or SPECIAL as their words.
        spans, unscored: as in `Likelihoods`.
    """

    sequences: Sequences
    spans: Ints
    unscored: Ints

    @classmethod
    def of(cls, encoder: Encoder, texts: Sequence[tuple[str, Span]], *, starts: bool, framed: bool = True) -> Passages:
        """Read texts of which the tokens in characters [start, end) count.

        A text that is too long loses its end; one whose scored part has something before it loses the beginning of that
        first.

        Args:
            starts: the model reads from left to right, so what the tokenizer puts behind a text is left out, and where
                it puts nothing before it the tokenizer's token for the beginning (or else the end) of a text is put
                there, as GPT-2 saw it in training.
            framed: False for texts that hold all special tokens themselves, as the template of a chat writes them.

        Raises:
            DataError: a text the tokenizer cannot read, or of which it leaves nothing.
        """
        return cls.put_together(read(encoder, texts, starts=starts, framed=framed), types=encoder.token_types)

    @classmethod
    def put_together(cls, rows: Sequence[Read], *, types: bool) -> Passages:
        """Those of texts that are cut into tokens already.

        Args:
            types: whether the model reads token types.
        """
        sequences = packed([row.ids for row in rows], [[0] * len(row.ids) for row in rows] if types else None)
        return cls(
            sequences=replace(sequences, words=flat([row.flags for row in rows], len(sequences.ids))),
            spans=np.array([row.span for row in rows], dtype=np.int64).reshape(len(rows), 2),
            unscored=np.array([row.unscored for row in rows], dtype=np.int64),
        )

    @cached_property
    def counts(self) -> Ints:
        """(n,): tokens that are scored."""
        found = [np.count_nonzero(self.sequences.words_of(row) == SCORED) for row in range(len(self.spans))]
        return np.array(found, dtype=np.int64)

    def likelihoods(self, logs: NDArray[np.float32], position: Ints, *, tolerance: float) -> Likelihoods:
        """Those of the texts at `position`, from (n, widest) log-probabilities."""
        assert self.sequences.words is not None
        counts = self.counts
        chosen = self.sequences.words == SCORED
        ids = np.split(self.sequences.ids[chosen].astype(np.int64), np.cumsum(counts)[:-1])
        empty = np.zeros(0, dtype=np.int64)
        return Likelihoods(
            logs=np.concatenate([empty, *(logs[row, : counts[row]] for row in position)]).astype(np.float64),
            ids=np.concatenate([empty, *(ids[row] for row in position)]),
            starts=np.concatenate(([0], np.cumsum(counts[position]))).astype(np.int64),
            spans=self.spans[position],
            unscored=self.unscored[position],
            tolerance=tolerance,
        )


@dataclass(frozen=True, slots=True)
class Read:
    """The tokens of one text that are read; those with the flag SCORED count.

    Attributes:
        offsets: characters [start, end) of each token; none of those that are put around the text.
    """

    ids: list[int]
    flags: list[int]
    offsets: Offsets
    span: Span
    unscored: int


def read(encoder: Encoder, texts: Sequence[tuple[str, Span]], *, starts: bool, framed: bool = True) -> list[Read]:
    """Cut texts into tokens, as `Passages.of` says.

    Raises:
        DataError: a text the tokenizer cannot read, or of which it leaves nothing.
    """
    before, after = _frame(encoder, starts=starts) if framed else ([], [])
    room = encoder.max_length - len(before) - len(after)
    whole = encoder.encode_whole([text for text, _ in texts])
    return [
        _window(ids, offsets, text, span, before=before, after=after, room=room, blind=starts and not before)
        for (ids, offsets), (text, span) in zip(whole, texts, strict=True)
    ]


def _window(
    ids: list[int],
    offsets: Offsets,
    text: str,
    span: Span,
    *,
    before: list[int],
    after: list[int],
    room: int,
    blind: bool,
) -> Read:
    """What is read within `room` tokens; `blind` models give the very first token no score."""
    if not ids:
        raise empty_text()
    # A blank belongs to the word behind it. Tokens of no width stand at the ends of a text too.
    shown = [trimmed(text, start, end) or (end, end) for start, end in offsets]
    wanted = [(end > span[0] or span[0] == 0) and (start < span[1] or span[1] >= len(text)) for start, end in shown]
    last = max((place for place, counts in enumerate(wanted) if counts), default=0)
    first = max(0, last + 1 - room) if span[0] else 0
    scored = [counts and not (blind and place == 0) for place, counts in enumerate(wanted[first : first + room])]
    covered = [offsets[first + place] for place, counts in enumerate(scored) if counts]
    return Read(
        ids=[*before, *ids[first : first + room], *after],
        flags=[
            *[SPECIAL] * len(before),
            *(SCORED if counts else SPECIAL for counts in scored),
            *[SPECIAL] * len(after),
        ],
        offsets=[*[(0, 0)] * len(before), *offsets[first : first + room], *[(0, 0)] * len(after)],
        span=(min(start for start, _ in covered), max(end for _, end in covered)) if covered else (0, 0),
        unscored=sum(wanted) - sum(scored),
    )


def _frame(encoder: Encoder, *, starts: bool) -> tuple[list[int], list[int]]:
    """What stands before and behind the tokens of every text."""
    before, after = encoder.frame
    return (before or encoder.opening, []) if starts else (before, after)
