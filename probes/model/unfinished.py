"""Texts that a decoder has begun: what it goes on from, without those that have ended, and prompts read once."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from probes.model.asking import distinct_of
from probes.model.batching import Batch
from probes.model.forward import Forward
from probes.model.sequences import Sequences
from probes.model.substitution import named

ENDED = 0.25
"""Share of the texts that has ended when keys and values are copied without theirs."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Texts in the middle of being written.

    Attributes:
        rows: (texts,) which of the batch they are.
        ids, mask: (texts, tokens) so far.
        types: token types of an encoder that reads them.
        past: keys and values of all tokens before the last; None where nothing was read so far, or nothing is kept.
    """

    rows: torch.Tensor
    ids: torch.Tensor
    mask: torch.Tensor
    types: torch.Tensor | None = None
    past: Any = None

    @classmethod
    def of(cls, forward: Forward, rows: Sequences, *, keeps: bool) -> Unfinished:
        """The prompts of a batch.

        Args:
            keeps: repeated prompts are read once, up to their last token.
        """
        ids, mask, types = forward.inputs(Batch(rows), left=not forward.network.config.is_encoder_decoder)
        numbers = torch.arange(len(ids), device=ids.device)
        which, _ = distinct_of(replace(rows, targets=None).keys(b""))
        firsts = np.unique(which, return_index=True)[1]
        repeated = keeps and len(firsts) < len(ids) and ids.shape[1] > 1
        past: Any = _read(forward.network, ids, mask, forward.moved(firsts)) if repeated else None
        if not _selects(past):
            return cls(numbers, ids, mask, types)
        past.batch_select_indices(forward.moved(which))
        return cls(numbers, ids, mask, types, past)

    def inputs(self) -> dict[str, Any]:
        """What `generate` is given."""
        return named(self.ids, self.mask, self.types) | ({} if self.past is None else {"past_key_values": self.past})

    def grown(self, ids: torch.Tensor, past: Any, ended: torch.Tensor) -> Unfinished:
        """After more tokens; those that have ended stay as long as they are few.

        Args:
            ids: (texts, more tokens).
            ended: (texts,).
        """
        mask = torch.cat([self.mask, self.mask.new_ones(len(ids), ids.shape[1] - self.ids.shape[1])], dim=1)
        if int(ended.sum()) < ENDED * len(ids) or not _selects(past):
            return Unfinished(self.rows, ids, mask, None, past)
        kept = torch.nonzero(~ended)[:, 0]
        past.batch_select_indices(kept)
        return Unfinished(self.rows[kept], ids[kept], mask[kept], None, past)


def goes_on(network: Any) -> bool:
    """Whether `generate` of a network can go on from keys and values that it gave back."""
    return not network.config.is_encoder_decoder and not getattr(network, "_is_stateful", False)


def _selects(past: Any) -> bool:
    """Whether rows can be taken from keys and values; some networks give back none, or of a kind of their own."""
    return hasattr(past, "batch_select_indices")


def _read(network: Any, ids: torch.Tensor, mask: torch.Tensor, rows: torch.Tensor) -> Any:
    """Keys and values of all tokens but the last of some of the prompts."""
    own = mask[rows, :-1]
    accepted = inspect.signature(network.forward).parameters
    places = {"position_ids": (own.cumsum(dim=1) - 1).clamp(min=0)} if "position_ids" in accepted else {}
    last = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}
    return network(**named(ids[rows, :-1], own, None), **places, **last, use_cache=True).past_key_values
