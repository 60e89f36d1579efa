"""Which models can be asked through vLLM, and what their card then says; needs no vLLM."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch

from probes.core.answers import ProblemType
from probes.core.attributions import Method
from probes.core.errors import UsageError
from probes.core.model import VLLM, Capability, ModelCard

WITHHELD = {
    Capability.EMBED: "vLLM keeps no hidden states of a model that writes",
    Capability.ATTRIBUTE: "vLLM computes no gradients",
}
"""What cannot be asked through vLLM, and why."""
NOTE = (
    "It is asked through vLLM (--engine vllm). What is drawn at a temperature is not what the transformers engine "
    "draws from the same seed, and near ties may go the other way."
)
INSTEAD = "leave out --engine vllm"


def through_vllm(card: ModelCard, *, device: torch.device, trust_remote_code: bool) -> ModelCard:
    """The card of a model that is to be asked through vLLM.

    Raises:
        UsageError: a model or a device that this engine is not for.
    """
    refuse(_unfit(card, device, trust_remote_code=trust_remote_code))
    kept = card.capabilities - set(WITHHELD)
    return card.model_copy(
        update={
            "engine": VLLM,
            "capabilities": kept,
            "withheld": {each: why for each, why in WITHHELD.items() if each in card.capabilities},
            "unattributable": dict.fromkeys(Method, WITHHELD[Capability.ATTRIBUTE]),
            "notes": (*card.notes, NOTE),
        }
    )


def _unfit(card: ModelCard, device: torch.device, *, trust_remote_code: bool) -> Iterator[tuple[str, str]]:
    """What speaks against it, each with what to do."""
    head = card.problem if card.verbaliser is None else card.verbaliser.head
    if head is not ProblemType.CAUSAL_LM:
        yield f"--engine vllm is for causal language models, and this one is made for {card.task}", INSTEAD
    if card.base is not None:
        yield "--engine vllm does not put adapters on their base", "merge the adapter into its base, or " + INSTEAD
    if card.weights_format != "safetensors" or card.quantisation is not None:
        stored = card.quantisation or card.weights_format
        yield f"--engine vllm reads whole safetensors weights, and these are stored as {stored}", INSTEAD
    if trust_remote_code:
        yield "--engine vllm runs no code from a model's repository", "leave out --trust-remote-code, or " + INSTEAD
    if device.type not in ("cpu", "cuda"):
        yield f"--engine vllm does not run on {device.type}", "use --device cpu or cuda"
    if device.type == "cuda" and (device.index or 0) > 0:
        yield (
            f"--engine vllm takes the first CUDA device it sees, not {device}",
            f"set CUDA_VISIBLE_DEVICES={device.index} and use --device cuda",
        )


def refuse(reasons: Iterable[tuple[str, str]]) -> None:
    """Refuse for the first of the reasons, each with what to do, if there is one.

    Raises:
        UsageError: there is.
    """
    for message, hint in reasons:
        raise UsageError(message, hint=hint)
