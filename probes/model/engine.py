"""A transformers classifier behind bulk questions: repeats removed, answers cached, batches canonical."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from probes.core.answers import Classifications, Floats, Ints
from probes.core.errors import ModelError
from probes.core.examples import Text
from probes.core.model import Capability, ModelCard
from probes.model.batching import Batch, ask_id, canonical_order, cut
from probes.model.cache import AnswerCache
from probes.model.forward import Forward
from probes.model.sequences import Sequences
from probes.model.tokens import Encoder

Progress = Callable[[int, int], None]
Rows = NDArray[np.float32]

TOLERANCE = {"float32": 1e-5, "float16": 4e-3, "bfloat16": 2e-2}
"""How far a probability may move with the composition of the batch alone.

Largest moves seen between batches of one row and full ones, on a CPU, in ten small architectures with random weights
far rougher than trained ones: 9e-7, 2.7e-3 and 1.2e-2; in MiniLM: 5e-7, 4e-4 and 3e-3.
"""


@dataclass(slots=True)
class Counters:
    """What questions cost since the last `take_counters`.

    asked: texts asked for; distinct: after removing repeats, of token sequences too; cached: answered from the cache;
    computed: sent through the model; tokens: in what was sent, padding not counted; forward_seconds: inside the model.
    """

    asked: int = 0
    distinct: int = 0
    cached: int = 0
    computed: int = 0
    tokens: int = 0
    forward_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Speed on a few texts, for estimating how long an audit takes."""

    texts_per_second: float
    tokens_per_second: float


@dataclass(kw_only=True)
class TransformersClassifier:
    """A loaded model; `Classifier` and `Embedder` of `probes.core.model`. Make one with `probes.model.load.load`.

    Whatever is asked, repeated texts cost nothing extra. Interrupted and asked again with the same cache, it gives the
    same bits as if never interrupted: what was answered is not computed again, and the batches of the rest are those of
    the first attempt.

    Attributes:
        card: what was loaded.
        scope: what an answer depends on besides the question and the tokens.
        device, device_name, dtype: where and in which type it runs.
        budget: tokens in a batch (rows x longest), part of what decides the last bits of an answer.
        pads: False for a network whose answers change with padding: its batches hold rows of one length.
        counters: what the questions since the last `take_counters` cost.
        on_progress: called after each batch with the texts answered so far and in all, repeats not counted.
    """

    card: ModelCard
    encoder: Encoder
    forward: Forward
    cache: AnswerCache
    scope: bytes
    device: str
    device_name: str
    dtype: str
    budget: int
    pads: bool = True
    counters: Counters = field(default_factory=Counters)
    on_progress: Progress | None = None

    def classify(self, texts: Sequence[Text]) -> Classifications:
        """Answer n texts with n answers in the same order.

        Raises:
            DataError: a text the tokenizer cannot read.
            ModelError: NaN or infinite logits, or too little memory for a single text.
        """
        return Classifications(
            logits=self._ask(texts, Capability.CLASSIFY, width=len(self.card.labels)).astype(np.float64),
            labels=self.card.labels,
            problem=self.card.problem,
            tolerance=TOLERANCE[self.dtype],
        )

    def embed(self, texts: Sequence[Text]) -> Floats:
        """(n, width): mean of the last hidden states over each text's tokens, special tokens included, padding not.

        Of an encoder-decoder, the states of the encoder.

        Raises:
            DataError: a text the tokenizer cannot read.
            ModelError: NaN or infinite states, too little memory for a single text, or a network without a state for
                each token.
        """
        return self._ask(texts, Capability.EMBED, width=self.forward.width).astype(np.float64)

    def take_counters(self) -> Counters:
        """The counters so far; they start again at zero."""
        taken, self.counters = self.counters, Counters()
        return taken

    def throughput(self, texts: Sequence[Text]) -> Throughput:
        """Speed on `texts`, tokenization included, the cache left out; call it twice and the first warms up."""
        trial = replace(self, cache=AnswerCache.open(None), counters=Counters(), on_progress=None)
        started = perf_counter()
        trial.classify(texts)
        seconds = max(perf_counter() - started, 1e-9)
        counters = trial.counters
        return Throughput(texts_per_second=counters.computed / seconds, tokens_per_second=counters.tokens / seconds)

    def _ask(self, texts: Sequence[Text], question: Capability, *, width: int) -> Rows:
        """(n, width) answers to one question about n texts, in their order."""
        index: dict[Text, int] = {}
        position = np.fromiter((index.setdefault(text, len(index)) for text in texts), dtype=np.int64, count=len(texts))
        sequences = self.encoder.encode(list(index))
        scope = hashlib.blake2b(question.encode(), digest_size=32, key=self.scope).digest()
        keys = sequences.keys(scope)
        slot: dict[bytes, int] = {}
        where = np.fromiter((slot.setdefault(key, len(slot)) for key in keys), dtype=np.int64, count=len(keys))
        first = np.unique(where, return_index=True)[1]
        rows = self._answer(list(slot), sequences.take(first), question, width=width)
        self.counters.asked += len(texts)
        self.counters.distinct += len(slot)
        return rows[where[position]]

    def _answer(self, keys: list[bytes], sequences: Sequences, question: Capability, *, width: int) -> Rows:
        """(n, width) answers about n different sequences: from the cache, and from the network where it has none."""
        ask = ask_id(keys)
        answers = np.full((len(keys), width), np.nan, dtype=np.float32)
        known, mine = self._cached(keys, answers, ask)
        self.counters.cached += int(known.sum())
        # The set to compose batches of: what this call has to compute, whether an earlier attempt already did or not.
        members = np.flatnonzero(~known | mine)
        lengths = sequences.lengths
        members = members[canonical_order(lengths[members], [keys[row] for row in members])]
        batches = [
            members[first:last]
            for first, last in cut(lengths[members], budget=self.budget, same_length=not self.pads)
            if not known[members[first:last]].all()
        ]
        self._compute(batches, keys, sequences, answers, question, ask=ask, done=int(known.sum()))
        return answers

    def _cached(self, keys: list[bytes], answers: Rows, ask: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Fill in what the cache has; say which rows it had, and which of them this very call had computed before."""
        row_of = {key: row for row, key in enumerate(keys)}
        known, mine = np.zeros(len(keys), dtype=bool), np.zeros(len(keys), dtype=bool)
        found = list(self.cache.get(keys, width=answers.shape[1]))
        if found:
            rows = np.fromiter((row_of[key] for key, _, _ in found), dtype=np.int64, count=len(found))
            answers[rows] = np.frombuffer(b"".join(blob for _, _, blob in found), dtype="<f4").reshape(len(found), -1)
            known[rows] = True
            mine[rows] = [asked == ask for _, asked, _ in found]
        return known, mine

    def _compute(
        self,
        batches: list[Ints],
        keys: list[bytes],
        sequences: Sequences,
        answers: Rows,
        question: Capability,
        *,
        ask: int,
        done: int,
    ) -> None:
        before = self.forward.seconds
        computed = self.forward((Batch(sequences.take(rows)) for rows in batches), question)
        for rows, answer in zip(batches, computed, strict=True):
            done += len(rows)
            self._refuse_non_finite(answer)
            answers[rows] = answer
            self._store([keys[row] for row in rows], answer, ask)
            self.counters.computed += len(rows)
            self.counters.tokens += int(sequences.lengths[rows].sum())
            if self.on_progress is not None:
                self.on_progress(min(done, len(keys)), len(keys))
        self.counters.forward_seconds += self.forward.seconds - before

    def _store(self, keys: list[bytes], answer: Rows, ask: int) -> None:
        raw, width = answer.astype("<f4").tobytes(), 4 * answer.shape[1]
        self.cache.put((key, ask, raw[row * width : (row + 1) * width]) for row, key in enumerate(keys))

    def _refuse_non_finite(self, answer: Rows) -> None:
        bad = int((~np.isfinite(answer).all(axis=1)).sum())
        if bad:
            raise ModelError(
                f"{bad} of {len(answer)} answers of one batch are NaN or infinite ({bad / len(answer):.0%})",
                hint="its weights are broken: look for NaN in them"
                if self.dtype == "float32"
                else f"{self.dtype} may be too narrow for this model: try --dtype float32; else its weights are broken",
            )
