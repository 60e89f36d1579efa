"""Pairs of question and context to windows that overlap, however long the context is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from probes.core.answers import Ints
from probes.core.errors import DataError
from probes.core.examples import Text
from probes.model.pooling import SPECIAL
from probes.model.sequences import Sequences, flat, packed
from probes.model.spans import BEST, NEVER

OVERLAP = 128
"""Tokens that two neighbouring windows share, or half of the room for the context if that is less (`doc_stride`)."""
CONTEXT, NULL = 0, -3
"""In the place of the words of a sequence: tokens of the context, and the one whose logits say "no answer"."""

Candidate = tuple[float, int, int]
"""Score, first and last character + 1 of a span of a context."""


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Windows of n contexts, those of one context one after another.

    Attributes:
        sequences: question and part of the context; `words` marks CONTEXT and NULL.
        starts: (n + 1,) the windows of pair i are rows starts[i]:starts[i + 1].
        offsets: for each window the characters (tokens, 2) of each token in its text.
    """

    sequences: Sequences
    starts: Ints
    offsets: Sequence[Ints]

    def candidates(self, pair: int, context: str, rows: np.ndarray) -> tuple[list[Candidate], float]:
        """The BEST different spans of a context, best first, and the score of "no answer", from (windows, NUMBERS).

        Where several windows hold a span its best score counts; "no answer" must hold for every window, so of its
        scores the lowest one does.
        """
        found: dict[tuple[int, int], float] = {}
        for window in range(int(self.starts[pair]), int(self.starts[pair + 1])):
            scores, first, last = np.split(rows[window, 1:], 3)
            offsets = self.offsets[window]
            for score, a, b in zip(scores.tolist(), first.astype(int).tolist(), last.astype(int).tolist(), strict=True):
                if score < NEVER / 2:
                    break
                place = trimmed(context, int(offsets[a, 0]), int(offsets[b, 1]))
                if place is not None and score > found.get(place, -np.inf):
                    found[place] = score
        ranked = sorted(((score, *place) for place, score in found.items()), key=lambda each: (-each[0], each[1:]))
        return ranked[:BEST], float(rows[self.starts[pair] : self.starts[pair + 1], 0].min())


def windows(
    rust: Any, pairs: Sequence[Text], *, max_length: int, token_types: bool, null: int | None, context_first: bool
) -> Windows:
    """Cut pairs into windows of at most `max_length` tokens, special tokens included.

    A question takes half of a window at most; what is longer is cut.

    Args:
        rust: a tokenizer of one's own, whose truncation this changes.
        null: id of the token whose logits say "no answer"; the first token where there is none.
        context_first: for models that are trained with the padding on the left.

    Raises:
        DataError: for a single text.
    """
    if any(isinstance(text, str) for text in pairs):
        raise DataError(
            "the model answers questions about a context, and a single text was given",
            hint="name the columns with --text-column QUESTION --text-column CONTEXT",
        )
    special = rust.num_special_tokens_to_add(True)
    longest = max(1, max_length // 2 - special)
    rust.no_truncation()
    rust.no_padding()
    alone = rust.encode_batch([pair[0] for pair in pairs], add_special_tokens=False)
    asked = [_shortened(pair[0], each, longest) for pair, each in zip(pairs, alone, strict=True)]
    room = [max_length - special - min(len(each), longest) for each in alone]
    by_overlap: dict[int, list[int]] = defaultdict(list)
    for number, free in enumerate(room):
        by_overlap[min(OVERLAP, free // 2)].append(number)
    found: dict[int, list[Any]] = {}
    for overlap, numbers in by_overlap.items():
        strategy = "only_first" if context_first else "only_second"
        rust.enable_truncation(max_length, stride=overlap, strategy=strategy)
        ordered = [(pairs[k][1], asked[k]) if context_first else (asked[k], pairs[k][1]) for k in numbers]
        for number, encoding in zip(numbers, rust.encode_batch(ordered), strict=True):
            found[number] = [encoding, *encoding.overflowing]
    every = [found[number] for number in range(len(pairs))]
    return _gathered(every, token_types=token_types, null=null, context=0 if context_first else 1)


def _gathered(every: Sequence[Sequence[Any]], *, token_types: bool, null: int | None, context: int) -> Windows:
    encodings = [encoding for each in every for encoding in each]
    rows = packed([each.ids for each in encodings], [each.type_ids for each in encodings] if token_types else None)
    marks = [_marks(each, null=null, context=context) for each in encodings]
    starts = np.cumsum([0, *map(len, every)])
    return Windows(
        sequences=replace(rows, words=flat(marks, len(rows.ids))),
        starts=starts.astype(np.int64),
        offsets=[np.array(each.offsets, dtype=np.int64).reshape(-1, 2) for each in encodings],
    )


def _marks(encoding: Any, *, null: int | None, context: int) -> list[int]:
    marks = [
        CONTEXT if part == context and not added and end > begin else SPECIAL
        for part, added, (begin, end) in zip(
            encoding.sequence_ids, encoding.special_tokens_mask, encoding.offsets, strict=True
        )
    ]
    marks[encoding.ids.index(null) if null in encoding.ids else 0] = NULL
    return marks


def _shortened(question: str, encoding: Any, longest: int) -> str:
    return question if len(encoding) <= longest else question[: encoding.offsets[longest - 1][1]]


def trimmed(context: str, start: int, end: int) -> tuple[int, int] | None:
    """Without blanks at both ends, which some tokenizers count to the word; None where nothing else is left."""
    text = context[start:end]
    if not text.strip():
        return None
    return start + len(text) - len(text.lstrip()), end - len(text) + len(text.rstrip())
