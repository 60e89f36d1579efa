"""The log-probabilities of texts that a decoder would write about others, answered batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from transformers.modeling_outputs import BaseModelOutput

from probes.core.examples import Text
from probes.core.likelihoods import passage
from probes.model.asking import distinct_of
from probes.model.batching import Batch
from probes.model.families import Families
from probes.model.forward import Forward
from probes.model.generation import Habits, decoder_positions
from probes.model.heads import LOGITS, log_probabilities, logits_at, placed
from probes.model.passages import SCORED, Passages
from probes.model.pooling import SPECIAL
from probes.model.sequences import Sequences, flat, packed
from probes.model.substitution import named
from probes.model.tokens import Encoder


@dataclass(frozen=True)
class ScoreTarget:
    """How likely is a text as the decoder's, given another one as the encoder's; part of the key of every answer.

    Attributes:
        opening: the tokens that the decoder is given first.
        vocabulary: logits for one token.
    """

    opening: tuple[int, ...]
    vocabulary: int

    @classmethod
    def of(cls, network: Any, encoder: Encoder, habits: Habits) -> ScoreTarget:
        """The question to one network; what it was trained to write first is given, and counts for nothing."""
        first = encoder.target_opening if habits.forced is None else [habits.forced]
        begin = [] if habits.begin is None else [habits.begin]
        return cls(opening=(*begin, *first), vocabulary=network.get_output_embeddings().weight.shape[0])

    def at_once(self, limit: int, longest: int) -> int:
        """Rows of `longest` tokens that go through the network together; more of them have tokens in common."""
        return max(1, -(-self._held(limit) // longest))

    def families(self, sequences: Sequences, *, largest: int) -> Families:
        """Pairs with the same first text, which is read once for all of them."""
        assert sequences.words is not None
        sources = np.add.reduceat(sequences.words != SCORED, sequences.starts[:-1], dtype=np.int64)
        return Families.of(sequences, largest=self._held(largest), least=sources)

    def __call__(self, forward: Forward, batch: Batch) -> torch.Tensor:
        """(rows, most scored tokens) log-probabilities; what follows a row's own is 0."""
        limit = self._held(forward.limit)
        pieces = list(self.families(batch.rows, largest=limit).pieces(limit))
        order = np.concatenate([piece.order for piece in pieces])
        with torch.inference_mode():
            found = torch.cat([self._logs(forward, batch.rows.take(piece.order)) for piece in pieces])
        return placed(found, (batch.words() == SCORED).sum(axis=1), order)

    def _held(self, limit: int) -> int:
        return min(limit, LOGITS // self.vocabulary)

    def _logs(self, forward: Forward, rows: Sequences) -> torch.Tensor:
        """Log-probabilities of all scored tokens, row by row."""
        assert rows.words is not None
        states, mask = _read_once(forward, rows.where(rows.words != SCORED))
        target, real, _ = forward.inputs(Batch(rows.where(rows.words == SCORED)))
        opening = torch.tensor(self.opening, device=target.device).expand(len(target), -1)
        given = torch.cat([opening, target[:, :-1]], dim=1)
        row, column = torch.nonzero(real, as_tuple=True)
        logits = logits_at(
            forward.network,
            {"encoder_outputs": states, "attention_mask": mask, "decoder_input_ids": given},
            (row, column + len(self.opening) - 1),
            shape=given.shape,
        )
        return log_probabilities(logits, torch.arange(len(row), device=row.device), target[row, column])


def _read_once(forward: Forward, sources: Sequences) -> tuple[BaseModelOutput, torch.Tensor]:
    """The states of the encoder for n texts, of which it reads repeated ones once, and their mask."""
    which, _ = distinct_of(sources.keys(b""))
    first = np.unique(which, return_index=True)[1]
    ids, mask, types = forward.inputs(Batch(sources.take(first)))
    states = forward.network.get_encoder()(**named(ids, mask, types), return_dict=True).last_hidden_state
    rows = forward.moved(which)
    return BaseModelOutput(last_hidden_state=states[rows]), mask[rows]


def read_pairs(encoder: Encoder, pairs: Sequence[Text], *, network: Any) -> Passages:
    """Pairs of texts: the tokens of the first as the encoder reads them, then those of the second, which are scored.

    A first text that is too long is cut as in training, a second one loses its end.

    Raises:
        DataError: a text the tokenizer cannot read, or a first one of which it leaves nothing.
        ValueError: a text that is no pair.
    """
    if any(isinstance(text, str) for text in pairs):
        raise ValueError("a model with an encoder scores pairs: a text, given another one")
    room = min(encoder.max_length, decoder_positions(network.config))
    sources = encoder.encode([text[0] for text in pairs])
    whole = encoder.encode_targets([text[1] for text in pairs])
    targets = [ids[:room] for ids in whole]
    read = [sources.ids[a:b].tolist() for a, b in zip(sources.starts[:-1], sources.starts[1:], strict=True)]
    rows = [one + two for one, two in zip(read, targets, strict=True)]
    flags = [[SPECIAL] * len(one) + [SCORED] * len(two) for one, two in zip(read, targets, strict=True)]
    sequences = packed(rows, [[0] * len(row) for row in rows] if encoder.token_types else None)
    return Passages(
        sequences=replace(sequences, words=flat(flags, len(sequences.ids))),
        spans=np.array([passage(text)[1] for text in pairs], dtype=np.int64).reshape(len(pairs), 2),
        unscored=np.array([len(ids) - len(kept) for ids, kept in zip(whole, targets, strict=True)], dtype=np.int64),
    )
