"""Bulk questions to a network about sequences of tokens: repeats removed, answers cached, fixed batches."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from probes.core.answers import Bools, Ints
from probes.core.errors import ModelError
from probes.core.model import Capability
from probes.model.batching import Batch, ask_id, canonical_order, cut
from probes.model.cache import AnswerCache
from probes.model.families import Families, Sharing
from probes.model.forward import Forward, Question
from probes.model.sequences import Sequences

Progress = Callable[[int, int], None]
Rows = NDArray[np.float32]
Item = TypeVar("Item", bound=Hashable)


@dataclass(slots=True)
class Counters:
    """What questions cost since the last `take_counters`.

    asked: texts, or windows of contexts, asked for; distinct: after removing repeats, of token sequences too; cached:
    answered from the cache;
    computed: sent through the model; tokens: in what was sent, padding not counted; forward_seconds: inside the model;
    way: `Forward.way` of what was classified.
    """

    asked: int = 0
    distinct: int = 0
    cached: int = 0
    computed: int = 0
    tokens: int = 0
    forward_seconds: float = 0.0
    way: str | None = None


@dataclass(kw_only=True)
class Asking:
    """How a network is asked: whatever it is, repeated sequences cost nothing extra.

    Interrupted and asked again with the same cache, it gives the same bits as if never interrupted: what was answered
    is not computed again, and the batches of the rest are those of the first attempt.

    Attributes:
        scope: what an answer depends on besides the question and the tokens.
        dtype: number type of the network.
        budget: tokens in a batch (rows x longest), part of what decides the last bits of an answer.
        pads: False for a network whose answers change with padding: its batches hold rows of one length.
        pads_left: likewise of padding before a prompt that is continued.
        shares: texts that begin alike may be read together, see `probes.model.left_to_right`.
        counters: what the questions since the last `take_counters` cost.
        on_progress: called after each batch with the texts answered so far and in all, repeats not counted.
    """

    forward: Forward
    cache: AnswerCache
    scope: bytes
    dtype: str
    budget: int
    pads: bool = True
    pads_left: bool = True
    shares: bool = False
    counters: Counters = field(default_factory=Counters)
    on_progress: Progress | None = None

    def take_counters(self) -> Counters:
        """The counters so far; they start again at zero."""
        taken, self.counters = self.counters, Counters()
        return taken

    def rows(self, sequences: Sequences, question: Question, *, widths: Ints, costs: Ints) -> Rows:
        """(n, widest) answers about n sequences, each followed by NaN where it has fewer than the widest.

        Args:
            widths: (n,) numbers in each answer, decided by the sequence.
            costs: (n,) what each counts in the budget of a batch; grows with its length.

        Raises:
            ModelError: NaN or infinite numbers, or too little memory for a single sequence.
        """
        scope = hashlib.blake2b(str(question).encode(), digest_size=32, key=self.scope).digest()
        where, keys = distinct_of(sequences.keys(scope))
        first = np.unique(where, return_index=True)[1]
        self.counters.distinct += len(keys)
        return self._answer(keys, sequences.take(first), question, widths=widths[first], costs=costs[first])[where]

    def _answer(
        self, keys: list[bytes], sequences: Sequences, question: Question, *, widths: Ints, costs: Ints
    ) -> Rows:
        """Answers about n different sequences: from the cache, and from the network where it has none."""
        ask = ask_id(keys)
        answers = np.full((len(keys), widths.max(initial=0)), np.nan, dtype=np.float32)
        real = np.arange(answers.shape[1]) < widths[:, None]
        known, mine = self._cached(keys, answers, real, ask)
        self.counters.cached += int(known.sum())
        # The set to compose batches of: what this call has to compute, whether an earlier attempt already did or not.
        members = np.flatnonzero(~known | mine)
        batches = [
            batch
            for batch in self._batches(members, keys, sequences, question, costs=costs)
            if not known[batch[0]].all()
        ]
        self._compute(batches, keys, sequences, answers, real, question, ask=ask, done=int(known.sum()))
        return answers

    def _batches(
        self, members: Ints, keys: list[bytes], sequences: Sequences, question: Question, *, costs: Ints
    ) -> Iterator[tuple[Ints, int]]:
        """The rows of each batch, and the tokens it sends through the network: decided by the set of members alone."""
        if not len(members):
            return
        some = sequences.take(members)
        if isinstance(question, Sharing):
            # Those of one family cost the same and have other lengths: where padding matters, each is by itself.
            families = question.families(some, largest=self.budget if self.pads else 0)
            costs = families.costs
        else:
            families, costs = Families.alone(some), costs[members]
        firsts = members[families.order[families.starts[:-1]]]
        ranked = canonical_order(families.costs, [keys[row] for row in firsts])
        for first, last in cut(costs[ranked], budget=self.budget, same_length=not self.pads):
            batch = families.take(ranked[first:last])
            yield members[batch.order], int(batch.tokens.sum())

    def _cached(self, keys: list[bytes], answers: Rows, real: Bools, ask: int) -> tuple[Bools, Bools]:
        """Fill in what the cache has; say which rows it had, and which of them this very call had computed before."""
        row_of = {key: row for row, key in enumerate(keys)}
        known, mine = np.zeros(len(keys), dtype=bool), np.zeros(len(keys), dtype=bool)
        sizes = (4 * real.sum(axis=1)).tolist()
        found = [each for each in self.cache.get(keys) if len(each[2]) == sizes[row_of[each[0]]]]
        if found:
            rows = np.fromiter((row_of[key] for key, _, _ in found), dtype=np.int64, count=len(found))
            held = np.full((len(rows), answers.shape[1]), np.nan, dtype=np.float32)
            held[real[rows]] = np.frombuffer(b"".join(blob for _, _, blob in found), dtype="<f4")
            answers[rows] = held
            known[rows] = True
            mine[rows] = [asked == ask for _, asked, _ in found]
        return known, mine

    def _compute(
        self,
        batches: list[tuple[Ints, int]],
        keys: list[bytes],
        sequences: Sequences,
        answers: Rows,
        real: Bools,
        question: Question,
        *,
        ask: int,
        done: int,
    ) -> None:
        before = self.forward.seconds
        if question is Capability.CLASSIFY:
            self.counters.way = self.forward.way
        computed = self.forward((Batch(sequences.take(rows)) for rows, _ in batches), question)
        for (rows, tokens), answer in zip(batches, computed, strict=True):
            done += len(rows)
            inside = real[rows, : answer.shape[1]]
            self._refuse_non_finite(np.where(inside, answer, 0.0))
            answers[rows, : answer.shape[1]] = np.where(inside, answer, np.nan)
            self._store([keys[row] for row in rows], answer[inside], inside.sum(axis=1), ask)
            self.counters.computed += len(rows)
            self.counters.tokens += tokens
            if self.on_progress is not None:
                self.on_progress(min(done, len(keys)), len(keys))
        self.counters.forward_seconds += self.forward.seconds - before

    def _store(self, keys: list[bytes], numbers: Rows, widths: Ints, ask: int) -> None:
        raw = numbers.astype("<f4").tobytes()
        bounds = pairwise([0, *(4 * np.cumsum(widths)).tolist()])
        self.cache.put((key, ask, raw[a:b]) for key, (a, b) in zip(keys, bounds, strict=True))

    def _refuse_non_finite(self, answer: Rows) -> None:
        bad = int((~np.isfinite(answer).all(axis=1)).sum())
        if bad:
            raise ModelError(
                f"{bad} of {len(answer)} answers of one batch are NaN or infinite ({bad / len(answer):.0%})",
                hint="its weights are broken: look for NaN in them"
                if self.dtype == "float32"
                else f"{self.dtype} may be too narrow for this model: try --dtype float32; else its weights are broken",
            )


def distinct_of(items: Sequence[Item]) -> tuple[Ints, list[Item]]:
    """The different items in order of first appearance, and for each item the position of its like among them."""
    index: dict[Item, int] = {}
    position = np.fromiter((index.setdefault(item, len(index)) for item in items), dtype=np.int64, count=len(items))
    return position, list(index)
