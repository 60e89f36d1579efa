"""vLLM found, imported and opened on a folder of weights, without telemetry and without a process of its own."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from probes.core.errors import ModelError, UsageError
from probes.core.model import ModelCard
from probes.model.vllm_card import INSTEAD, refuse

STEP = 4096
"""Tokens that a CPU reads in one step."""
BEHAVIOUR = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
"""Environment of vLLM: no telemetry, and no process beside this one."""
PREFERENCES = {"VLLM_LOGGING_LEVEL": "CRITICAL", "VLLM_CPU_KVCACHE_SPACE": "4"}
"""The same, unless the user says otherwise. What fails is told in one line, where vLLM prints all that it was asked; a
CPU would give nearly all its memory to keys and values (the number is in GiB)."""


def require_vllm() -> None:
    """Refuse to go on where vLLM is missing; does not import it.

    Raises:
        UsageError: it is not installed.
    """
    if find_spec("vllm") is None:
        raise UsageError(
            "--engine vllm needs vLLM, which is not installed here",
            hint="pip install 'responsible-audit[vllm]', in an environment of its own: vLLM names its own torch",
        )


def opened(card: ModelCard, folder: Path, device: torch.device, *, dtype: str) -> tuple[Any, Any]:
    """The module and the engine that it makes of a folder of weights, for texts of at most the card's length.

    Raises:
        UsageError: no vLLM is installed, or one for another device.
        ModelError: it does not load the model.
    """
    require_vllm()
    with quiet():
        module = _imported()
        refuse(_elsewhere(module, device))
        return module, _engine(module, card, folder, device, dtype=dtype)


def _imported() -> Any:
    logging.getLogger("vllm").setLevel(logging.CRITICAL)  # what it says before it reads its own setting
    os.environ.update(BEHAVIOUR)
    for name, value in PREFERENCES.items():
        os.environ.setdefault(name, value)
    try:
        return import_module("vllm")
    except Exception as error:  # a build for another processor, or another torch
        raise UsageError(
            f"vLLM is installed, but cannot be imported: {first_line(error)}",
            hint="install vLLM in an environment of its own, with the torch that it names",
        ) from error


def _elsewhere(module: Any, device: torch.device) -> Iterator[tuple[str, str]]:
    """Where this vLLM runs, if it is not the device."""
    built = str(import_module(f"{module.__name__}.platforms").current_platform.device_type)
    if built != device.type:
        yield f"this vLLM runs on {built}, not on {device.type}", f"use --device {built}, or install another vLLM"


def _engine(module: Any, card: ModelCard, folder: Path, device: torch.device, *, dtype: str) -> Any:
    try:
        return module.LLM(
            model=str(folder),
            skip_tokenizer_init=True,
            trust_remote_code=False,
            load_format="safetensors",
            use_tqdm_on_load=False,
            generation_config="vllm",  # not the taste of whoever saved the checkpoint
            dtype=dtype,
            max_model_len=card.max_length,
            seed=0,
            # An answer must not depend on what was asked before.
            enable_prefix_caching=False,
            **(_on_cpu(card.max_length) if device.type == "cpu" else {}),
        )
    except Exception as error:  # vLLM raises every kind there is
        raise ModelError(
            f"vLLM does not load {card.source}: {first_line(error)}",
            hint=f"with little memory a smaller --max-length may do; else {INSTEAD}",
        ) from error


def _on_cpu(longest: int) -> dict[str, Any]:
    """Compiling for a CPU takes longer than most audits; and a prompt that is read in two steps takes its seeded draws
    back by an offset, which generators of random numbers on a CPU do not have."""
    return {
        "enforce_eager": True,
        "enable_chunked_prefill": False,
        "max_num_batched_tokens": max(STEP, longest),
    }


@contextmanager
def quiet() -> Iterator[None]:
    """vLLM and what it imports warn of one another."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def first_line(error: Exception) -> str:
    """What went wrong; of a check of fields what it says, without where pydantic found it."""
    problems = getattr(error, "errors", None)
    text = str(problems()[0]["msg"]) if callable(problems) else str(error)
    first = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
    return first.removeprefix("Value error, ")[:200]
