"""One batch through the network: host to device, forward, logits back; smaller pieces when memory runs out."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from probes.core.errors import ModelError
from probes.model.batching import Batch, Block

IN_FLIGHT = 3
"""Batches handed to a GPU before the first of them is waited for, so that it never waits for the host."""


@dataclass
class Forward:
    """A network on a device.

    Attributes:
        network: a sequence classifier of transformers in eval mode, on `device`.
        pad: the id that fills short rows.
        limit: rows x longest that is known, or hoped, to fit; halved whenever memory runs out.
        seconds: spent inside the network so far.
    """

    network: Any
    device: torch.device
    pad: int
    limit: int
    seconds: float = field(default=0.0, init=False)

    def __call__(self, batches: Iterable[Batch]) -> Iterator[NDArray[np.float32]]:
        """(rows, labels) logits of each batch, in order.

        Raises:
            ModelError: a single row does not fit into memory.
        """
        depth = IN_FLIGHT if self.device.type == "cuda" else 0
        waiting: deque[_Answer] = deque()
        for batch in batches:
            waiting.append(self._launch(batch))
            if len(waiting) > depth:
                yield self._collect(waiting.popleft())
        while waiting:
            yield self._collect(waiting.popleft())

    def _launch(self, batch: Batch) -> _Answer:
        started = self._clock()
        parts = [part.to("cpu", torch.float32, non_blocking=self.device.type == "cuda") for part in self._parts(batch)]
        return _Answer(parts, started, self._clock())

    def _collect(self, answer: _Answer) -> NDArray[np.float32]:
        self.seconds += answer.seconds()
        logits: NDArray[np.float32] = torch.cat(answer.parts).numpy()
        return logits

    def _clock(self) -> float | torch.cuda.Event:
        if self.device.type != "cuda":
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(self.device))
        return event

    def _parts(self, batch: Batch) -> Iterator[torch.Tensor]:
        """The logits of a batch, in one piece or, when memory is short, in several."""
        queue = deque([batch])
        while queue:
            part = queue.popleft()
            if part.tokens > self.limit and len(part.rows) > 1:
                queue.extendleft(reversed(list(part.halves())))
                continue
            logits = self._try(part)
            if logits is not None:
                yield logits
                continue
            queue.appendleft(part)

    def _try(self, batch: Batch) -> torch.Tensor | None:
        """The logits, or None after lowering the limit because memory ran out."""
        try:
            return self._logits(batch)
        except Exception as error:  # out of memory has many types, and a network may raise any other
            if not _out_of_memory(error):
                raise ModelError(
                    f"the model fails on a batch of {len(batch.rows)} texts: {str(error).splitlines()[0][:200]}",
                    hint="try --device cpu; if it fails there too, the model itself cannot run these texts",
                ) from error
            if len(batch.rows) == 1:
                raise ModelError(
                    f"a single text of {batch.tokens} tokens does not fit into the memory of {self.device}",
                    hint="use a larger device, --dtype bfloat16, or a smaller --max-length",
                ) from error
        # Outside the handler, whose traceback would keep the tensors of the failed attempt alive.
        self.limit = batch.tokens // 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return None

    def _logits(self, batch: Batch) -> torch.Tensor:
        ids, mask, types = batch.blocks(pad=self.pad)
        inputs = {"input_ids": self._moved(ids), "attention_mask": self._moved(mask)}
        if types is not None:
            inputs["token_type_ids"] = self._moved(types)
        with torch.inference_mode():
            logits: torch.Tensor = self.network(**inputs).logits
        return logits

    def _moved(self, block: Block) -> torch.Tensor:
        tensor = torch.from_numpy(block)
        if self.device.type == "cuda":
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)


@dataclass(slots=True)
class _Answer:
    """Logits on their way to the host."""

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


def _out_of_memory(error: BaseException) -> bool:
    text = str(error).lower()
    return (
        isinstance(error, MemoryError | torch.cuda.OutOfMemoryError)
        or "out of memory" in text
        or "can't allocate" in text
    )
