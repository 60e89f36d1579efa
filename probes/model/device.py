"""Where the model runs."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

from probes.core.errors import UsageError


def choose(name: str) -> torch.device:
    """The device called `name`: "auto" (CUDA, else MPS, else CPU), "cpu", "mps", "cuda" or "cuda:1".

    Raises:
        UsageError: not a device, or one this machine does not have.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (number and not number.isdecimal()):
        raise UsageError(f"no device is called {name!r}", hint="use auto, cpu, cuda, cuda:1 or mps")
    if kind == "cuda":
        return _cuda(name, int(number or 0))
    if kind == "mps" and not torch.backends.mps.is_available():
        raise UsageError("this machine has no MPS device", hint="use --device auto or cpu")
    return torch.device(kind)


def describe(device: torch.device) -> str:
    """The name of the hardware, for the record."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    cpuinfo = Path("/proc/cpuinfo")
    if device.type == "cpu" and cpuinfo.is_file():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cuda(name: str, index: int) -> torch.device:
    if not torch.cuda.is_available():
        reason = "torch was built without CUDA" if torch.version.cuda is None else "torch sees no CUDA device"
        raise UsageError(f"{name} was asked for, but {reason}", hint="use --device auto or cpu")
    if index >= torch.cuda.device_count():
        raise UsageError(
            f"there is no {name}: this machine has {torch.cuda.device_count()} CUDA devices",
            hint=f"use cuda:0 to cuda:{torch.cuda.device_count() - 1}",
        )
    return torch.device("cuda", index)
