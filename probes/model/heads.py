"""What the head of a language model says of single places: logits are computed where a token is scored, only there."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from probes.core.answers import Ints
from probes.model.last_layer import given_otherwise

LOGITS = 2**27
"""Logits held in memory at a time (512 MB in float32): a row has one for each token of the vocabulary at each place."""

Places = tuple[torch.Tensor, torch.Tensor]
"""Rows and columns of single tokens, in their order and each once."""


def logits_at(network: Any, inputs: dict[str, Any], at: Places, *, shape: torch.Size) -> torch.Tensor:
    """(m, vocabulary) logits at m places of what the network reads, (rows, tokens) of `shape`.

    The states of all other places are taken away before the head, which works on each place alone.

    Raises:
        ValueError: its logits are not one row for each token.
    """

    def chosen(given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        if not given or given[0].shape[:2] != shape:
            return given
        rows, columns = (each.to(given[0].device) for each in at)
        return given[0][rows, columns][None], *given[1:]

    with given_otherwise(network.get_output_embeddings(), chosen):
        logits: torch.Tensor = network(**inputs).logits
    if logits.shape[:2] == (1, len(at[0])):
        return logits[0]
    if logits.shape[:2] != shape:
        raise ValueError("its logits are not one row for each token")
    return logits[at]


def log_probabilities(logits: torch.Tensor, rows: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """(m,) on the host: of each target by its row of (places, vocabulary) logits, in float32 whatever these are."""
    logits = logits.float()
    return (logits[rows, targets] - logits.logsumexp(dim=1)[rows]).cpu()


def placed(found: torch.Tensor, counts: Ints, order: Ints) -> torch.Tensor:
    """(rows, most) numbers, each row's own first and 0 behind them.

    Args:
        found: the numbers of all rows, one row after another.
        counts: (rows,) how many each row has.
        order: (rows,) which row's come when.
    """
    sizes = counts[order]
    answers = torch.zeros(len(counts), max(1, int(counts.max(initial=0))))
    columns = np.arange(len(found)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    answers[torch.from_numpy(np.repeat(order, sizes)), torch.from_numpy(columns)] = found
    return answers
