"""Encoders without a head, such as sentence-transformers: what gives texts the vectors they are compared by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from transformers import AutoModel, AutoTokenizer

from probes.core.answers import Floats
from probes.core.examples import Text
from probes.core.model import Capability
from probes.model import device as devices
from probes.model.asking import Asking, distinct_of
from probes.model.cache import AnswerCache
from probes.model.checkpoint import fingerprint
from probes.model.failures import loading
from probes.model.forward import Forward
from probes.model.parts import assemble
from probes.model.tokens import Encoder

LONGEST = 512
BUDGET = 4096
"""Tokens in a batch, padding included."""


@dataclass(frozen=True)
class EncoderCard:
    """What is known of an encoder from its folder alone."""

    name: str
    source: str
    revision: str | None
    fingerprint: str


def describe_encoder(source: str, *, revision: str | None = None) -> EncoderCard:
    """The card of an encoder, with a head or without. Loads no weights.

    Raises:
        UsageError: no such model.
        ModelError: a folder that is broken.
    """
    parts = assemble(source, revision=revision)
    place = parts.place
    return EncoderCard(place.name, source, place.revision, fingerprint(parts.digests(code=False)))


@dataclass(frozen=True)
class BareEncoder:
    """A loaded encoder; nothing of what it answers is kept on disk."""

    asking: Asking
    encoder: Encoder

    def embed(self, texts: Sequence[Text]) -> Floats:
        """(n, width): mean of the last hidden states over each text's tokens, special tokens included."""
        position, distinct = distinct_of(texts)
        sequences = self.encoder.encode(distinct)
        widths = np.full(len(sequences), self.asking.forward.width)
        rows = self.asking.rows(sequences, Capability.EMBED, widths=widths, costs=sequences.lengths)
        return rows[position].astype(np.float64)


def load_encoder(card: EncoderCard, *, device: str = "auto") -> BareEncoder:
    """The encoder with its weights, in float32.

    Raises:
        ModelError: it cannot be loaded.
    """
    folder = str(assemble(card.source, revision=card.revision).place.folder)
    place = devices.choose(device)
    with loading(card.source):
        network = AutoModel.from_pretrained(folder, use_safetensors=True, trust_remote_code=False, dtype="float32")
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    limit = min(
        LONGEST, int(tokenizer.model_max_length), int(getattr(network.config, "max_position_embeddings", LONGEST))
    )
    encoder = Encoder(tokenizer, max_length=limit, token_types="token_type_ids" in tokenizer.model_input_names)
    forward = Forward(
        network=network.eval().to(place), device=place, pad=int(tokenizer.pad_token_id or 0), limit=BUDGET
    )
    cache, scope = AnswerCache.open(None), card.fingerprint[:32].encode()
    return BareEncoder(Asking(forward=forward, cache=cache, scope=scope, dtype="float32", budget=BUDGET), encoder)
