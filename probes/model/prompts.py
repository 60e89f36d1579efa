"""Prompts as a generator reads them: the text alone or as the message of a user, with room for what is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from probes.core.answers import Ints
from probes.core.errors import ModelError
from probes.model.sequences import Sequences, packed
from probes.model.time_limit import at_most
from probes.model.tokens import Encoder, empty_text

RENDERED_WITHIN = 5.0
"""Seconds for one message; templates take thousandths of one."""
LONGEST_TEMPLATE = 100_000
"""Characters around a message; descriptions of tools are the longest that templates hold."""
_REPAIR = "repair chat_template in tokenizer_config.json, or remove it: then texts are continued as they are"


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """n prompts cut into tokens.

    Attributes:
        sequences: the tokens that are read.
        cut: (n,) tokens of each prompt that are left out.
    """

    sequences: Sequences
    cut: Ints

    @classmethod
    def of(cls, encoder: Encoder, texts: Sequence[str], *, room: int, chat: bool) -> Prompts:
        """What a model that continues texts reads: at most `room` tokens of each.

        What the tokenizer puts behind a text is left out, for that would end it. A prompt that is too long loses its
        beginning, but keeps what the tokenizer or the template puts before it.

        Args:
            chat: each is the message of a user, in the template of the tokenizer, which has all special tokens.

        Raises:
            DataError: a text the tokenizer cannot read, or an empty one to a tokenizer without a token to begin with.
            ModelError: a template that fails.
        """
        before = [] if chat else encoder.frame[0]
        told = [rendered(encoder.tokenizer, text) for text in texts] if chat else texts
        whole = [before + ids or encoder.opening for ids in encoder.encode_bare(told)]
        if not all(whole):
            raise empty_text()
        head = _head(encoder, whole) if chat else [len(before)] * len(whole)
        return cls._packed([_fitted(ids, kept, room) for ids, kept in zip(whole, head, strict=True)], whole, encoder)

    @classmethod
    def sources(cls, encoder: Encoder, texts: Sequence[str]) -> Prompts:
        """What an encoder reads of texts that a decoder is to transform: one that is too long is cut as in training.

        Raises:
            DataError: a text the tokenizer cannot read, or of which it leaves nothing.
        """
        sequences = encoder.encode(texts)
        added = sum(map(len, encoder.frame))
        whole = np.array([len(ids) + added for ids in encoder.encode_bare(texts)], dtype=np.int64)
        return cls(sequences=sequences, cut=np.maximum(whole - sequences.lengths, 0))

    @classmethod
    def _packed(cls, rows: list[list[int]], whole: list[list[int]], encoder: Encoder) -> Prompts:
        types = [[0] * len(row) for row in rows] if encoder.token_types else None
        cut = [len(ids) - len(row) for ids, row in zip(whole, rows, strict=True)]
        return cls(sequences=packed(rows, types), cut=np.array(cut, dtype=np.int64))


def rendered(tokenizer: Any, text: str) -> str:
    """The message of a user in the template of the tokenizer, up to where the reply begins.

    transformers renders it in a sandbox of jinja; a template is part of the model folder and may hold anything. The
    sandbox limits a range, and not the ranges within it.

    Raises:
        ModelError: a template that fails, does not end, or writes a book.
    """
    message = [{"role": "user", "content": text}]
    try:
        with at_most(RENDERED_WITHIN):
            told = str(tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True))
    except Exception as error:  # a template may raise whatever it likes
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"the chat template of the tokenizer fails: {first[:200]}", hint=_REPAIR) from error
    if len(told) > LONGEST_TEMPLATE + 10 * len(text):
        raise ModelError(
            f"the chat template of the tokenizer makes {len(told):,} characters of {len(text):,}", hint=_REPAIR
        )
    return told


def refuse_one_that_drops_messages(tokenizer: Any, texts: Sequence[str]) -> None:
    """Refuse a chat template that makes the same prompt of different messages: no reply would be to any of them.

    Raises:
        ModelError: it does, or it fails.
    """
    if len({rendered(tokenizer, text) for text in texts}) < len(texts):
        raise ModelError(
            "the chat template of the tokenizer makes the same prompt of different messages: it leaves out what a"
            " user writes",
            hint=_REPAIR,
        )


def _head(encoder: Encoder, rows: list[list[int]]) -> list[int]:
    """(n,): tokens of the template before each message."""
    (other,) = encoder.encode_bare([rendered(encoder.tokenizer, "a")])
    return [_shared(row, other) for row in rows]


def _shared(one: list[int], other: list[int]) -> int:
    """Tokens at the beginning that are the same."""
    different = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(different, min(len(one), len(other)))


def _fitted(ids: list[int], head: int, room: int) -> list[int]:
    """At most `room` of the tokens: the first `head` and the last ones."""
    if len(ids) <= room:
        return ids
    kept = min(head, room - 1)
    return ids[:kept] + ids[len(ids) - (room - kept) :]
