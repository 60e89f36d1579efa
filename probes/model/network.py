"""The network of a checkpoint, with every one of its weights, as it was trained."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForMultipleChoice,
    AutoModelForQuestionAnswering,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)

from probes.core.answers import UNLABELLED_HEADS, ProblemType
from probes.core.errors import ModelError
from probes.core.model import ModelCard
from probes.model.adapter import applied
from probes.model.choices import one_at_a_time
from probes.model.failures import loading
from probes.model.gguf import quietly
from probes.model.parts import Parts
from probes.model.placement import device_map
from probes.model.quantised import refuse_unreadable


def open_network(card: ModelCard, parts: Parts, place: torch.device, *, dtype: str, trust_remote_code: bool) -> Any:
    """The network on a device, in this type, with the adapter of its parts, if there is one, on it.

    Raises:
        ModelError: weights are missing, or it has other labels than the card says.
    """
    refuse_unreadable(parts.raw, source=card.source)
    where = device_map(place=place, needed=parts.size(getattr(torch, dtype).itemsize), packed=parts.packed)
    with loading(card.source), quietly() if parts.gguf else nullcontext():
        network, report = _loader(card).from_pretrained(
            parts.body,
            # Named because the defaults of transformers 4 (float32) and 5 (as saved) differ.
            dtype=getattr(torch, dtype),
            use_safetensors=parts.weights.format == "safetensors",
            # Named because transformers asks on the terminal when it is not.
            trust_remote_code=trust_remote_code,
            local_files_only=True,
            output_loading_info=True,
            **parts.settings,
            **({} if where is None else {"device_map": where}),
        )
    _refuse_gaps(card, parts, report["missing_keys"])
    if parts.adapter is not None:
        network = applied(network, parts.adapter, merge=not parts.packed)
    if card.problem not in UNLABELLED_HEADS and network.config.num_labels != len(card.labels):
        raise ModelError(f"{card.source} loads with other labels than it declares", hint="repair id2label")
    if hasattr(network.config, "use_cache"):
        network.config.use_cache = False  # one forward per text: keys and values are never read again
    # No question asks for gradients of the weights.
    network = network.eval().requires_grad_(False)
    if card.task == "multiple-choice":
        one_at_a_time(network)
    return _moved(network, place, card) if where is None else network


def _refuse_gaps(card: ModelCard, parts: Parts, missing: Iterable[str]) -> None:
    """Weights that neither the files of the model nor those of its adapter hold."""
    brought = parts.adapter.tensors if parts.adapter else {}
    gaps = sorted(set(missing) - set(brought))
    if gaps:
        shown = ", ".join(gaps[:3]) + (" ..." if len(gaps) > 3 else "")
        whole = "give the folder of the fine-tuned model: this one was saved without its head"
        adapted = "the adapter was saved without its head, or its base is another one (--base)"
        raise ModelError(
            f"{card.source} lacks {len(gaps)} of the weights it needs ({shown}); they would be random numbers",
            hint=adapted if parts.adapter else whole,
        )


def _loader(card: ModelCard) -> Any:
    if card.task == "multiple-choice":
        return AutoModelForMultipleChoice
    return {
        ProblemType.TOKEN: AutoModelForTokenClassification,
        ProblemType.SPAN: AutoModelForQuestionAnswering,
        ProblemType.MASKED_LM: AutoModelForMaskedLM,
        ProblemType.CAUSAL_LM: AutoModelForCausalLM,
        ProblemType.SEQ2SEQ_LM: AutoModelForSeq2SeqLM,
    }.get(card.problem, AutoModelForSequenceClassification)


def _moved(network: Any, device: torch.device, card: ModelCard) -> Any:
    if device.type == "cuda":
        # TF32 would round float32 products to 10 bits.
        torch.set_float32_matmul_precision("highest")
    with loading(card.source):
        return network.to(device)
