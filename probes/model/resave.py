"""A GGUF file as an ordinary Hugging Face folder, which loads without unpacking and without further packages."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from probes.model.gguf import quietly
from probes.model.load import load


def resave(file: Path, out: Path) -> None:
    """Write the language model of a GGUF file to the folder `out`: config, float32 weights as safetensors, tokenizer.

    The weights stay the rounded ones of the file; float32 holds rounded numbers times their scales exactly.

    Raises:
        ModelError: the file is damaged, no causal language model, or packages to read it are missing.
    """
    model = load(str(file), device="cpu", dtype="float32")
    with quietly():
        _plain(model.forward.network).save_pretrained(out)
    model.encoder.tokenizer.save_pretrained(out)


def _plain(network: Any) -> Any:
    """The same weights in a network that does not know it was read from GGUF: such a one refuses to be saved."""
    config = deepcopy(network.config)
    config.__dict__.pop("quantization_config", None)
    config.use_cache = True
    with torch.device("meta"):
        plain = AutoModelForCausalLM.from_config(config)
    plain.load_state_dict(network.state_dict(), assign=True)
    plain.tie_weights()
    return plain
