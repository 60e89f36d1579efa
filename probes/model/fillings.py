"""The likeliest tokens for the blank of a text as a question to a masked language model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from probes.core.answers import Ints
from probes.core.errors import ModelError
from probes.core.fillings import BLANK, Fillings
from probes.model.asking import Rows
from probes.model.batching import Batch
from probes.model.forward import Forward
from probes.model.heads import LOGITS, logits_at
from probes.model.sequences import Sequences
from probes.model.substitution import named
from probes.model.tokens import Encoder

AHEAD = "a"
"""What stands before a word to see which token it is within a text: byte-level tokenizers have another one for its
beginning."""


@dataclass(frozen=True)
class Fill:
    """Which tokens are the likeliest at the mask, and how likely are given ones; part of the key of every answer.

    Attributes:
        mask: the id that stands for the blank.
        count: of the likeliest tokens.
        targets: ids of the given ones.
        vocabulary: logits for one token.
    """

    mask: int
    count: int
    targets: tuple[int, ...]
    vocabulary: int = field(repr=False)

    @classmethod
    def of(cls, network: Any, tokenizer: Any, *, count: int, targets: Sequence[int]) -> Fill:
        """The question to one network.

        Raises:
            ModelError: for a tokenizer without a mask.
        """
        if tokenizer.mask_token_id is None:
            raise ModelError(
                "the tokenizer of this masked language model has no mask token, so no blank can be filled",
                hint="save the tokenizer that the model was trained with into its folder",
            )
        size = int(network.config.get_text_config().vocab_size)
        return cls(mask=int(tokenizer.mask_token_id), count=min(count, size), targets=tuple(targets), vocabulary=size)

    @property
    def width(self) -> int:
        """Numbers in an answer: the likeliest ids, their log-probabilities, and those of the given ones."""
        return 2 * self.count + len(self.targets)

    def at_once(self, limit: int, longest: int) -> int:
        """Rows of `longest` tokens that go through the network together."""
        return max(1, min(limit // longest, LOGITS // self.vocabulary))

    def __call__(self, forward: Forward, batch: Batch) -> torch.Tensor:
        """(rows, width) answers; of a row without a mask they mean nothing."""
        with torch.inference_mode():
            return torch.cat(list(self._parts(forward, batch.rows)))

    def _parts(self, forward: Forward, rows: Sequences) -> Iterator[torch.Tensor]:
        step = self.at_once(forward.limit, int(rows.lengths.max()))
        for first in range(0, len(rows), step):
            ids, mask, types = forward.inputs(Batch(rows.take(np.arange(first, min(first + step, len(rows))))))
            at = torch.arange(len(ids), device=ids.device), (ids == self.mask).int().argmax(dim=1)
            logits = logits_at(forward.network, named(ids, mask, types), at, shape=ids.shape)
            logs = logits.float().log_softmax(dim=1)
            top = logs.topk(self.count, dim=1)
            given = logs[:, list(self.targets)]
            yield torch.cat([top.indices.float(), top.values, given], dim=1).cpu()


def filled(texts: Sequence[str], mask: str) -> list[str]:
    """The texts as the model reads them.

    Raises:
        ValueError: for a text that has not one blank.
    """
    for text in texts:
        if text.count(BLANK) != 1:
            raise ValueError(f"not a text with one {BLANK}: {text!r}")
    return [text.replace(BLANK, mask) for text in texts]


def word_ids(encoder: Encoder, words: Sequence[str]) -> Ints:
    """(m,) the token that each word is inside a text; -1 for a word that is none, or several."""
    alone, *rows = encoder.encode_bare([AHEAD, *(f"{AHEAD} {word}" for word in words)])
    unknown = encoder.tokenizer.unk_token_id
    single = [len(row) == len(alone) + 1 and row[:-1] == alone and row[-1] != unknown for row in rows]
    return np.array([row[-1] if one else -1 for row, one in zip(rows, single, strict=True)], dtype=np.int64)


def read(rows: Rows, question: Fill, *, has_blank: Sequence[bool], known: Sequence[bool], encoder: Encoder) -> Fillings:
    """From (n, width) answers.

    Args:
        has_blank: (n,) was the blank of the text read.
        known: (m,) which of the words asked for are the targets of the question.
    """
    k, blank = question.count, np.array(has_blank, dtype=bool)
    ids = rows[:, :k].astype(np.int64)
    spelt = encoder.decode([[token] for token in ids.ravel().tolist()])
    numbers = np.where(blank[:, None], rows[:, k:].astype(np.float64), np.nan)
    words = np.full((len(rows), len(known)), np.nan)
    words[:, np.array(known, dtype=bool)] = numbers[:, k:]
    return Fillings(
        texts=[text.strip() if blank[at // k] else "" for at, text in enumerate(spelt)],
        logs=numbers[:, :k],
        words=words,
    )
