"""From a card to a model that answers: `load`."""

from __future__ import annotations

import hashlib

import torch
import transformers

from probes.core.answers import SEQUENCE_HEADS, ProblemType
from probes.core.errors import IntegrityError, UsageError
from probes.core.model import VLLM, ModelCard
from probes.core.precision import LOG_TOLERANCE, TOLERANCE
from probes.model import device as devices
from probes.model import last_layer
from probes.model import packed as packing
from probes.model.batching import Batch
from probes.model.cache import AnswerCache
from probes.model.card import DTYPES, describe
from probes.model.engine import TransformersModel
from probes.model.forward import Forward
from probes.model.left_to_right import sharing_is_exact
from probes.model.network import open_network
from probes.model.padding import TRIAL, left_padding_is_neutral, padding, padding_is_neutral, trial_of
from probes.model.parts import assemble
from probes.model.prompts import refuse_one_that_drops_messages
from probes.model.scoring import refuse_one_that_sees_ahead
from probes.model.tokenizer import open_encoder
from probes.model.tokens import Encoder
from probes.model.vllm_engine import QUEUE, Vllm, skeleton

BUDGET = {"cpu": 2048, "cuda": 65536, "mps": 16384}
"""Tokens in a batch, padding included. For the curve on a CPU see benchmarks/README.md."""


def load(
    card_or_source: ModelCard | str,
    *,
    device: str = "auto",
    dtype: str | None = None,
    cache: AnswerCache | None = None,
    budget: int | None = None,
    revision: str | None = None,
    allow_pickle: bool = False,
    trust_remote_code: bool = False,
    max_length: int | None = None,
    base: str | None = None,
    task: str | None = None,
) -> TransformersModel:
    """Load weights and tokenizer and return a model ready to be asked.

    Args:
        card_or_source: what `describe` returned (the folder must not have changed since), or a folder or Hub id.
        device: "auto" (CUDA, else MPS, else CPU), "cpu", "cuda", "cuda:1" or "mps".
        dtype: float32, bfloat16 or float16; by default the card's.
        cache: where answers are kept; by default in memory.
        budget: tokens in a batch (rows x longest).
        revision, allow_pickle, max_length, base, task: as for `describe`; a card already answers them.
        trust_remote_code: run Python code that comes with the model.

    Raises:
        UsageError: no such model or device.
        ModelError: the model is there but cannot be loaded, or not as it was trained (missing head or tokenizer).
        IntegrityError: the files are not those the card describes.
    """
    if dtype is not None and dtype not in DTYPES:
        raise UsageError(f"no dtype is called {dtype!r}", hint=f"use one of {', '.join(DTYPES)}")
    place = devices.choose(device)
    card = _card(
        card_or_source,
        revision=revision,
        allow_pickle=allow_pickle,
        trust_remote_code=trust_remote_code,
        max_length=max_length,
        base=base,
        task=task,
    )
    return _ready(
        card,
        place,
        dtype=dtype or card.dtype,
        cache=cache or AnswerCache.open(None),
        budget=budget or BUDGET[place.type] * (QUEUE if card.engine == VLLM else 1),
        trust_remote_code=trust_remote_code,
    )


def _ready(
    card: ModelCard, place: torch.device, *, dtype: str, cache: AnswerCache, budget: int, trust_remote_code: bool
) -> TransformersModel:
    forward, encoder = _opened(card, place, dtype=dtype, budget=budget, trust_remote_code=trust_remote_code)
    trial, question = trial_of(card, encoder, forward.network)
    if card.problem in SEQUENCE_HEADS:  # all others read every token to the end
        forward.projection = last_layer.find(forward.network, *forward.inputs(Batch(trial)))
        forward.packed = packing.find(forward.network, read=encoder.encode, inputs=forward.inputs, moved=forward.moved)
    exact = LOG_TOLERANCE[dtype]
    causal = card.problem is ProblemType.CAUSAL_LM
    if causal:
        refuse_one_that_sees_ahead(forward, trial, question, tolerance=exact, source=card.source)
    pads = padding_is_neutral(forward, trial, question, tolerance=TOLERANCE[dtype])
    alone = card.engine == VLLM or not (pads and causal)
    return TransformersModel(
        card=card,
        encoder=encoder,
        forward=forward,
        cache=cache,
        scope=_scope(card, dtype, place, way=forward.way),
        device=str(place),
        device_name=devices.describe(place),
        dtype=dtype,
        budget=budget,
        pads=pads,
        shares=not alone and sharing_is_exact(forward, encoder, tolerance=exact),
        pads_left=left_padding_is_neutral(card, forward, encoder, tolerance=exact),
    )


def _opened(
    card: ModelCard, place: torch.device, *, dtype: str, budget: int, trust_remote_code: bool
) -> tuple[Forward, Encoder]:
    """The network and what it reads."""
    parts = assemble(
        card.source,
        revision=card.revision,
        base=card.base,
        base_revision=card.base_revision,
        allow_pickle=card.weights_format == "pickle",
        trust_remote_code=trust_remote_code,
    )
    if card.engine == VLLM:
        network = skeleton(parts)
    else:
        network = open_network(card, parts, place, dtype=dtype, trust_remote_code=trust_remote_code)
    encoder = open_encoder(card, parts, network, trust_remote_code=trust_remote_code)
    if card.chat:  # a template that fails is told of now, not in the middle of an audit
        refuse_one_that_drops_messages(encoder.tokenizer, TRIAL)
    pad = padding(network, encoder)
    if card.engine == VLLM:
        return Vllm.of(card, parts, network, place, dtype=dtype, pad=pad, limit=budget), encoder
    return Forward(network=network, device=place, pad=pad, limit=budget), encoder


def _card(
    card_or_source: ModelCard | str,
    *,
    revision: str | None,
    allow_pickle: bool,
    trust_remote_code: bool,
    max_length: int | None,
    base: str | None,
    task: str | None,
) -> ModelCard:
    if isinstance(card_or_source, str):
        return describe(
            card_or_source,
            revision=revision,
            allow_pickle=allow_pickle,
            trust_remote_code=trust_remote_code,
            max_length=max_length,
            base=base,
            task=task,
        )
    card = card_or_source
    now = describe(
        card.source,
        revision=card.revision,
        base=card.base,
        base_revision=card.base_revision,
        allow_pickle=card.weights_format == "pickle",
        trust_remote_code=trust_remote_code,
        dtype=card.dtype,
        task=card.task,
    )
    if now.fingerprint != card.fingerprint:
        raise IntegrityError(
            f"the files of {card.source} have changed since the model was described",
            hint="start a new audit: this one is about a model that is no longer there",
        )
    return card


def _scope(card: ModelCard, dtype: str, device: torch.device, *, way: str | None) -> bytes:
    """What an answer depends on besides question and tokens: a change of any of these gives another one."""
    versions = [
        version.rpartition(".")[0] for version in (torch.__version__.partition("+")[0], transformers.__version__)
    ]
    parts = [card.fingerprint, dtype, device.type, *versions, str(card.max_length)]
    # The last bits differ from one way to another.
    parts += [] if way is None else [way]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=32).digest()
