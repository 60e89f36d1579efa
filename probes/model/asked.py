"""What an attribution is asked of: a method with all it depends on, and a batch of texts on the device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from probes.core.attributions import Baseline, Jitter, Method
from probes.model.batching import Batch
from probes.model.forward import Forward
from probes.model.substitution import Embedding


@dataclass(frozen=True, kw_only=True)
class How:
    """One method, with everything it depends on but the text and the target.

    Attributes:
        embedding: None for a network whose word embeddings cannot be replaced.
        baseline: None for methods that compare with nothing.
        stand_in: the id of the token that replaces words.
    """

    method: Method
    embedding: Embedding | None
    jitter: Jitter | None = None
    baseline: Baseline | None = None
    stand_in: int = 0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """n texts on the device, each about one target.

    Attributes:
        ids, mask, words: (n, tokens); words as in `probes.model.pooling`, padding counts as special tokens.
        types: (n, tokens), or None for a network that reads none.
        targets: (n,) numbers of labels.
        seeds: (n,) of each text its own, for what is drawn.
        limit: rows x tokens that fit into memory at once.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    types: torch.Tensor | None
    words: torch.Tensor
    targets: torch.Tensor
    seeds: tuple[int, ...]
    limit: int

    @classmethod
    def of(cls, batch: Batch, forward: Forward, *, limit: int) -> Asked:
        """A batch with words and targets, moved to the device."""
        ids, mask, types = forward.inputs(batch)
        assert batch.rows.targets is not None
        return cls(
            ids=ids,
            mask=mask,
            types=types,
            words=forward.moved(batch.words()),
            targets=forward.moved(batch.rows.targets.astype(np.int64)),
            seeds=tuple(int.from_bytes(key[:7], "big") for key in batch.rows.keys(b"draws")),
            limit=limit,
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def inputs(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """What the network reads besides embeddings."""
        return self.ids, self.mask, self.types

    def take(self, rows: torch.Tensor) -> Asked:
        """The texts of these rows, on the device; without seeds."""
        return Asked(
            ids=self.ids[rows],
            mask=self.mask[rows],
            types=None if self.types is None else self.types[rows],
            words=self.words[rows],
            targets=self.targets[rows],
            seeds=(),
            limit=self.limit,
        )

    @property
    def room(self) -> int:
        """Texts that fit into memory at once."""
        return max(1, self.limit // self.ids.shape[1])

    def one(self, row: int, *, length: int) -> Asked:
        """One text without its padding."""
        here, real = slice(row, row + 1), slice(0, length)
        return Asked(
            ids=self.ids[here, real],
            mask=self.mask[here, real],
            types=None if self.types is None else self.types[here, real],
            words=self.words[here, real],
            targets=self.targets[here],
            seeds=self.seeds[here],
            limit=self.limit,
        )

    @property
    def lengths(self) -> list[int]:
        """(n,): tokens of each text."""
        return [int(length) for length in self.mask.sum(dim=1).tolist()]

    def pieces(self) -> tuple[torch.Tensor, ...]:
        """Row numbers in portions that fit into memory."""
        every = torch.arange(len(self), device=self.ids.device)
        return torch.split(every, self.room)

    def of_targets(self, logits: torch.Tensor) -> torch.Tensor:
        """(n,): of (n, labels) logits those of the targets."""
        return logits.gather(1, self.targets[:, None])[:, 0]


def header(output: torch.Tensor, before: torch.Tensor | None, points: torch.Tensor) -> torch.Tensor:
    """(n, 3): what an answer holds before its scores: (n,) target's logits, those of the baseline, points."""
    return torch.stack([output, torch.zeros_like(output) if before is None else before, points.to(output)], dim=1)
