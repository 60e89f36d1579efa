"""A tagger, a classifier of pairs and a language model with its base, fine-tuned on public data in minutes of CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
)

from audits.demo.sources import encoder_folder
from probes.core.rng import derive
from probes.model.finetune import Recipe, learning_rate, length_bucketed

IGNORED = -100
"""The label of a token that counts for nothing, as torch's cross entropy has it."""
TAGGER = Recipe(epochs=2, learning_rate=3e-4, frozen_layers=3, max_length=96)
PAIRS = Recipe(learning_rate=1e-4, frozen_layers=4)
BASE = Recipe(learning_rate=2e-3, batch_size=16, max_length=96)
TUNED = replace(BASE, learning_rate=1e-3)

Item = dict[str, Any]
"""What the tokenizer made of a text, with its `labels`: one number, or one for each token."""


def train_tagger(
    words: Sequence[Sequence[str]], tags: Sequence[Sequence[int]], *, labels: Sequence[str], out: Path
) -> Path:
    """MiniLM with a head that labels the first token of each word; kept when it is there already."""
    if (out / "config.json").exists():
        return out
    tokenizer = AutoTokenizer.from_pretrained(encoder_folder())
    items = [_tagged(tokenizer, each, of) for each, of in zip(words, tags, strict=True)]
    torch.manual_seed(TAGGER.seed)
    model = AutoModelForTokenClassification.from_pretrained(encoder_folder(), **_named(labels))
    return _fitted(model, tokenizer, items, TAGGER, out)


def train_pairs(pairs: Sequence[tuple[str, str]], golds: Sequence[int], *, labels: Sequence[str], out: Path) -> Path:
    """MiniLM with a head, reading both texts of a pair, of which the second is cut; kept when it is there already."""
    if (out / "config.json").exists():
        return out
    tokenizer = AutoTokenizer.from_pretrained(encoder_folder())
    read = [tokenizer(*pair, truncation="only_second", max_length=PAIRS.max_length) for pair in pairs]
    items = [{**each, "labels": gold} for each, gold in zip(read, golds, strict=True)]
    torch.manual_seed(PAIRS.seed)
    model = AutoModelForSequenceClassification.from_pretrained(encoder_folder(), **_named(labels))
    return _fitted(model, tokenizer, items, PAIRS, out)


def train_base(texts: Sequence[str], *, out: Path) -> Path:
    """A GPT-2 of three layers and its tokenizer, from nothing; kept when it is there already."""
    if (out / "config.json").exists():
        return out
    tokenizer = _byte_tokenizer(texts)
    end = tokenizer.eos_token_id
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=128, n_embd=128, n_layer=3, n_head=4, bos_token_id=end, eos_token_id=end
    )
    torch.manual_seed(BASE.seed)
    return _fitted(GPT2LMHeadModel(config), tokenizer, _written(tokenizer, texts, BASE), BASE, out)


def tune(base: Path, texts: Sequence[str], *, out: Path) -> Path:
    """The base, trained further; its README.md says what it was made from. Kept when it is there already."""
    if (out / "config.json").exists():
        return out
    tokenizer = AutoTokenizer.from_pretrained(base)
    torch.manual_seed(TUNED.seed)
    model = GPT2LMHeadModel.from_pretrained(base)
    _fitted(model, tokenizer, _written(tokenizer, texts, TUNED), TUNED, out)
    (out / "README.md").write_text(f"---\nbase_model: {base}\n---\n", encoding="utf-8")
    return out


def _tagged(tokenizer: Any, words: Sequence[str], tags: Sequence[int]) -> Item:
    read = tokenizer(list(words), is_split_into_words=True, truncation=True, max_length=TAGGER.max_length)
    places = read.word_ids()
    first = [place is not None and place not in places[:k] for k, place in enumerate(places)]
    return {**read, "labels": [tags[p] if is_first else IGNORED for p, is_first in zip(places, first, strict=True)]}


def _written(tokenizer: Any, texts: Sequence[str], recipe: Recipe) -> list[Item]:
    """Each text between two marks of the end, as GPT-2 was trained; all tokens but the first are to be guessed."""
    end = tokenizer.eos_token
    read = [tokenizer(f"{end}{text}{end}", truncation=True, max_length=recipe.max_length) for text in texts]
    return [{**each, "labels": each["input_ids"]} for each in read]


def _byte_tokenizer(texts: Sequence[str], *, size: int = 3000) -> PreTrainedTokenizerFast:
    from tokenizers import ByteLevelBPETokenizer

    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(texts, vocab_size=size, special_tokens=["<|endoftext|>"], show_progress=False)
    end = "<|endoftext|>"
    return PreTrainedTokenizerFast(
        tokenizer_object=trained._tokenizer, bos_token=end, eos_token=end, unk_token=end, model_max_length=128
    )


def _named(labels: Sequence[str]) -> dict[str, Any]:
    names = dict(enumerate(labels))
    return {
        "num_labels": len(labels),
        "id2label": names,
        "label2id": {label: column for column, label in names.items()},
        "dtype": torch.float32,
    }


def _fitted(model: Any, tokenizer: Any, items: Sequence[Item], recipe: Recipe, out: Path) -> Path:
    """Train on all items and save; the last bits of the weights depend on the machine."""
    torch.set_num_threads(recipe.threads)
    for layer in _frozen(model, recipe):
        layer.requires_grad_(False)
    model.train()
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), weight_decay=recipe.weight_decay)
    lengths = [len(item["input_ids"]) for item in items]
    batches = [
        batch
        for epoch in range(recipe.epochs)
        for batch in length_bucketed(lengths, batch_size=recipe.batch_size, seed=recipe.seed, epoch=epoch)
    ]
    for step, batch in enumerate(batches):
        torch.manual_seed(derive(recipe.seed, "dropout", step) % 2**63)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, total=len(batches), recipe=recipe)
        model(**_padded([items[i] for i in batch], pad=tokenizer.pad_token_id or 0)).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        optimizer.step()
        optimizer.zero_grad()
    model.eval().save_pretrained(out)
    tokenizer.backend_tokenizer.no_truncation()  # the file format keeps the cut of the last call
    tokenizer.save_pretrained(out)
    return out


def _frozen(model: Any, recipe: Recipe) -> Sequence[Any]:
    """Embeddings and lowest layers of an encoder, as in `probes.model.finetune`; a GPT-2 learns all of itself."""
    encoder = getattr(model.base_model, "encoder", None)
    return [model.base_model.embeddings, *encoder.layer[: recipe.frozen_layers]] if encoder is not None else []


def _padded(items: Sequence[Item], *, pad: int) -> dict[str, torch.Tensor]:
    """One tensor for each part, filled up to the longest item."""
    fill = {"input_ids": pad, "labels": IGNORED}
    longest = max(len(item["input_ids"]) for item in items)

    def row(name: str, value: Any) -> Any:
        return [*value, *[fill.get(name, 0)] * (longest - len(value))] if isinstance(value, list) else value

    return {name: torch.tensor([row(name, item[name]) for item in items]) for name in items[0]}
