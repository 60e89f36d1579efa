"""A network whose word embeddings are given instead of looked up, while it still reads the real token ids.

The ids still decide what else depends on them: position ids (RoBERTa), the place that is pooled (decoders), the mask.
An encoder-decoder that classifies looks the same text up twice, the second time shifted by one place; both are given at
once. One that writes is told what its decoder reads, which is looked up as always.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

import torch


class Use(Enum):
    """How a network looks up the ids of (rows, tokens) it is given."""

    SAME = "as they are"
    SHIFTED = "one place later, after a start token"
    ACROSS = "transposed"
    OTHER = "not at all: it looks other ids up"


@dataclass(frozen=True)
class Embedding:
    """Where a network looks up word embeddings.

    Attributes:
        modules: the tables it calls, each once, and `uses`: how, call by call.
    """

    network: Any
    modules: tuple[Any, ...]
    uses: tuple[Use, ...]

    @classmethod
    def find(
        cls,
        network: Any,
        ids: torch.Tensor,
        mask: torch.Tensor,
        types: torch.Tensor | None,
        *,
        decoder: torch.Tensor | None = None,
    ) -> Embedding | None:
        """Watch the network read (1, tokens) ids, at least three of them different; None when it cannot be replaced.

        Args:
            decoder: (1, 1) what the decoder of a network that writes is given.
        """
        rows = network.get_input_embeddings().num_embeddings
        tables = [each for each in network.modules() if _is_table(each, rows)]
        calls: list[tuple[Any, torch.Tensor]] = []
        hooks = [
            each.register_forward_hook(lambda module, given, _: calls.append((module, given[0]))) for each in tables
        ]
        try:
            with torch.no_grad():
                network(**named(ids, mask, types), **({} if decoder is None else {"decoder_input_ids": decoder}))
        finally:
            for hook in hooks:
                hook.remove()
        uses = [(module, _use(seen, ids, decoder)) for module, seen in calls]
        replaced = list(dict.fromkeys(module for module, use in uses if use is not Use.OTHER))
        known = tuple(use for module, use in uses if use is not None and module in replaced)
        if not replaced or any(use is None for _, use in uses) or not _alike(replaced, ids):
            return None
        return cls(network, tuple(replaced), known)

    def vectors(self, ids: torch.Tensor) -> torch.Tensor:
        """(rows, tokens, width) float32: the embeddings of (rows, tokens) ids."""
        with torch.no_grad():
            found: torch.Tensor = self.modules[0](ids).float()
        return found

    @property
    def device(self) -> torch.device:
        """Where the table is."""
        return self._table.device

    @cached_property
    def mean(self) -> torch.Tensor:
        """(width,): the mean of the table."""
        mean: torch.Tensor = self._scale * self._table.float().mean(dim=0)
        return mean

    @cached_property
    def spread(self) -> torch.Tensor:
        """(): the standard deviation of all numbers of the table."""
        spread: torch.Tensor = self._scale * self._table.float().std()
        return spread

    def output(
        self,
        vectors: torch.Tensor,
        ids: torch.Tensor,
        mask: torch.Tensor,
        types: torch.Tensor | None = None,
        **more: torch.Tensor,
    ) -> Any:
        """What the network returns with (rows, tokens, width) float32 `vectors` in place of embeddings."""
        uses = iter(self.uses)

        def given(_module: Any, _args: Any, looked_up: torch.Tensor) -> torch.Tensor:
            return _arranged(vectors.to(looked_up.dtype), next(uses), looked_up)

        hooks = [module.register_forward_hook(given) for module in self.modules]
        try:
            return self.network(**named(ids, mask, types), **more)
        finally:
            for hook in hooks:
                hook.remove()

    @property
    def scale(self) -> float:
        """What the numbers of the table are multiplied by on their way into the network."""
        return float(self._scale)

    @property
    def _table(self) -> torch.Tensor:
        table: torch.Tensor = self.modules[0].weight.detach()
        return table

    @property
    def _scale(self) -> Any:
        return getattr(self.modules[0], "embed_scale", 1.0)


def named(ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor | None) -> dict[str, torch.Tensor]:
    """The arguments of a network."""
    inputs = {"input_ids": ids, "attention_mask": mask}
    return inputs if types is None else inputs | {"token_type_ids": types}


def _is_table(module: Any, rows: int) -> bool:
    return isinstance(module, torch.nn.Embedding) and module.num_embeddings == rows


def _use(seen: torch.Tensor, ids: torch.Tensor, decoder: torch.Tensor | None) -> Use | None:
    if decoder is not None and torch.equal(seen, decoder):
        return Use.OTHER
    if torch.equal(seen, ids):
        return Use.SAME
    if seen.shape == ids.shape and torch.equal(seen[:, 1:], ids[:, :-1]):
        return Use.SHIFTED
    return Use.ACROSS if torch.equal(seen, ids.T) else None


def _alike(modules: list[Any], ids: torch.Tensor) -> bool:
    with torch.no_grad():
        first = modules[0](ids)
        return all(torch.equal(first, module(ids)) for module in modules[1:])


def _arranged(vectors: torch.Tensor, use: Use, looked_up: torch.Tensor) -> torch.Tensor:
    if use is Use.OTHER:
        return looked_up
    if use is Use.SHIFTED:
        return torch.cat([looked_up[:, :1], vectors[:, :-1]], dim=1)
    return vectors.transpose(0, 1) if use is Use.ACROSS else vectors
