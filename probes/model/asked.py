"""What an attribution is asked of: a method with all it depends on, and a batch of texts on the device."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from probes.core.attributions import Baseline, Jitter, Method
from probes.model.aims import LABEL, Aim
from probes.model.batching import Batch
from probes.model.forward import Forward
from probes.model.substitution import Embedding, named


@dataclass(frozen=True, kw_only=True)
class How:
    """One method, with everything it depends on but the text and the target.

    Attributes:
        aim: what of the network's output is explained.
        embedding: None for a network whose word embeddings cannot be replaced.
        baseline: None for methods that compare with nothing.
        stand_in: the id of the token that replaces words.
    """

    method: Method
    embedding: Embedding | None
    jitter: Jitter | None = None
    baseline: Baseline | None = None
    stand_in: int = 0
    aim: Aim = LABEL

    def nothing(self, embedding: Embedding) -> torch.Tensor:
        """(..., width): the embedding of "no word here"."""
        if self.baseline is Baseline.MEAN:
            return embedding.mean
        if self.baseline is Baseline.ZERO:
            return torch.zeros_like(embedding.mean)
        return embedding.vectors(torch.tensor([[self.stand_in]], device=embedding.device))

    def given(
        self,
        vectors: torch.Tensor,
        ids: torch.Tensor,
        mask: torch.Tensor,
        types: torch.Tensor | None,
        goals: torch.Tensor | None,
    ) -> torch.Tensor:
        """(rows, numbers) float32: what is explained, with `vectors` in place of embeddings."""
        assert self.embedding is not None
        output = self.embedding.output(vectors, ids, mask, types, **self.aim.more(goals))
        return self.aim.read(output, ids, goals)

    def looked_up(
        self,
        network: Any,
        ids: torch.Tensor,
        mask: torch.Tensor,
        types: torch.Tensor | None,
        goals: torch.Tensor | None,
    ) -> torch.Tensor:
        """(rows, numbers) float32: what is explained, of tokens as they are."""
        return self.aim.read(network(**named(ids, mask, types), **self.aim.more(goals)), ids, goals)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """n texts on the device, each about one target.

    Attributes:
        ids, mask, words: (n, tokens); words as in `probes.model.pooling`, padding counts as special tokens.
        types: (n, tokens), or None for a network that reads none.
        targets: (n,) which of the numbers that are read of an output: for classifiers the label.
        seeds: (n,) of each text its own, for what is drawn.
        limit: rows x tokens that fit into memory at once.
        longest: tokens that the network reads of a text at most, those of a decoder included.
        goals: (n, goals) where what is explained stands, see `probes.model.aims`.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    types: torch.Tensor | None
    words: torch.Tensor
    targets: torch.Tensor
    seeds: tuple[int, ...]
    limit: int
    longest: int
    goals: torch.Tensor | None = None

    @classmethod
    def of(cls, batch: Batch, forward: Forward, *, limit: int, aim: Aim = LABEL) -> Asked:
        """A batch with words and targets, moved to the device."""
        read, goals = aim.split(batch)
        ids, mask, types = forward.inputs(read)
        assert batch.rows.targets is not None
        return cls(
            ids=ids,
            mask=mask,
            types=types,
            words=forward.moved(read.words()),
            targets=forward.moved(batch.rows.targets.astype(np.int64)),
            seeds=tuple(int.from_bytes(key[:7], "big") for key in batch.rows.keys(b"draws")),
            limit=limit,
            longest=int(batch.rows.lengths[0]),
            goals=None if goals is None else forward.moved(goals),
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def inputs(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """What the network reads besides embeddings."""
        return self.ids, self.mask, self.types

    @property
    def more(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        """These, and where what is explained stands."""
        return *self.inputs, self.goals

    def take(self, rows: torch.Tensor) -> Asked:
        """The texts of these rows, on the device; without seeds."""
        return replace(
            self,
            ids=self.ids[rows],
            mask=self.mask[rows],
            types=None if self.types is None else self.types[rows],
            words=self.words[rows],
            targets=self.targets[rows],
            seeds=(),
            goals=None if self.goals is None else self.goals[rows],
        )

    @property
    def room(self) -> int:
        """Texts that fit into memory at once."""
        return max(1, self.limit // self.longest)

    def one(self, row: int, *, length: int) -> Asked:
        """One text without its padding."""
        here, real = slice(row, row + 1), slice(0, length)
        return replace(
            self,
            ids=self.ids[here, real],
            mask=self.mask[here, real],
            types=None if self.types is None else self.types[here, real],
            words=self.words[here, real],
            targets=self.targets[here],
            seeds=self.seeds[here],
            longest=self.longest - self.ids.shape[1] + length,
            goals=None if self.goals is None else self.goals[here],
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
