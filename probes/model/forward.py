"""One batch through the network: host to device, forward, answers back; smaller pieces when memory runs out."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from probes.core.errors import ModelError
from probes.core.model import Capability
from probes.model.batching import Batch
from probes.model.last_layer import first_token_only
from probes.model.packed import Packed
from probes.model.sequences import packed
from probes.model.spans import best_spans
from probes.model.substitution import named
from probes.model.windows import CONTEXT, NULL

IN_FLIGHT = 3
"""Batches handed to a GPU before the first of them is waited for, so that it never waits for the host."""


class Differentiating(Protocol):
    """A question that is answered with gradients of logits, by asking for logits many times, or with more memory."""

    def at_once(self, limit: int, longest: int) -> int:
        """Rows of `longest` tokens that it sends through the network together within a limit of tokens."""
        ...

    def __call__(self, forward: Forward, batch: Batch) -> torch.Tensor:
        """(rows, numbers) answers."""
        ...


Question = Capability | Differentiating


@dataclass
class Forward:
    """A network on a device.

    Attributes:
        network: a sequence or token classifier, a question-answering model or a language model of transformers in eval
            mode, on `device`.
        pad: the id that fills short rows.
        limit: rows x longest that is known, or hoped, to fit; halved whenever memory runs out.
        projection: what `last_layer.find` says of the network; None for one whose last layer works on every token.
        packed: what `packed.find` says of it; None for a classifier that reads padded rows.
        seconds: spent inside the network so far.
    """

    network: Any
    device: torch.device
    pad: int
    limit: int
    projection: torch.nn.Module | None = None
    packed: Packed | None = None
    seconds: float = field(default=0.0, init=False)

    def __call__(
        self, batches: Iterable[Batch], question: Question = Capability.CLASSIFY
    ) -> Iterator[NDArray[np.float32]]:
        """The answers about each batch, in order: (rows, labels) logits, (rows, width) embeddings, a tagger's
        (rows, words x labels) logits, (rows, NUMBERS) of the best spans, or as asked.

        Raises:
            ModelError: a single row does not fit into memory.
        """
        depth = IN_FLIGHT if self.device.type == "cuda" else 0
        waiting: deque[_Answer] = deque()
        for batch in batches:
            waiting.append(self._launch(batch, question))
            if len(waiting) > depth:
                yield self._collect(waiting.popleft())
        while waiting:
            yield self._collect(waiting.popleft())

    @property
    def way(self) -> str | None:
        """How it classifies, if not as the network itself does."""
        if self.packed is not None:
            return "packed, fused" if self.packed.fused else "packed"
        return None if self.projection is None else "first token only"

    @cached_property
    def width(self) -> int:
        """Numbers in an embedding, which no configuration says reliably: seen on a single token."""
        return int(next(self([Batch(packed([[0]]))], Capability.EMBED)).shape[1])

    def inputs(self, batch: Batch, *, left: bool = False) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """(rows, longest) ids, mask and, where the network reads them, token types, on the device.

        Padding is on the right, or with `left` on the left.
        """
        ids, mask, types = batch.blocks(pad=self.pad, left=left)
        return self.moved(ids), self.moved(mask), None if types is None else self.moved(types)

    def moved(self, block: NDArray[np.int64]) -> torch.Tensor:
        """An array on the device."""
        tensor = torch.from_numpy(block)
        if self.device.type == "cuda":
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)

    def _launch(self, batch: Batch, question: Question) -> _Answer:
        started = self._clock()
        waits = self.device.type != "cuda"
        parts = [part.to("cpu", torch.float32, non_blocking=not waits) for part in self._parts(batch, question)]
        return _Answer(parts, started, self._clock())

    def _collect(self, answer: _Answer) -> NDArray[np.float32]:
        self.seconds += answer.seconds()
        rows: NDArray[np.float32] = _stacked(answer.parts).numpy()
        return rows

    def _clock(self) -> float | torch.cuda.Event:
        if self.device.type != "cuda":
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]  # torch does not type it
        event.record(torch.cuda.current_stream(self.device))
        return event

    def _parts(self, batch: Batch, question: Question) -> Iterator[torch.Tensor]:
        """The answers about a batch, in one piece or, when memory is short, in several."""
        queue = deque([batch])
        while queue:
            part = queue.popleft()
            if isinstance(question, Capability) and part.tokens > self.limit and len(part.rows) > 1:
                queue.extendleft(reversed(list(part.halves())))
                continue
            rows = self._try(part, question)
            if rows is not None:
                yield rows
                continue
            queue.appendleft(part)

    def _try(self, batch: Batch, question: Question) -> torch.Tensor | None:
        """The answers, or None after lowering the limit because memory ran out."""
        try:
            return self._answers(batch, question)
        except Exception as error:  # out of memory has many types, and a network may raise any other
            if not _out_of_memory(error):
                raise ModelError(
                    f"the model fails on a batch of {len(batch.rows)} texts: {str(error).splitlines()[0][:200]}",
                    hint="try --device cpu; if it fails there too, the model itself cannot run these texts",
                ) from error
            if self._at_once(batch, question) == 1:
                longest = batch.tokens // len(batch.rows)
                raise ModelError(
                    f"a single text of {longest} tokens does not fit into the memory of {self.device}",
                    hint="use a larger device, --dtype bfloat16, or a smaller --max-length",
                ) from error
        # Outside the handler, whose traceback would keep the tensors of the failed attempt alive.
        self.limit = (batch.tokens if isinstance(question, Capability) else self.limit) // 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return None

    def _at_once(self, batch: Batch, question: Question) -> int:
        """Rows that went through the network together at most."""
        rows = len(batch.rows)
        return rows if isinstance(question, Capability) else question.at_once(self.limit, batch.tokens // rows)

    def _answers(self, batch: Batch, question: Question) -> torch.Tensor:
        if question is Capability.EMBED:
            return self._embeddings(batch)
        if question is Capability.TAG:
            return self._tags(batch)
        if question is Capability.ANSWER:
            return self._spans(batch)
        if question is Capability.CLASSIFY and self.packed is not None and self.packed.answers_for(self.network):
            with torch.inference_mode():
                return self.packed(batch.rows, self.moved)
        with first_token_only(self.projection):
            return self._logits(batch) if isinstance(question, Capability) else question(self, batch)

    def _logits(self, batch: Batch) -> torch.Tensor:
        with torch.inference_mode():
            logits: torch.Tensor = self.network(**named(*self.inputs(batch))).logits
        return logits

    def _tags(self, batch: Batch) -> torch.Tensor:
        """(rows, most words x labels): the logits of each word's first token; what follows a row's own is padding."""
        first = batch.words() >= 0
        most = int(first.sum(axis=1).max())
        places = self.moved(np.argsort(~first, axis=1, kind="stable")[:, :most])
        logits = self._logits(batch)
        if logits.shape[:2] != first.shape:
            raise ValueError("its logits are not one row for each token")
        picked = logits.gather(1, places[:, :, None].expand(-1, -1, logits.shape[2]))
        return picked.reshape(len(first), -1)

    def _spans(self, batch: Batch) -> torch.Tensor:
        """(rows, NUMBERS): the best spans of each window, see `probes.model.spans`."""
        marks = batch.words()
        null = self.moved(np.argmax(marks == NULL, axis=1)[:, None])
        inside = self.moved((marks == CONTEXT).astype(np.int64)) > 0
        with torch.inference_mode():
            output = self.network(**named(*self.inputs(batch)))
            return best_spans(output.start_logits, output.end_logits, inside=inside, null=null)

    def _embeddings(self, batch: Batch) -> torch.Tensor:
        ids, mask, types = self.inputs(batch)
        with torch.inference_mode():
            return _pooled(self._body(**named(ids, mask, types)).last_hidden_state, mask)

    @property
    def _body(self) -> Any:
        """The network without its head; of an encoder-decoder the encoder, which alone reads the whole text."""
        base = self.network.base_model
        return base.get_encoder() if self.network.config.is_encoder_decoder else base


@dataclass(slots=True)
class _Answer:
    """Answers on their way to the host."""

    parts: list[torch.Tensor]
    started: float | torch.cuda.Event
    ended: float | torch.cuda.Event

    def seconds(self) -> float:
        """Time between launch and arrival; waits for the arrival."""
        if isinstance(self.started, torch.cuda.Event) and isinstance(self.ended, torch.cuda.Event):
            self.ended.synchronize()
            return float(self.started.elapsed_time(self.ended)) / 1000
        assert isinstance(self.started, float)
        assert isinstance(self.ended, float)
        return self.ended - self.started


def _stacked(parts: list[torch.Tensor]) -> torch.Tensor:
    """Pieces of a batch, one below the other; those of shorter rows may be narrower."""
    width = max(part.shape[1] for part in parts)
    return torch.cat([torch.nn.functional.pad(part, (0, width - part.shape[1])) for part in parts])


def _pooled(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """(rows, width) means of (rows, tokens, width) states over real tokens, in float32 whatever the network runs in."""
    if states.shape[:2] != mask.shape:
        raise ValueError("its last hidden states are not one for each token")
    weights = mask.to(torch.float32).unsqueeze(-1)
    # Where, not times: a padded place may hold NaN, and NaN times zero is NaN.
    total = torch.where(weights > 0, states.to(torch.float32), 0.0).sum(dim=1)
    return total / weights.sum(dim=1)


def _out_of_memory(error: BaseException) -> bool:
    text = str(error).lower()
    return (
        isinstance(error, MemoryError | torch.cuda.OutOfMemoryError)
        or "out of memory" in text
        or "can't allocate" in text
    )
