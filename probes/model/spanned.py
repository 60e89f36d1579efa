"""Texts with what was said of a part of them, as a tagger or a reader reads them: which tokens that part is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from probes.core.answers import Ints
from probes.core.attributions import SpanTarget
from probes.core.examples import Text
from probes.core.taggings import tagged_words
from probes.model.aims import END, START
from probes.model.pooling import owners
from probes.model.sequences import Ids, Sequences, flat
from probes.model.tokens import Encoder
from probes.model.windows import CONTEXT, NULL, Windows

Aimed = tuple[Text, SpanTarget]


@dataclass(frozen=True, kw_only=True)
class Spanned:
    """n texts, each with a part of it.

    Attributes:
        texts: (n,) as they are read.
        sequences: their tokens with the words they belong to; the goals are marked as `probes.model.aims` says.
        cut: (n,) whether a text may go on behind its last token.
    """

    texts: Sequence[Text]
    sequences: Sequences
    cut: Sequence[bool]

    @classmethod
    def tagged(cls, encoder: Encoder, items: Sequence[Aimed], *, labels: Sequence[str]) -> Spanned:
        """As a tagger reads them: words with one blank between them.

        Raises:
            DataError: a text the tokenizer cannot read, or a pair.
            ValueError: a word that is not read, or a label that is none of the model's.
        """
        first = encoder.encode_tagged([text for text, _ in items])
        texts = [" ".join(tagged_words(text)) for text, _ in items]
        rows = encoder.encode_words(texts)
        goals = [_tags(first.words_of(row), target, labels) for row, (_, target) in enumerate(items)]
        cut = (rows.lengths >= encoder.max_length).tolist()
        return cls(texts=texts, sequences=_marked(rows, goals), cut=cut)

    @classmethod
    def answered(cls, encoder: Encoder, items: Sequence[Aimed]) -> Spanned:
        """As a reader reads them: of each context the window with most text around the answer.

        Raises:
            DataError: a text the tokenizer cannot read, or one that is no pair.
            ModelError: a tokenizer without offsets.
            ValueError: an answer that is in no window.
        """
        read = encoder.encode_questions([text for text, _ in items])
        found = [_window(read, number, target) for number, (_, target) in enumerate(items)]
        windows = np.array([window for window, _ in found], dtype=np.int64)
        rows = read.sequences.take(windows)
        words = [_words(text, read, window) for (text, _), window in zip(items, windows.tolist(), strict=True)]
        rows = replace(rows, words=flat(words, len(rows.ids)))
        return cls(
            texts=[text for text, _ in items],
            sequences=_marked(rows, [goals for _, goals in found]),
            cut=(np.diff(read.starts) > 1).tolist(),
        )


def _marked(rows: Sequences, goals: Sequence[Ids]) -> Sequences:
    marks = np.concatenate([np.zeros(0, dtype=np.int32), *goals]).astype(np.int32)
    return replace(rows, goals=marks, targets=np.zeros(len(rows), dtype=np.int32))


def _tags(first: Ids, target: SpanTarget, labels: Sequence[str]) -> Ids:
    """(tokens,): the number of the label + 1 at the first token of each word of a span."""
    goals = np.zeros(len(first), dtype=np.int32)
    for number, label in zip(range(target.start, target.end), target.labels, strict=True):
        (places,) = np.nonzero(first == number)
        if not len(places):
            raise ValueError(f"word {number} of a text is not read")
        goals[places[0]] = labels.index(label) + 1
    return goals


def _window(read: Windows, number: int, target: SpanTarget) -> tuple[int, Ids]:
    """The window of a context with most text around an answer, and the (tokens,) marks of the answer in it."""
    windows = range(int(read.starts[number]), int(read.starts[number + 1]))
    found = [(window, _ends(read, window, target)) for window in windows]
    inside = [(window, ends) for window, ends in found if ends is not None]
    if not inside:
        raise ValueError("an answer lies in no window of its context")
    window, (first, last) = max(inside, key=lambda each: (_room(read, *each), -each[0]))
    goals = np.zeros(len(read.sequences.words_of(window)), dtype=np.int32)
    goals[first] |= START
    goals[last] |= END
    return window, goals


def _ends(read: Windows, window: int, target: SpanTarget) -> tuple[int, int] | None:
    """The first and the last token of an answer; None where the window does not hold them."""
    marks, offsets = read.sequences.words_of(window), read.offsets[window]
    if target.start == target.end:
        null = int(np.argmax(marks == NULL))
        return null, null
    within = marks == CONTEXT
    first = np.flatnonzero(within & (offsets[:, 0] <= target.start) & (offsets[:, 1] > target.start))
    last = np.flatnonzero(within & (offsets[:, 0] < target.end) & (offsets[:, 1] >= target.end))
    return (int(first[0]), int(last[0])) if len(first) and len(last) else None


def _room(read: Windows, window: int, ends: tuple[int, int]) -> int:
    """Tokens of the context before or behind an answer, whichever are fewer."""
    places = np.flatnonzero(read.sequences.words_of(window) == CONTEXT)
    return min(ends[0] - int(places[0]), int(places[-1]) - ends[1]) if len(places) else 0


def _words(text: Text, read: Windows, window: int) -> list[int]:
    """The word of each token, of the question or of the context."""
    offsets: Ints = read.offsets[window]
    marks = read.sequences.words_of(window)
    real = (offsets[:, 1] > offsets[:, 0]).tolist()
    parts = [(1 if mark == CONTEXT else 0) if there else None for mark, there in zip(marks.tolist(), real, strict=True)]
    return owners(text, [(int(a), int(b)) for a, b in offsets.tolist()], parts, [0] * len(parts))
