"""How much attention each token of a text gets, beside what the network says of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from probes.model.substitution import named

SHOWN_BY = "eager"
"""The one implementation of attention that computes weights which can be looked at."""


def attended(
    network: Any, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """(rows, tokens, vocabulary) logits, and (rows, tokens) attention: the mean over all layers, all heads, and all
    tokens that look, padding left out (as in the code of Kaneko and Bollegala 2022).

    Raises:
        ValueError: the network shows no attention.
    """
    with showing_attention(network):
        output = network(**named(ids, mask, types), output_attentions=True)
    maps = [each for each in output.attentions or () if each is not None]
    if not maps or any(each.shape[-2:] != (ids.shape[1], ids.shape[1]) for each in maps):
        raise ValueError("it shows no attention of each token to each other one")
    mean = sum(each.float().mean(dim=1) for each in maps) / len(maps)
    looking = mask.to(torch.float32)
    return output.logits, torch.einsum("rqk,rq->rk", mean, looking) / looking.sum(dim=1, keepdim=True)


@contextmanager
def showing_attention(network: Any) -> Iterator[None]:
    """The same network with attention that can be looked at, for as long: its last bits differ from those of others.

    So no other question is asked meanwhile, and the network's own implementation is back afterwards.
    """
    usual = network.config._attn_implementation
    if usual == SHOWN_BY:
        yield
        return
    network.set_attn_implementation(SHOWN_BY)
    try:
        yield
    finally:
        network.set_attn_implementation(usual)
