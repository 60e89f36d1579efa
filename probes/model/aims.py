"""What of a network's output is explained: a logit, several that belong together, or how likely a text is.

Of each row every aim reads a few numbers, of which one is explained. What is explained may stand at some of the tokens
only; these are marked in `Sequences.goals` and handed on as a block of their own, because a row of embeddings is not
where tokens can be read from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from probes.model.batching import Batch, Block
from probes.model.sequences import Ids, Sequences

NO_GOAL = -1
"""Fills the rows of a block of goals."""


class Aim(Protocol):
    """What is explained; part of the key of every answer."""

    @property
    def numbers(self) -> int:
        """Numbers that the network returns for a token, as far as they need memory."""
        ...

    def split(self, batch: Batch) -> tuple[Batch, Block | None]:
        """The tokens that the network reads, and (rows, most goals) numbers that say where what is explained stands."""
        ...

    def more(self, goals: torch.Tensor | None) -> Mapping[str, torch.Tensor]:
        """What the network is given besides the tokens."""
        ...

    def read(self, output: Any, ids: torch.Tensor, goals: torch.Tensor | None) -> torch.Tensor:
        """(rows, numbers) float32: of what the network returns for (rows, tokens) ids, what can be explained."""
        ...


@dataclass(frozen=True)
class Label:
    """The logit of a label, or the value of a regression."""

    numbers: int = 1

    def split(self, batch: Batch) -> tuple[Batch, None]:
        """All of it is read."""
        return batch, None

    def more(self, goals: torch.Tensor | None) -> Mapping[str, torch.Tensor]:
        """Nothing."""
        return {}

    def read(self, output: Any, ids: torch.Tensor, goals: torch.Tensor | None) -> torch.Tensor:
        """(rows, labels)."""
        logits: torch.Tensor = output.logits
        return logits.float()


LABEL = Label()


@dataclass(frozen=True)
class Continuation:
    """The log-probability of the marked tokens, each given all before it.

    Attributes:
        numbers: size of the vocabulary.
    """

    numbers: int

    def split(self, batch: Batch) -> tuple[Batch, Block]:
        """All of it is read; the goals are the places of the marked tokens."""
        return batch, _block([np.flatnonzero(marks) for marks in _marks(batch.rows)])

    def more(self, goals: torch.Tensor | None) -> Mapping[str, torch.Tensor]:
        """Nothing."""
        return {}

    def read(self, output: Any, ids: torch.Tensor, goals: torch.Tensor | None) -> torch.Tensor:
        """(rows, 1)."""
        assert goals is not None
        row, column = _wanted(goals)
        place = goals[row, column]
        logs = _logs(output.logits[row, place - 1], ids[row, place])
        return _totals(logs, goals)


@dataclass(frozen=True)
class Translation:
    """The log-probability of the marked tokens as what a decoder writes, given the others as what its encoder reads.

    Attributes:
        numbers: size of the vocabulary.
        opening: the tokens that the decoder is given first.
    """

    numbers: int
    opening: tuple[int, ...]

    def split(self, batch: Batch) -> tuple[Batch, Block]:
        """The encoder's tokens; the goals are the ids of the decoder's."""
        rows = batch.rows
        assert rows.goals is not None
        ids = [each[marks > 0] for each, marks in zip(_parts(rows, rows.ids), _marks(rows), strict=True)]
        return Batch(rows.where(rows.goals == 0)), _block(ids)

    def more(self, goals: torch.Tensor | None) -> Mapping[str, torch.Tensor]:
        """What the decoder reads."""
        assert goals is not None
        opening = torch.tensor(self.opening, device=goals.device).expand(len(goals), -1)
        return {"decoder_input_ids": torch.cat([opening, goals[:, :-1].clamp(min=0)], dim=1)}

    def read(self, output: Any, ids: torch.Tensor, goals: torch.Tensor | None) -> torch.Tensor:
        """(rows, 1)."""
        assert goals is not None
        row, column = _wanted(goals)
        logs = _logs(output.logits[row, column + len(self.opening) - 1], goals[row, column])
        return _totals(logs, goals)


@dataclass(frozen=True)
class Tags:
    """The logits of one label at each of the marked tokens, which are marked with its number + 1; their sum.

    Attributes:
        numbers: labels.
    """

    numbers: int

    def split(self, batch: Batch) -> tuple[Batch, Block]:
        """All of it is read; a goal is a place times the number of labels, and the label."""
        marks = _marks(batch.rows)
        places = [np.flatnonzero(own) for own in marks]
        labels = [own[own > 0] - 1 for own in marks]
        return batch, _block([at * self.numbers + label for at, label in zip(places, labels, strict=True)])

    def more(self, goals: torch.Tensor | None) -> Mapping[str, torch.Tensor]:
        """Nothing."""
        return {}

    def read(self, output: Any, ids: torch.Tensor, goals: torch.Tensor | None) -> torch.Tensor:
        """(rows, 1)."""
        assert goals is not None
        row, column = _wanted(goals)
        goal = goals[row, column]
        return _totals(output.logits[row, goal // self.numbers, goal % self.numbers].float(), goals)


START, END = 1, 2
"""Marks of the first and of the last token of an answer; of the only one both."""


@dataclass(frozen=True)
class Answer:
    """The sum of the logits of the start and the end of an answer."""

    numbers: int = 1

    def split(self, batch: Batch) -> tuple[Batch, Block]:
        """All of it is read; the goals are the places of the first and the last token."""
        return batch, _block(
            [np.array([int(np.argmax((own & mark) > 0)) for mark in (START, END)]) for own in _marks(batch.rows)]
        )

    def more(self, goals: torch.Tensor | None) -> Mapping[str, torch.Tensor]:
        """Nothing."""
        return {}

    def read(self, output: Any, ids: torch.Tensor, goals: torch.Tensor | None) -> torch.Tensor:
        """(rows, 1)."""
        assert goals is not None
        first, last = goals[:, :1], goals[:, 1:2]
        total: torch.Tensor = output.start_logits.gather(1, first) + output.end_logits.gather(1, last)
        return total.float()


def _parts(rows: Sequences, column: Ids) -> list[Ids]:
    return np.split(column, rows.starts[1:-1])


def _marks(rows: Sequences) -> list[Ids]:
    assert rows.goals is not None
    return _parts(rows, rows.goals)


def _block(goals: list[np.ndarray[Any, Any]]) -> Block:
    """(rows, most) numbers of lists of different lengths."""
    block = np.full((len(goals), max(map(len, goals))), NO_GOAL, dtype=np.int64)
    for row, own in enumerate(goals):
        block[row, : len(own)] = own
    return block


def _wanted(goals: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return torch.nonzero(goals >= 0, as_tuple=True)


def _logs(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """(m,): log-probabilities of m targets, in float32 whatever the network runs in."""
    wide = logits.float()
    return wide.gather(1, targets[:, None])[:, 0] - wide.logsumexp(dim=1)


def _totals(found: torch.Tensor, goals: torch.Tensor) -> torch.Tensor:
    """(rows, 1): sums of the numbers found at the goals of each row."""
    block = torch.zeros(goals.shape, device=found.device).index_put(_wanted(goals), found)
    return block.sum(dim=1, keepdim=True)
