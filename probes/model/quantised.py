"""Checkpoints whose weights are stored in 8 bits or fewer, as config.json declares, and what reading them needs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from probes.core.errors import ModelError
from probes.model.failures import unsaid

PACKAGES = {
    "bitsandbytes": ("accelerate", "bitsandbytes"),
    "gptq": ("accelerate", "optimum", "gptqmodel"),
    "awq": ("accelerate", "gptqmodel"),
    "compressed-tensors": ("accelerate", "compressed_tensors"),
    "fp8": ("accelerate",),
}
"""Method -> what transformers reads it with, by the name that is imported; of others it says so itself."""


def method(raw: Mapping[str, Any]) -> str | None:
    """How the weights are quantised, as the `quantization_config` of config.json calls it; None if they are not."""
    declared = raw.get("quantization_config") or raw.get("compression_config")
    if not isinstance(declared, dict):
        return None
    bits = declared.get("load_in_4bit") or declared.get("load_in_8bit")
    # The first checkpoints of bitsandbytes did not name it.
    return str(declared.get("quant_method") or ("bitsandbytes" if bits else "unnamed")).lower()


def described(raw: Mapping[str, Any]) -> str | None:
    """The method and its numbers for people, such as "bitsandbytes 4-bit nf4"; None if nothing is quantised."""
    name = method(raw)
    declared = raw.get("quantization_config") or raw.get("compression_config") or {}
    if name is None:
        return None
    bits = declared.get("bits") or declared.get("w_bit")
    if name == "bitsandbytes":
        bits = 8 if declared.get("load_in_8bit") else 4
    kind = declared.get("bnb_4bit_quant_type") if bits == 4 else None
    return " ".join(
        part for part in (name, f"{bits}-bit" if bits else "", str(kind or declared.get("format") or "")) if part
    )


def settled(raw: dict[str, Any]) -> dict[str, Any]:
    """config.json with the type that the network computes in: 8-bit matrices of bitsandbytes multiply in float16."""
    eight = method(raw) == "bitsandbytes" and bool(raw["quantization_config"].get("load_in_8bit"))
    declared = str(raw.get("dtype") or raw.get("torch_dtype") or "float32").removeprefix("torch.")
    return raw | {"dtype": "float16"} if eight and declared == "float32" else raw


def notes(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """What a reader of the results must know of rounded weights."""
    how = described(raw)
    if how is None:
        return ()
    about = f"Its weights are stored in fewer bits ({how}); the results are about them, not about the original."
    if "bitsandbytes 8-bit" not in how:
        return (about,)
    # Dettmers et al. 2022, LLM.int8(): columns with outliers, found over the whole batch, are multiplied apart.
    return (about, "In 8 bits an answer depends a little on the texts that are read in the same batch.")


def refuse_unreadable(raw: Mapping[str, Any], *, source: str) -> None:
    """Say what is missing before weights load.

    Raises:
        ModelError: packages that the method needs are not installed, or it is not a known one.
    """
    name = method(raw)
    if name is None:
        return
    from transformers.quantizers.auto import AUTO_QUANTIZATION_CONFIG_MAPPING as KNOWN

    if not any(each.startswith(name) for each in KNOWN):  # transformers would load the packed numbers as weights
        raise ModelError(
            f"{source} is quantised by {name}, which this version of transformers does not read",
            hint="install the version named by transformers_version in its config.json, or audit the original model",
        )
    missing = [package for package in PACKAGES.get(name, ()) if find_spec(package) is None]
    if missing:
        names = " ".join(package.replace("_", "-") for package in missing)
        raise ModelError(
            f"{source} is quantised ({described(raw)}), and reading it needs {', '.join(missing)}",
            hint=f"pip install {names}; or audit the model it was made from",
        )


def parameters(config: Any, architecture: str) -> int | None:
    """Weights of the network that `config` describes, counted without making them; packed files do not say.

    None for a class that transformers does not have itself.
    """
    import torch
    import transformers

    kind = getattr(transformers, architecture, None)
    if kind is None:
        return None
    try:
        with unsaid(), torch.device("meta"):
            network = kind._from_config(config)
    except Exception:  # a configuration that no network can be made of says so itself when weights load
        return None
    return int(network.num_parameters())
