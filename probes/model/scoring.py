"""The log-probabilities of tokens as a question to a language model, answered batch by batch like any other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from probes.core.answers import Bools, Ints
from probes.core.errors import ModelError
from probes.core.likelihoods import MASKING, Scoring
from probes.model.attention import attended
from probes.model.batching import Batch
from probes.model.forward import Forward
from probes.model.passages import SCORED
from probes.model.sequences import Sequences
from probes.model.substitution import named

LOGITS = 2**27
"""Logits held in memory at a time (512 MB in float32): a row has one for each token of the vocabulary at each place."""

Places = tuple[torch.Tensor, torch.Tensor]
"""Rows and columns of single tokens."""


@dataclass(frozen=True)
class Score:
    """How likely are the tokens of a text, by one rule; part of the key of every answer.

    Attributes:
        mask: the id that stands for a token that is to be guessed; -1 where the rule needs none.
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
        mask = tokenizer.mask_token_id if rule in MASKING else -1
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
        return placed(found, wanted)

    def _logs(self, forward: Forward, batch: Batch, wanted: Bools) -> Iterator[torch.Tensor]:
        """Log-probabilities of all wanted tokens of the batch, row by row, in pieces."""
        if self.repeats:
            yield from self._guessed(forward, batch.rows, wanted)
            return
        back = 1 if self.rule is Scoring.LEFT_TO_RIGHT else 0
        step = self.at_once(forward.limit, wanted.shape[1])
        for first in range(0, len(wanted), step):
            rows = Batch(batch.rows.take(np.arange(first, min(first + step, len(wanted)))))
            ids, mask, types = forward.inputs(rows)
            row, column = np.nonzero(wanted[first : first + step, : ids.shape[1]])
            at = forward.moved(row), forward.moved(column)
            if self.rule is Scoring.ATTENDED:
                logits, attention = attended(forward.network, ids, mask, types)
                yield log_probabilities(logits, at, ids[at]) * attention[at].cpu()
            else:
                yield log_probabilities(_logits(forward, ids, mask, types), (at[0], at[1] - back), ids[at])

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
            targets = forward.moved(copies.targets[some])
            yield log_probabilities(_logits(forward, ids, mask, types), at, targets)

    def _copies(self, rows: Sequences, wanted: Bools) -> _Copies:
        row, place = np.nonzero(wanted)
        behind = wanted.sum(axis=1)[row] - np.cumsum(wanted, axis=1)[row, place]
        targets = rows.ids[rows.starts[row] + place].astype(np.int64)
        dropped = behind if self.rule is Scoring.WORD_FROM_LEFT else np.zeros_like(behind)
        return _Copies(row, place, targets, dropped.astype(np.int64))


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


def _logits(forward: Forward, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor | None) -> torch.Tensor:
    logits: torch.Tensor = forward.network(**named(ids, mask, types)).logits
    if logits.shape[:2] != ids.shape:
        raise ValueError("its logits are not one row for each token")
    return logits


def placed(found: torch.Tensor, wanted: Bools) -> torch.Tensor:
    """(rows, most wanted) numbers from those of all wanted places, row by row; what follows a row's own is 0."""
    answers = torch.zeros(len(wanted), max(1, int(wanted.sum(axis=1).max())))
    rows, _ = np.nonzero(wanted)
    columns = (np.cumsum(wanted, axis=1) - 1)[wanted]
    answers[torch.from_numpy(rows), torch.from_numpy(columns)] = found
    return answers


def log_probabilities(logits: torch.Tensor, at: Places, targets: torch.Tensor) -> torch.Tensor:
    """(m,) on the host: of each target at its place, in float32 whatever the network runs in."""
    chosen = logits[at].float()
    return (chosen.gather(1, targets[:, None])[:, 0] - chosen.logsumexp(dim=1)).cpu()


def refuse_one_that_sees_ahead(
    forward: Forward, rows: Sequences, question: Any, *, tolerance: float, source: str
) -> None:
    """Refuse a network whose scores of tokens depend on what comes later (a BERT saved as a text generator, say).

    Raises:
        ModelError: its scores are no probabilities of texts.
    """
    first = rows.take(np.array([0]))
    ids = first.ids.copy()
    ids[-1] = ids[1] if ids[-1] != ids[1] else ids[2]
    other = Sequences(ids=ids, types=first.types, starts=first.starts, words=first.words)
    one, two = (next(forward([Batch(each)], question))[0] for each in (first, other))
    forward.seconds = 0.0
    if float(np.abs(one[:-1] - two[:-1]).max()) > 100 * tolerance:
        raise ModelError(
            f"{source} is declared a causal language model, but it reads ahead: its scores are no probabilities",
            hint="if it is a masked language model, say so in its config.json (architectures, is_decoder)",
        )
