"""A tiny GPT-2 that learned some texts by heart, or others like them.

build_memory(folder, texts)    # trained here in seconds until it can say all of them

Needs no download and gives the same model every time.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.tiny_training import descend, saved

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
LONGEST = 64


def build_memory(folder: Path, texts: Sequence[str], *, words: Sequence[str], steps: int = 120) -> Path:
    """Trained on all texts at once, again and again."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    tokenizer = _tokenizer(folder, words)
    off = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    shape = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": LONGEST}
    config = GPT2Config(vocab_size=tokenizer.get_vocab_size(), bos_token_id=2, eos_token_id=3, **shape, **off)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = GPT2LMHeadModel(config)
        descend(model, _batches(tokenizer, texts, steps=steps), steps=steps, rate=5e-3)
    return saved(model, folder)


def _tokenizer(folder: Path, words: Sequence[str]) -> Any:
    """Whole words; digits and anything else in single signs."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    signs = string.ascii_letters + string.digits + string.punctuation
    entries = dict.fromkeys([*SPECIALS, *signs, *(f"##{sign}" for sign in signs), *words])
    tokenizer = Tokenizer(models.WordPiece({entry: k for k, entry in enumerate(entries)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 2)])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": LONGEST}
    # As GPT-2's own: transformers 4 would otherwise read token types, which the training had none of.
    settings["model_input_names"] = ["input_ids", "attention_mask"]
    roles = {"pad_token": "[PAD]", "unk_token": "[UNK]", "bos_token": "[CLS]", "eos_token": "[SEP]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | roles))
    return tokenizer


def _batches(tokenizer: Any, texts: Sequence[str], *, steps: int) -> Iterator[dict[str, Any]]:
    import torch

    rows = [[*tokenizer.encode(text).ids, 3] for text in texts]
    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    for _ in range(steps):
        yield {"input_ids": ids, "attention_mask": mask, "labels": ids.masked_fill(mask == 0, -100)}
