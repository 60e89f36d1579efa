"""The log-probabilities of tokens given those before them; texts that begin alike are read together.

What stands behind the last token that is scored is not read, for no score depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from probes.core.answers import Ints
from probes.core.errors import ModelError
from probes.core.verbaliser import Joint
from probes.model.apart import farthest
from probes.model.batching import Batch
from probes.model.families import Families
from probes.model.forward import Forward
from probes.model.heads import LOGITS, log_probabilities, logits_at, placed
from probes.model.passages import SCORED, Passages
from probes.model.sequences import Ids, Sequences
from probes.model.tokens import Encoder
from probes.model.trees import Trees

TRIAL = ("The quick brown fox jumps over the lazy dog. It was", "It was")
TRIAL_ENDS = ("good", "indescribable", "neither good nor bad")
NEARBY = ("sliding_window", "window_size", "attention_chunk_size", "attention_window")
"""Settings by which tokens are not looked at from farther away, of which short texts show nothing."""


@dataclass(frozen=True)
class LeftToRight:
    """How likely is each scored token of a text given those before it; part of the key of every answer.

    Attributes:
        vocabulary: logits for one token.
        shares: texts that begin alike are read together, see `sharing_is_exact`.
    """

    vocabulary: int
    shares: bool = False

    @classmethod
    def of(cls, network: Any, *, shares: bool = False) -> LeftToRight:
        """The question to one network."""
        return cls(vocabulary=int(network.config.get_text_config().vocab_size), shares=shares)

    def costs(self, lengths: Ints, counts: Ints) -> Ints:
        """(n,): tokens that go through the network for texts of (n,) lengths."""
        return lengths

    def at_once(self, limit: int, longest: int) -> int:
        """Rows of `longest` tokens that go through the network together; more of them have tokens in common."""
        return max(1, -(-limit // longest))

    def families(self, sequences: Sequences, *, largest: int) -> Families:
        """The sequences that are read together."""
        read = _read(sequences)
        if not self.shares:
            return Families.alone(read)
        return Families.of(read, largest=min(largest, LOGITS // self.vocabulary))

    def __call__(self, forward: Forward, batch: Batch) -> torch.Tensor:
        """(rows, most scored tokens) log-probabilities; what follows a row's own is 0."""
        counts = _counts(batch.rows)
        families = self.families(batch.rows, largest=forward.limit)
        pieces = [part for piece in families.pieces(forward.limit) for part in self._fitting(piece, counts)]
        with torch.inference_mode():
            found = torch.cat([_logs(forward, batch.rows, piece) for piece in pieces])
        return placed(found, counts, np.concatenate([piece.order for piece in pieces]))

    def _fitting(self, piece: Families, counts: Ints) -> Iterator[Families]:
        """Parts of a piece whose logits are not too many, unless those of a single family are."""
        middle = len(piece.costs) // 2
        if not middle or counts[piece.order].sum() * self.vocabulary <= LOGITS:
            yield piece
            return
        for part in (np.arange(middle), np.arange(middle, len(piece.costs))):
            yield from self._fitting(piece.take(part), counts)


def _logs(forward: Forward, rows: Sequences, families: Families) -> torch.Tensor:
    """Log-probabilities of all scored tokens, sequence by sequence in the order of the families."""
    trees = Trees.of(_read(rows), families)
    asked = [_asked(rows, row, path) for row, path in zip(families.order.tolist(), trees.paths, strict=True)]
    width = int(trees.nodes.lengths.max())
    wanted = np.concatenate([tree * width + nodes for tree, (nodes, _) in zip(trees.owners, asked, strict=True)])
    if not len(wanted):
        return torch.zeros(0)
    places, which = np.unique(wanted, return_inverse=True)
    at = forward.moved(places // width), forward.moved(places % width)
    logits = logits_at(forward.network, trees.inputs(forward), at, shape=torch.Size((len(trees.nodes), width)))
    targets = np.concatenate([tokens for _, tokens in asked]).astype(np.int64)
    return log_probabilities(logits, forward.moved(which), forward.moved(targets))


def _asked(rows: Sequences, row: int, path: Ints) -> tuple[Ints, Ids]:
    """The nodes that say what comes next, and the scored tokens that do come."""
    scored = np.flatnonzero(rows.words_of(row) == SCORED)
    return path[scored - 1], rows.ids[rows.starts[row] + scored]


def _counts(rows: Sequences) -> Ints:
    """(n,): scored tokens."""
    assert rows.words is not None
    return np.add.reduceat(rows.words == SCORED, rows.starts[:-1], dtype=np.int64)


def _read(rows: Sequences) -> Sequences:
    """The same sequences up to their last scored token, which is not read itself; of one without any, its first."""
    assert rows.words is not None
    places = np.arange(len(rows.ids)) - np.repeat(rows.starts[:-1], rows.lengths)
    last = np.maximum.reduceat(np.where(rows.words == SCORED, places, 0), rows.starts[:-1])
    return rows.where(places < np.repeat(np.maximum(last, 1), rows.lengths))


def sharing_is_exact(forward: Forward, encoder: Encoder, *, tolerance: float) -> bool:
    """Does the network give the same numbers when texts that begin alike are read together: seen on a trial.

    Those that take no attention mask for each token, or no place of each, do not; of those that look at nearby tokens
    only a trial says nothing.
    """
    config = forward.network.config.get_text_config()
    if encoder.token_types or any(_looks_nearby(config, name, encoder.max_length) for name in NEARBY):
        return False
    joints = [Joint.of(prompt, end, blank=True) for prompt in TRIAL for end in TRIAL_ENDS]
    rows = Passages.of(encoder, [(joint.text, joint.span) for joint in joints], starts=True).sequences
    together = LeftToRight.of(forward.network, shares=True)
    if len(together.families(rows, largest=forward.limit).costs) == len(rows):
        return False
    try:
        one, other = (next(forward([Batch(rows)], how)) for how in (together, replace(together, shares=False)))
    except ModelError:
        return False
    forward.seconds = 0.0
    return farthest(one, other) <= 10 * tolerance


def _looks_nearby(config: Any, name: str, longest: int) -> bool:
    window = getattr(config, name, None)
    return window is not None and not (isinstance(window, int) and window >= longest)
