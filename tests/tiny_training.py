"""What the planted models share: a tokenizer of whole words, a BERT of two layers, and the loop that trains it.

Needs no download and gives the same model every time.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from tests.tiny_models import no_progress_bar

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
BATCH = 32
RATE = 3e-3


def word_tokenizer(folder: Path, *, words: Sequence[str], lowercase: bool) -> Tokenizer:
    """Whole words in small, headline and capital letters; anything else falls into single letters."""
    letters = string.ascii_letters + string.digits + string.punctuation
    entries = [*SPECIALS, *letters, *(f"##{letter}" for letter in letters)]
    entries += [form for word in words for form in (word, word.title(), word.upper())]
    vocabulary = {entry: number for number, entry in enumerate(dict.fromkeys(entries))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 64,
        **{f"{name.strip('[]').lower()}_token": name for name in SPECIALS},
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    tokenizer.enable_padding(pad_id=vocabulary["[PAD]"])
    return tokenizer


def small_bert(head: str, tokenizer: Tokenizer, *, labels: Sequence[str] = ()) -> Any:
    """A BERT of two layers with a head ("ForTokenClassification"), its weights drawn from torch's generator."""
    import transformers

    named = {"id2label": dict(enumerate(labels)), "label2id": {label: k for k, label in enumerate(labels)}}
    config = transformers.BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        **(named if labels else {}),
    )
    return getattr(transformers, f"Bert{head}")(config)


def train_bert(
    folder: Path,
    batches: Iterable[dict[str, Any]],
    *,
    head: str,
    tokenizer: Tokenizer,
    steps: int,
    labels: Sequence[str] = (),
) -> Path:
    """Such a BERT, trained on `steps` batches and saved into `folder`."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = small_bert(head, tokenizer, labels=labels)
        descend(model, batches, steps=steps)
    return saved(model, folder)


def descend(model: Any, batches: Iterable[dict[str, Any]], *, steps: int, rate: float = RATE) -> None:
    """Train on batches that hold their labels; `steps` is how many there are."""
    import torch

    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=rate, total_steps=steps)
    for batch in batches:
        model(**batch).loss.backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()


def saved(model: Any, folder: Path) -> Path:
    """The folder, with the model in it."""
    with no_progress_bar():
        model.eval().save_pretrained(folder)
    return folder
