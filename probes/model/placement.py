"""On which device a network goes, when one may be too small for it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch

from probes.core.errors import ModelError

ROOM = 1.2
"""Memory that a network takes while it answers, as a multiple of its weights, before batches are made smaller."""


def device_map(*, place: torch.device, needed: int, packed: bool) -> Any:
    """What `from_pretrained` is told of devices; None to load on the host and move the network afterwards.

    Args:
        place: the device of the audit.
        needed: bytes of the weights in the type the audit runs in.
        packed: the weights are quantised, and cannot be moved once they are loaded.

    Raises:
        ModelError: the network must be spread and the package for it is not there.
    """
    spread = place.type == "cuda" and needed * ROOM > free_bytes(place)
    if not spread:
        return {"": place} if packed else None
    if find_spec("accelerate") is None:
        raise ModelError(
            f"the weights take {needed / 2**30:.1f} GiB, more than is free on {place}",
            hint="pip install accelerate to spread them over all devices, or pass --dtype bfloat16 or --device cpu",
        )
    return "auto"


def free_bytes(place: torch.device) -> int:
    """Free memory of a CUDA device, what torch holds and does not use included."""
    free, _ = torch.cuda.mem_get_info(place)
    return int(free) + torch.cuda.memory_reserved(place) - torch.cuda.memory_allocated(place)
