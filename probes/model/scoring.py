"""The log-probabilities of tokens as a question to a masked language model, answered batch by batch like any other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from probes.core.answers import Bools, Ints
from probes.core.errors import ModelError
from probes.core.likelihoods import Scoring
from probes.model.apart import farthest
from probes.model.attention import attended
from probes.model.batching import Batch
from probes.model.forward import Forward
from probes.model.heads import LOGITS, log_probabilities, logits_at, placed
from probes.model.left_to_right import LeftToRight
from probes.model.passages import SCORED
from probes.model.sequences import Sequences
from probes.model.substitution import named

LEAST_READ = 4
"""Tokens without which no score is left to compare behind a changed one."""


@dataclass(frozen=True)
class Score:
    """How likely are the tokens of a text to a masked model, by one rule; part of the key of every answer.

    Attributes:
        mask: the id that stands for a token that is to be guessed.
        vocabulary: logits for one token.
        maps: weights of attention from one token to another; 0 for a rule that does not look at them.
    """

    rule: Scoring
    mask: int
    vocabulary: int
    maps: int = field(default=0, repr=False)

    @classmethod
    def of(cls, rule: Scoring, network: Any, tokenizer: Any) -> Score:
        """The question to one network.

        Raises:
            ModelError: for a masked model whose tokenizer has no mask.
        """
        mask = tokenizer.mask_token_id
        if mask is None:
            raise ModelError(
                "the tokenizer of this masked language model has no mask token, so nothing can be asked of it",
                hint="save the tokenizer that the model was trained with into its folder",
            )
        config = network.config.get_text_config()
        maps = config.num_hidden_layers * config.num_attention_heads if rule is Scoring.ATTENDED else 0
        return cls(rule=rule, mask=int(mask), vocabulary=int(config.vocab_size), maps=int(maps))

    @property
    def repeats(self) -> bool:
        """Does it send a text through the network once for each scored token."""
        return self.rule in (Scoring.ONE_MASKED, Scoring.WORD_FROM_LEFT)

    def costs(self, lengths: Ints, counts: Ints) -> Ints:
        """(n,): tokens that go through the network for texts of (n,) lengths with (n,) scored tokens."""
        return lengths * np.maximum(counts, 1) if self.repeats else lengths

    def at_once(self, limit: int, longest: int) -> int:
        """Rows of `longest` tokens that go through the network together."""
        held = max(self.vocabulary, self.maps * longest)
        return max(1, min(limit, LOGITS // held) // longest)

    def __call__(self, forward: Forward, batch: Batch) -> torch.Tensor:
        """(rows, most scored tokens) log-probabilities; what follows a row's own is 0."""
        wanted = batch.words() == SCORED
        with torch.inference_mode():
            found = torch.cat([torch.zeros(0), *self._logs(forward, batch, wanted)])
        return placed(found, wanted.sum(axis=1), np.arange(len(wanted)))

    def _logs(self, forward: Forward, batch: Batch, wanted: Bools) -> Iterator[torch.Tensor]:
        """Log-probabilities of all wanted tokens of the batch, row by row, in pieces."""
        if self.repeats:
            yield from self._guessed(forward, batch.rows, wanted)
            return
        step = self.at_once(forward.limit, wanted.shape[1])
        for first in range(0, len(wanted), step):
            rows = Batch(batch.rows.take(np.arange(first, min(first + step, len(wanted)))))
            ids, mask, types = forward.inputs(rows)
            row, column = np.nonzero(wanted[first : first + step, : ids.shape[1]])
            at = forward.moved(row), forward.moved(column)
            if self.rule is Scoring.ATTENDED:
                logits, attention = attended(forward.network, ids, mask, types)
                yield _own(logits[at], ids[at]) * attention[at].cpu()
            else:
                yield _own(logits_at(forward.network, named(ids, mask, types), at, shape=ids.shape), ids[at])

    def _guessed(self, forward: Forward, rows: Sequences, wanted: Bools) -> Iterator[torch.Tensor]:
        """Every wanted token guessed from a copy of its text with a mask in its place."""
        copies = self._copies(rows, wanted)
        step = self.at_once(forward.limit, wanted.shape[1])
        for first in range(0, len(copies.targets), step):
            some = slice(first, first + step)
            read = Batch(rows.take(copies.rows[some]))
            ids, mask, types = forward.inputs(read)
            drop = forward.moved(copies.dropped[some])
            at = torch.arange(len(ids), device=ids.device), forward.moved(copies.places[some])
            ids[at] = self.mask
            ids, mask, types = _without(ids, mask, types, at[1], drop, pad=forward.pad)
            logits = logits_at(forward.network, named(ids, mask, types), at, shape=ids.shape)
            yield _own(logits, forward.moved(copies.targets[some]))

    def _copies(self, rows: Sequences, wanted: Bools) -> _Copies:
        row, place = np.nonzero(wanted)
        behind = wanted.sum(axis=1)[row] - np.cumsum(wanted, axis=1)[row, place]
        targets = rows.ids[rows.starts[row] + place].astype(np.int64)
        dropped = behind if self.rule is Scoring.WORD_FROM_LEFT else np.zeros_like(behind)
        return _Copies(row, place, targets, dropped.astype(np.int64))


def scoring(rule: Scoring, network: Any, tokenizer: Any, *, shares: bool) -> Score | LeftToRight:
    """The question how likely texts are to a network, by a rule that is for its kind.

    Args:
        shares: texts that begin alike are read together where that is exact.

    Raises:
        ModelError: for a masked model whose tokenizer has no mask.
    """
    if rule is Scoring.LEFT_TO_RIGHT:
        return LeftToRight.of(network, shares=shares)
    return Score.of(rule, network, tokenizer)


@dataclass(frozen=True, slots=True)
class _Copies:
    """(m,) copies of texts: of which row, the mask where, for which token, and without how many tokens behind it."""

    rows: Ints
    places: Ints
    targets: Ints
    dropped: Ints


def _without(
    ids: torch.Tensor,
    mask: torch.Tensor,
    types: torch.Tensor | None,
    places: torch.Tensor,
    dropped: torch.Tensor,
    *,
    pad: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """The same rows without the `dropped` tokens that follow each place; padding takes their room at the end."""
    if not bool(dropped.any()):
        return ids, mask, types
    columns = torch.arange(ids.shape[1], device=ids.device)[None, :]
    source = columns + torch.where(columns > places[:, None], dropped[:, None], 0)
    inside = source < ids.shape[1]
    source = source.clamp(max=ids.shape[1] - 1)
    moved_mask = torch.where(inside, mask.gather(1, source), 0)
    return (
        torch.where(inside, ids.gather(1, source), pad),
        moved_mask,
        None if types is None else torch.where(inside, types.gather(1, source), 0),
    )


def _own(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """(m,) log-probabilities of m targets, each by its own row of logits."""
    return log_probabilities(logits, torch.arange(len(targets), device=targets.device), targets)


def refuse_one_that_sees_ahead(
    forward: Forward, rows: Sequences, question: Any, *, tolerance: float, source: str
) -> None:
    """Refuse a network whose scores of tokens depend on what comes later (a BERT saved as a text generator, say).

    Raises:
        ModelError: its scores are no probabilities of texts, or it reads too few tokens at once to tell.
    """
    first = rows.take(np.array([0]))
    if len(first.ids) < LEAST_READ:
        raise ModelError(
            f"{source} reads only {len(first.ids)} tokens of a text, too few to ask it anything",
            hint="correct model_max_length in its tokenizer_config.json, or the number of positions in its config.json",
        )
    ids = first.ids.copy()
    ids[-2] = ids[1] if ids[-2] != ids[1] else ids[2]  # the last one is not read
    other = Sequences(ids=ids, types=first.types, starts=first.starts, words=first.words)
    one, two = (next(forward([Batch(each)], question))[0] for each in (first, other))
    forward.seconds = 0.0
    if farthest(one[:-2], two[:-2]) > 100 * tolerance:
        raise ModelError(
            f"{source} is declared a causal language model, but it reads ahead: its scores are no probabilities",
            hint="if it is a masked language model, say so in its config.json (architectures, is_decoder)",
        )
