"""What recipes want from the Hub, made here from the demonstration model instead, and given to both sides.

The words and their vectors are those of the model's table of embeddings, in its first principal directions. The masked
model has the same table for its embeddings and one layer of random weights: what it fills in is words near one another,
and no more than that. Neither is of any use but to see whether two programs do the same with it.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer, BertConfig, BertForMaskedLM

WIDTH = 32
"""Numbers of a vector."""
SPREAD = 0.35
"""Standard deviation of the masked model's embeddings, at which it is sure enough of some fifty words."""
NEVER = -30.0
"""Logit of what is no word or piece of one in small letters."""

TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")


@dataclass(frozen=True)
class StandIns:
    """Where they lie.

    Attributes:
        vectors: an .npz of words and vectors of length 1.
        word_model: a folder.
    """

    vectors: Path
    word_model: Path


def make(model: Path, folder: Path) -> StandIns:
    """Make both from a classifier of the BERT family, always the same."""
    found = StandIns(folder / "vectors.npz", folder / "word-model")
    tokenizer = AutoTokenizer.from_pretrained(model)
    table, pieces = _table(model), tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    words = [row for row, piece in enumerate(pieces) if len(piece) > 1 and piece.isascii() and piece.isalpha()]
    unit = table[words] / np.linalg.norm(table[words], axis=1, keepdims=True)
    np.savez(found.vectors, words=np.array([pieces[row] for row in words]), vectors=unit.astype(np.float32))
    network = _masked(table, spelt=[piece.removeprefix("##").isalpha() and piece.isascii() for piece in pieces])
    network.save_pretrained(found.word_model)
    for path in [path for path in model.iterdir() if path.name in TOKENIZER]:  # as they are, for either transformers
        shutil.copy(path, found.word_model)
    return found


def _table(model: Path) -> Any:
    """(vocabulary, WIDTH): the embeddings of the words, turned to their principal directions."""
    weights = load_file(model / "model.safetensors")
    (table,) = [value.double().numpy() for name, value in weights.items() if "word_embeddings" in name]
    table = table - table.mean(axis=0)
    _, directions = np.linalg.eigh(table.T @ table)
    found = table @ directions[:, ::-1][:, :WIDTH]
    return found / found.std()


def _masked(table: Any, *, spelt: list[bool]) -> BertForMaskedLM:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(table),
        hidden_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=2 * WIDTH,
        initializer_range=0.3,
    )
    network = BertForMaskedLM(config).eval()
    with torch.no_grad():
        network.get_input_embeddings().weight.copy_(torch.tensor(SPREAD * table))
        for bias in (network.cls.predictions.bias, network.cls.predictions.decoder.bias):  # one, or tied
            bias.copy_(torch.where(torch.tensor(spelt), 0.0, NEVER))
    return network
