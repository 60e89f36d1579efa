"""How fast this machine multiplies matrices: the yardstick for what an audit will cost."""

from __future__ import annotations

import time

import torch

from probes.model.device import choose

SECONDS = 0.3
"""Long enough to leave the noise of the clock, short enough for a plan."""


def matrix_product_flops(*, device: str, dtype: str) -> float:
    """Floating-point operations per second of a matrix product of the size of a small transformer's layers."""
    place, kind = choose(device), getattr(torch, dtype)
    size = 4096 if place.type == "cuda" else 768
    left = torch.randn(size, size, device=place).to(kind)
    right = torch.randn(size, size, device=place).to(kind)
    with torch.inference_mode():
        _finish(left @ right)
        products, started = 0, time.perf_counter()
        while time.perf_counter() - started < SECONDS:
            _finish(left @ right)
            products += 1
        return products * 2.0 * size**3 / (time.perf_counter() - started)


def _finish(result: torch.Tensor) -> None:
    if result.device.type == "cuda":
        torch.cuda.synchronize(result.device)
    elif result.device.type == "mps":
        torch.mps.synchronize()
