"""What a plan will cost, without loading a weight: arithmetic of the model against a short timing of this machine."""

from __future__ import annotations

from collections.abc import Sequence

from probes.core.examples import Text
from probes.core.model import ModelCard

EFFICIENCY = 0.6
"""Share of matrix-product speed that a transformer forward reaches; measured between 0.5 and 0.9."""
WORDPIECES = 1.35
"""Tokens for each word of ordinary English, special tokens aside."""
HOST_SECONDS = 1e-4
"""For each text outside the model: perturbing, tokenizing, caching, counting. All that a tiny model costs."""


def seconds_per_text(card: ModelCard, texts: Sequence[Text], *, device: str) -> float:
    """Estimated seconds for one model call on texts like these.

    A forward pass takes about 2 floating-point operations for each parameter and token (Kaplan et al. 2020,
    arXiv:2001.08361), the embedding table aside, which is looked up.
    """
    from probes.model.timing import matrix_product_flops

    words = sum(len(part.split()) for text in texts for part in ((text,) if isinstance(text, str) else text))
    tokens = min(card.max_length, WORDPIECES * words / max(1, len(texts)) + 2)
    operations = 2 * (card.parameters - card.embedding_parameters) * tokens
    return HOST_SECONDS + operations / (EFFICIENCY * matrix_product_flops(device=device, dtype=card.dtype))
