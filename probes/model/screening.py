"""The same classifier in a narrower type: faster, and near enough to say which texts are worth a second look."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from probes.core.answers import SEQUENCE_HEADS
from probes.model import last_layer, packed
from probes.model.batching import Batch
from probes.model.forward import Forward

if TYPE_CHECKING:
    from probes.model.engine import TransformersModel

DTYPE = "bfloat16"
TRIAL = ("The quick brown fox jumps over the lazy dog, twice.", "A fox.")
"""A long text and a short one, to see how the network treats tokens."""


def screened(model: TransformersModel) -> TransformersModel | None:
    """The model with its weights rounded to DTYPE, and answers kept apart from its own; None where that gains nothing.

    It takes half the memory of a model in float32 more; what it is asked counts as asked of the model. Only classifiers
    of whole texts in float32 are screened.
    """
    if model.dtype != "float32" or model.card.problem not in SEQUENCE_HEADS or model.card.quantisation is not None:
        return None
    network = copy.deepcopy(model.forward.network).to(getattr(torch, DTYPE))
    forward = Forward(network=network, device=model.forward.device, pad=model.forward.pad, limit=model.forward.limit)
    forward.projection = last_layer.find(network, *forward.inputs(Batch(model.encoder.encode(TRIAL))))
    forward.packed = packed.find(network, read=model.encoder.encode, inputs=forward.inputs, moved=forward.moved)
    return replace(
        model,
        forward=forward,
        dtype=DTYPE,
        scope=hashlib.blake2b(f"screen {DTYPE} {forward.way}".encode(), digest_size=32, key=model.scope).digest(),
    )
