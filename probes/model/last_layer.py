"""The last layer of an encoder whose head reads only the first token, without the work on all the others.

In a layer only attention looks from token to token. The projection of its output and the feed-forward part work on
each token alone, and in the last layer nothing reads them but the head. In the BERT family they can be left out there
for every token but the first, two thirds to three quarters of a layer, and as much again in a backward pass.
Whether a network allows it is found out by trying, never taken from its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from probes.model.substitution import named

ATTENTION_OUTPUT = ".attention.output"
ROUNDING = 64
"""Units in the last place of the dtype by which logits may differ: matrices of another shape are summed otherwise."""

Tensors = tuple[torch.Tensor, ...]


def find(
    network: Any, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor | None = None
) -> torch.nn.Module | None:
    """The output projection of the last attention, if `network` answers the same without all tokens but the first.

    None for any other network, and for one of which this cannot be told, such as one with nothing but zeros in its
    head. Tried on what the network reads of a few real texts of different length, (rows, tokens) on its device.
    """
    projection = _last_projection(network)
    tokens = _odd(ids.shape[1])
    if projection is None or tokens < 3:
        return None
    try:
        inputs = {name: each[:, :tokens] for name, each in named(ids, mask, types).items()}
        logits, gradients = _watched(network, projection, inputs)
        with torch.no_grad(), first_token_only(projection):
            trimmed = network(**inputs).logits
        same = _first_alone_is_read(gradients) and equal(logits, trimmed)
    except Exception:  # whatever a network of any make raises here, it can still be asked as it is
        return None
    return projection if same else None


@contextmanager
def first_token_only(projection: torch.nn.Module | None) -> Iterator[None]:
    """While it lasts, a network works on one token from `projection`, as `find` gave it, to its head.

    Its logits and their gradients stay, its last hidden states do not.
    """
    if projection is None:
        yield
        return
    # Contiguous, or torch multiplies row by row, with a copy of the weights for each of them.
    with given_otherwise(projection, lambda given: tuple(each[:, :1].contiguous() for each in given)):
        yield


@contextmanager
def given_otherwise(module: torch.nn.Module, change: Callable[[Tensors], Tensors]) -> Iterator[None]:
    """`module` called with other arguments."""
    hook = module.register_forward_pre_hook(lambda _, given: change(given))
    try:
        yield
    finally:
        hook.remove()


def _odd(tokens: int) -> int:
    """Networks that attend in windows pad to an even number, and cut it off again: one token cannot be cut."""
    return (tokens - 1) | 1


def _last_projection(network: Any) -> torch.nn.Module | None:
    """By the names that layers of the BERT family share: attention, its output, intermediate, output."""
    modules = dict(network.named_modules())
    layers = [name.removesuffix(ATTENTION_OUTPUT) for name in modules if name.endswith(ATTENTION_OUTPUT)]
    whole = [layer for layer in layers if {f"{layer}.intermediate", f"{layer}.output"} <= modules.keys()]
    return modules[whole[-1] + ATTENTION_OUTPUT] if whole else None


def _watched(
    network: Any, projection: torch.nn.Module, inputs: dict[str, torch.Tensor]
) -> tuple[torch.Tensor, Tensors]:
    """(rows, labels) logits, and the gradient of a mixture of them for each tensor given to `projection`."""
    leaves: list[torch.Tensor] = []

    def detached(given: Tensors) -> Tensors:
        fresh = tuple(each.detach().requires_grad_() for each in given)
        leaves.extend(fresh)
        return fresh

    with torch.inference_mode(False), torch.enable_grad(), given_otherwise(projection, detached):
        logits = network(**inputs).logits
        # Weights of their own, because the logits of two labels may well add up to a constant.
        mixture = (logits * torch.linspace(1, 2, logits.shape[1]).to(logits)).sum()
        return logits.detach(), torch.autograd.grad(mixture, leaves)


def _first_alone_is_read(gradients: Tensors) -> bool:
    """Whether (rows, tokens, width) gradients are zero, exactly, but for the first token of every row.

    This and not the logits tells which tokens a head reads: of tokens that are not read it leaves zeros, in any dtype
    and with any weights, where logits differ by less than rounding when the weights of a head are small.
    """
    return all(bool(each[:, 0].any(dim=-1).all()) and not bool(each[:, 1:].any()) for each in gradients)


def equal(logits: torch.Tensor, others: torch.Tensor) -> bool:
    """Whether (rows, labels) logits are the same but for rounding; NaN is not."""
    margin = ROUNDING * torch.finfo(logits.dtype).eps * logits.abs().max().clamp(min=1.0).float()
    return logits.shape == others.shape and bool(((logits - others).abs().float() <= margin).all())
