"""A network with some of its weights forgotten, and remembered again afterwards.

The check that attributions depend on what was learnt: Adebayo et al. 2018, Sanity checks for saliency maps, NeurIPS.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

_DONE = "_is_hf_initialized"
"""Where transformers 5 notes that a tensor or module must not be initialised again."""


@contextmanager
def randomised(network: Any, share: float, *, seed: int) -> Iterator[None]:
    """Initialise the head and the uppermost `share` of the layers anew, at 1 the embeddings too; undone at the end.

    Raises:
        ValueError: a share outside 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a share of the layers is from 0 to 1, not {share}")
    modules = _chosen(network, share)
    tensors = list(dict.fromkeys(tensor for module in modules for tensor in _own_tensors(module)))
    # Initialising a module may reach into its children.
    reached = list(dict.fromkeys(tensor for module in modules for tensor in (*module.parameters(), *module.buffers())))
    saved = [tensor.detach().to("cpu", copy=True) for tensor in reached]
    try:
        _initialise(network, modules, tensors, seed=seed)
        yield
    finally:
        with torch.no_grad():
            for tensor, before in zip(reached, saved, strict=True):
                tensor.copy_(before)


def _chosen(network: Any, share: float) -> list[torch.nn.Module]:
    """Every module but the layers, and what is in them, that stay; and, below 1, but what comes before the layers."""
    layers = _layers(network.base_model)
    kept = layers[: len(layers) - math.ceil(share * len(layers) - 1e-9)]
    untouched = {part for layer in kept for part in layer.modules()}
    if share < 1:
        untouched |= {network} | _embeddings(network.base_model, layers)
    return [module for module in network.modules() if module not in untouched]


def _layers(body: torch.nn.Module) -> list[torch.nn.Module]:
    """The layers from the bottom up: of the encoder, then of the decoder where there is one."""
    stacks = [module for module in body.modules() if isinstance(module, torch.nn.ModuleList) and len(module)]
    inner = {part for stack in stacks for layer in stack for part in layer.modules()}
    return [layer for stack in stacks if stack not in inner for layer in stack]


def _embeddings(body: torch.nn.Module, layers: list[torch.nn.Module]) -> set[torch.nn.Module]:
    """What comes before the first layer, and tables wherever they are."""
    inside = {part for layer in layers for part in layer.modules()}
    modules = list(body.modules())
    first = next((place for place, module in enumerate(modules) if module in inside), 0)
    tables = {module for module in modules if isinstance(module, torch.nn.Embedding) and module not in inside}
    return tables | set(modules[:first])


def _own_tensors(module: torch.nn.Module) -> Iterator[torch.Tensor]:
    yield from module.parameters(recurse=False)
    yield from module.buffers(recurse=False)


def _initialise(network: Any, modules: list[torch.nn.Module], tensors: list[torch.Tensor], *, seed: int) -> None:
    """As transformers does before training. Its marks on tensors are taken off for as long as it takes."""
    marked = [each for each in [*tensors, *modules] if getattr(each, _DONE, False)]
    for each in marked:
        setattr(each, _DONE, False)
    devices = sorted({tensor.device.index or 0 for tensor in tensors if tensor.device.type == "cuda"})
    try:
        with torch.random.fork_rng(devices=devices), torch.no_grad():
            torch.manual_seed(seed)
            for module in modules:
                network._init_weights(module)
    finally:
        for each in marked:
            setattr(each, _DONE, True)
