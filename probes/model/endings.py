"""How likely each of several ends of a text is: what the ends share is read once.

A row holds what is shared and behind it every end, each token marked with the number of its end. The keys and values of
the shared part serve all ends; an end of one token needs no second pass.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from probes.core.answers import Floats, Ints
from probes.core.errors import ModelError
from probes.core.likelihoods import Scoring
from probes.core.precision import LOG_TOLERANCE
from probes.core.verbaliser import Joint
from probes.model.asking import Asking
from probes.model.batching import Batch
from probes.model.forward import Forward
from probes.model.passages import SCORED, Passages
from probes.model.pooling import SPECIAL
from probes.model.scoring import LOGITS, Score
from probes.model.sequences import Ids, Sequences, flat, packed
from probes.model.substitution import named
from probes.model.tokens import Encoder

TRIAL = ("The quick brown fox jumps over the lazy dog. It was", "It was")
TRIAL_ENDS = ("good", "indescribable", "neither good nor bad")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """n prompts, each with the same k ends, cut into tokens.

    Attributes:
        passages: (n x k) prompts with an end, of which the tokens of the end are scored; those of prompt i follow one
            another.
        options: k.
    """

    passages: Passages
    options: int

    @classmethod
    def of(cls, encoder: Encoder, joints: Sequence[Joint], *, options: int, framed: bool = True) -> Ends:
        """Read (n x k) prompts with an end.

        Args:
            framed: as in `Passages.of`.

        Raises:
            DataError: a text the tokenizer cannot read.
        """
        texts = [(joint.text, joint.span) for joint in joints]
        return cls(passages=Passages.of(encoder, texts, starts=True, framed=framed), options=options)

    @property
    def counts(self) -> Ints:
        """(n, k): tokens of each end."""
        return self.passages.counts.reshape(-1, self.options)

    def rows(self) -> tuple[Ints, Sequences]:
        """Which of the n prompts have ends that all begin at one place, behind the same tokens; and rows of these."""
        found = [self._row(number) for number in range(len(self.counts))]
        kept = [(number, row) for number, row in enumerate(found) if row is not None]
        sequences = packed([ids for _, (ids, _) in kept])
        words = flat([marks for _, (_, marks) in kept], len(sequences.ids))
        return np.array([number for number, _ in kept], dtype=np.int64), replace(sequences, words=words)

    def _row(self, number: int) -> tuple[list[int], list[int]] | None:
        read = [self._split(number * self.options + k) for k in range(self.options)]
        (shared, _), *others = read
        if not shared or not all(end for _, end in read) or any(before != shared for before, _ in others):
            return None
        marks = [k for k, (_, end) in enumerate(read) for _ in end]
        return shared + [token for _, end in read for token in end], [SPECIAL] * len(shared) + marks

    def _split(self, row: int) -> tuple[list[int], list[int]]:
        """The tokens before the scored ones, and those; neither where others stand between or behind."""
        sequences = self.passages.sequences
        ids: Ids = sequences.ids[sequences.starts[row] : sequences.starts[row + 1]]
        scored = sequences.words_of(row) == SCORED
        first = int(np.argmax(scored))
        return (ids[:first].tolist(), ids[first:].tolist()) if scored[first:].all() else ([], [])


@dataclass(frozen=True)
class ScoreEnds:
    """How likely is each end of a row; part of the key of every answer.

    Attributes:
        options: ends in each row.
        vocabulary: logits for one token.
    """

    options: int
    vocabulary: int

    def at_once(self, limit: int, longest: int) -> int:
        """Rows of `longest` tokens that go through the network together: each is copied for its ends."""
        return max(1, min(limit // self.options, LOGITS // self.vocabulary) // longest)

    def __call__(self, forward: Forward, batch: Batch) -> torch.Tensor:
        """(rows, options) log-probabilities."""
        rows = batch.rows
        step = self.at_once(forward.limit, int(rows.lengths[0]))
        parts = [np.arange(first, min(first + step, len(rows))) for first in range(0, len(rows), step)]
        with torch.inference_mode():
            return torch.cat([self._totals(forward, rows.take(part)) for part in parts])

    def _totals(self, forward: Forward, rows: Sequences) -> torch.Tensor:
        shared, ends = _cut(rows, self.options)
        ids, mask, _ = forward.inputs(Batch(shared), left=True)
        places = (mask.cumsum(dim=1) - 1).clamp(min=0)
        output = forward.network(**named(ids, mask, None), **_settings(forward.network, places))
        first = forward.moved(np.array([end[:1] for end in ends], dtype=np.int64).reshape(len(rows), self.options))
        totals: torch.Tensor = output.logits[:, -1].float().log_softmax(dim=1).gather(1, first)
        long = [number for number, end in enumerate(ends) if len(end) > 1]
        if long:
            own = np.array(long, dtype=np.int64)
            rest = self._rest(forward, output.past_key_values, mask, own // self.options, [ends[k] for k in long])
            totals.view(-1)[forward.moved(own)] += rest
        return totals.cpu()

    def _rest(
        self, forward: Forward, past: Any, mask: torch.Tensor, owners: Ints, ends: Sequence[list[int]]
    ) -> torch.Tensor:
        """(m,) log-probabilities of m ends without their first tokens, behind the shared parts of their `owners`."""
        rows = forward.moved(owners)
        past.batch_select_indices(rows)
        ids, own, _ = forward.inputs(Batch(packed([end[:-1] for end in ends])))
        targets = forward.inputs(Batch(packed([end[1:] for end in ends])))[0]
        before = mask[rows]
        places = before.sum(dim=1, keepdim=True) + torch.arange(ids.shape[1], device=ids.device)
        output = forward.network(
            **named(ids, torch.cat([before, own], dim=1), None),
            past_key_values=past,
            position_ids=places,
            use_cache=True,
        )
        logs: torch.Tensor = output.logits.float().log_softmax(dim=2).gather(2, targets[:, :, None])[:, :, 0]
        return (logs * own).sum(dim=1)


def _cut(rows: Sequences, options: int) -> tuple[Sequences, list[list[int]]]:
    """The shared part of each row, and its ends, one row after another."""
    words = rows.words
    assert words is not None
    parts = [(rows.ids[a:b], words[a:b]) for a, b in pairwise(rows.starts.tolist())]
    shared = packed([ids[marks == SPECIAL].tolist() for ids, marks in parts])
    return shared, [ids[marks == number].tolist() for ids, marks in parts for number in range(options)]


def _settings(network: Any, places: torch.Tensor) -> dict[str, Any]:
    """What is asked besides: keys and values to go on with and, where it can, the logits of the last place alone."""
    last = {"logits_to_keep": 1} if "logits_to_keep" in inspect.signature(network.forward).parameters else {}
    return {"position_ids": places, "use_cache": True, **last}


def log_probabilities(asking: Asking, encoder: Encoder, ends: Ends, *, shared: bool) -> Floats:
    """(n, k) log-probabilities of the ends, each given its prompt.

    Args:
        shared: read what the ends share once, where `sharing_is_exact`.

    Raises:
        ModelError: NaN or infinite scores, or too little memory for a single prompt.
    """
    totals = np.full(ends.counts.shape, np.nan)
    rows, sequences = ends.rows() if shared else (np.zeros(0, dtype=np.int64), packed([]))
    if len(rows):
        question = ScoreEnds(ends.options, _vocabulary(asking))
        widths = np.full(len(rows), ends.options)
        totals[rows] = asking.rows(sequences, question, widths=widths, costs=sequences.lengths)
    others = np.setdiff1d(np.arange(len(totals)), rows)
    if len(others):
        totals[others] = _plain(asking, encoder, ends, others)
    return totals


def _plain(asking: Asking, encoder: Encoder, ends: Ends, prompts: Ints) -> Floats:
    """(m, k): the same of m of the prompts, each read with each of its ends."""
    chosen = (prompts[:, None] * ends.options + np.arange(ends.options)).ravel()
    sequences, widths = ends.passages.sequences.take(chosen), ends.passages.counts[chosen]
    question = Score.of(Scoring.LEFT_TO_RIGHT, asking.forward.network, encoder.tokenizer)
    rows = asking.rows(sequences, question, widths=widths, costs=sequences.lengths)
    real = np.arange(rows.shape[1]) < widths[:, None]
    totals = np.where(real, rows, 0.0).sum(axis=1, dtype=np.float64)
    return np.where(widths > 0, totals, np.nan).reshape(-1, ends.options)


def sharing_is_exact(asking: Asking, encoder: Encoder) -> bool:
    """Does the network give the same numbers when it goes on from keys and values: seen on a trial.

    Those that keep none, or read their padding, do not.
    """
    joints = [Joint.of(prompt, end, blank=True) for prompt in TRIAL for end in TRIAL_ENDS]
    ends = Ends.of(encoder, joints, options=len(TRIAL_ENDS))
    if not (asking.pads and asking.pads_left) or len(ends.rows()[0]) < len(TRIAL):
        return False
    try:
        one, other = (log_probabilities(asking, encoder, ends, shared=shared) for shared in (True, False))
    except ModelError:
        return False
    return bool(np.abs(one - other).max() <= 10 * LOG_TOLERANCE[asking.dtype])


def _vocabulary(asking: Asking) -> int:
    return int(asking.forward.network.config.get_text_config().vocab_size)
