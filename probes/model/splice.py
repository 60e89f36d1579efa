"""Token ids of a text put together from those of its words, where that is exactly what the tokenizer would give.

The perturbed texts of an audit repeat the words of the clean ones, and tokenizing is what keeps a GPU waiting. Two
common kinds of tokenizer never look across a space: WordPiece behind the pre-tokenizer of BERT, and BPE behind that of
GPT-2 (which keeps a space with the word after it). There each word is tokenized once. Any text the rule does not cover
counts as one long word, so it is tokenized as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from probes.core.answers import Ints
from probes.model.sequences import Ids, Sequences, packed

WORDS = 1_000_000
"""Words to remember before starting again."""
AT_ONCE = 4096
"""Texts taken apart at once: bounds the memory for the words of a call."""
CHECKS = (
    "Hello, world! Don't panic: it's 3.14 [SEP] x.",
    "  two  spaces\tand\na line \n break, naïve Σίσυφος 東京 e\u0301 \u00a0 <mask> end ",
    "[MASK][CLS] <s>a</s> \u200bzero\u00adwidth 👍🏽 ok",
    "",
)

Number = TypeVar("Number", np.int32, np.int64)
Split = Callable[[str], list[str]]


class Splicer:
    """Encodes single texts with their special tokens, cut on the right to `max_length` tokens. See `splicer`."""

    def __init__(
        self, rust: Any, split: Split, *, before: Sequence[int], after: Sequence[int], max_length: int
    ) -> None:
        self._rust = rust
        self._split = split
        self._before = before
        self._after = after
        self._room = max_length - len(before) - len(after)
        self.forget()

    def forget(self) -> None:
        """Start again without any word."""
        self._index: dict[str, int] = {}
        self._ids, self._starts = np.zeros(0, dtype=np.int32), np.zeros(1, dtype=np.int64)

    @property
    def _known(self) -> Sequences:
        """The ids of each known word, without the room that is left for more."""
        starts = self._starts[: len(self._index) + 1]
        return Sequences(ids=self._ids[: starts[-1]], types=None, starts=starts)

    def encode(self, texts: Sequence[str]) -> Sequences:
        """The sequences of n texts; without token types, which are all zero."""
        blocks = [self._block(texts[start : start + AT_ONCE]) for start in range(0, len(texts), AT_ONCE)]
        if not blocks:
            return packed([])
        lengths = np.concatenate([block.lengths for block in blocks])
        return Sequences(
            ids=np.concatenate([block.ids for block in blocks]),
            types=None,
            starts=np.concatenate(([0], np.cumsum(lengths))),
        )

    def _block(self, texts: Sequence[str]) -> Sequences:
        split = [self._split(text) for text in texts]
        words = list(chain.from_iterable(split))
        places = self._places(words)
        pieces = self._known.take(places)
        ends = np.cumsum(np.fromiter(map(len, split), dtype=np.int64, count=len(split)))
        return self._framed(pieces.ids, pieces.starts[np.concatenate(([0], ends))])

    def _places(self, words: list[str]) -> Ints:
        place = self._index
        try:
            return np.fromiter(map(place.__getitem__, words), dtype=np.int64, count=len(words))
        except KeyError:
            self._learn(words)
        return np.fromiter(map(self._index.__getitem__, words), dtype=np.int64, count=len(words))

    def _learn(self, words: list[str]) -> None:
        if len(self._index) > WORDS:
            self.forget()
        new = [word for word in dict.fromkeys(words) if word not in self._index]
        rows = packed([e.ids for e in self._rust.encode_batch_fast(new, add_special_tokens=False)])
        known = self._known
        self._ids = _extended(self._ids, len(known.ids), rows.ids)
        self._starts = _extended(self._starts, len(known) + 1, len(known.ids) + rows.starts[1:])
        self._index.update(zip(new, range(len(known), len(known) + len(new)), strict=True))

    def _framed(self, ids: Ids, starts: Ints) -> Sequences:
        """Cut what is too long and put the special tokens around each text."""
        lengths = np.diff(starts)
        kept = np.minimum(lengths, self._room)
        if (lengths > kept).any():
            ids = ids[np.arange(len(ids)) - np.repeat(starts[:-1], lengths) < np.repeat(kept, lengths)]
        framed = np.concatenate(([0], np.cumsum(kept + len(self._before) + len(self._after))))
        out = np.empty(framed[-1], dtype=np.int32)
        inner = np.ones(framed[-1], dtype=bool)
        places = [framed[:-1] + offset for offset in range(len(self._before))]
        places += [framed[1:] - len(self._after) + offset for offset in range(len(self._after))]
        for place, token in zip(places, (*self._before, *self._after), strict=True):
            out[place], inner[place] = token, False
        out[inner] = ids
        return Sequences(ids=out, types=None, starts=framed)


def _extended(buffer: NDArray[Number], used: int, more: NDArray[Number]) -> NDArray[Number]:
    """`more` behind what is used of a buffer; a full one doubles, so that learning costs the same at any size."""
    end = used + len(more)
    if end > len(buffer):
        larger = np.empty(2 * end, dtype=buffer.dtype)
        larger[:used] = buffer[:used]
        buffer = larger
    buffer[used:end] = more
    return buffer


def splicer(rust: Any, *, max_length: int) -> Splicer | None:
    """A splicer for this Rust tokenizer, whose truncation is set already; None where words do not stand alone."""
    split = _splitting(json.loads(rust.to_str()))
    frame = _frame(rust)
    if split is None or frame is None:
        return None
    made = Splicer(rust, split, before=frame[0], after=frame[1], max_length=max_length)
    expected = packed([encoding.ids for encoding in rust.encode_batch_fast(list(CHECKS))])
    got = made.encode(CHECKS)
    agrees = np.array_equal(expected.starts, got.starts) and np.array_equal(expected.ids, got.ids)
    return made if agrees else None


def _frame(rust: Any) -> tuple[list[int], list[int]] | None:
    """Special tokens before and after a single text; None when they are not constant or types are not all zero."""
    bare, full = rust.encode("a", add_special_tokens=False).ids, rust.encode("a")
    for start in range(len(full.ids) - len(bare) + 1):
        if full.ids[start : start + len(bare)] == bare and not any(full.type_ids):
            return full.ids[:start], full.ids[start + len(bare) :]
    return None


def _splitting(spec: dict[str, Any]) -> Split | None:
    kinds = tuple((spec[part] or {}).get("type") for part in ("normalizer", "pre_tokenizer", "model"))
    added = spec["added_tokens"]
    if spec["truncation"]["direction"] != "Right" or any(" " in token["content"] for token in added):
        return None
    greedy = [token["content"] for token in added if token["lstrip"] or token["rstrip"]]
    if kinds == ("BertNormalizer", "BertPreTokenizer", "WordPiece"):
        return None if greedy else _at_spaces
    if kinds in ((None, "ByteLevel", "BPE"), ("NFC", "ByteLevel", "BPE")) and spec["pre_tokenizer"]["use_regex"]:
        return _before_spaces(greedy)
    return None


def _at_spaces(text: str) -> list[str]:
    return text.split(" ")


def _before_spaces(greedy: list[str]) -> Split:
    """Split so that every word but the first starts with its space.

    Runs of spaces form one token, and some special tokens swallow the white space around them: a text with either is
    left whole.
    """

    def split(text: str) -> list[str]:
        if "  " in text or "\0" in text or text.endswith(" ") or any(token in text for token in greedy):
            return [text]
        return text.replace(" ", "\0 ").split("\0")

    return split
