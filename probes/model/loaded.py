"""A loaded network with its tokenizer, asked about texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probes.core.examples import Text
from probes.core.model import Capability, ModelCard
from probes.model.asking import Asking, Rows, distinct_of
from probes.model.tokens import Encoder


@dataclass(kw_only=True)
class Loaded(Asking):
    """A network with what turns texts into its tokens.

    Attributes:
        card: what was loaded.
        device, device_name: where it runs.
    """

    card: ModelCard
    encoder: Encoder
    device: str
    device_name: str

    def _ask(self, texts: Sequence[Text], question: Capability, *, width: int) -> Rows:
        """(n, width) answers to one question about n texts, in their order."""
        position, distinct = distinct_of(texts)
        sequences = self.encoder.encode(distinct)
        rows = self.rows(sequences, question, widths=np.full(len(sequences), width), costs=sequences.lengths)
        self.counters.asked += len(texts)
        return rows[position].reshape(len(texts), width)
