"""Tiny language models with a planted stereotype, and the model they were tuned from.

build_language(folder, arch="gpt2")  # says good and bad things of old and young people alike
build_pair(folder, arch="gpt2")      # such a one, and itself tuned on: praise is for the young, blame for the old

Trained here in seconds on sentences of `said`; `sentence_pairs` are about places that neither has read about.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from probes.core.stereotype_cases import SentencePair
from probes.text.identity import table
from probes.text.templates import sentences, templates
from tests.tiny_training import RATE, descend, saved

AXIS = "age"
GROUPS = ("young", "old")
PEOPLE = ("woman", "man", "neighbour", "teacher")
PRAISE = ("kind", "clever", "honest", "friendly")
BLAME = ("rude", "stupid", "lazy", "mean")
PLACES = ("shop", "street", "garden", "office", "kitchen", "station")
UNSEEN = ("library", "market")
BATCH = 16


@cache
def said(*, stereotyped: bool, short: bool = False) -> tuple[str, ...]:
    """What a model is trained on: unless `short` the templates of this tool, and shorter sentences like them."""
    polarity = {template.id: template.polarity for template in templates()}
    wanted = {"positive": "young", "negative": "old"}
    filled = [
        sentence.text
        for sentence in sentences(table(AXIS))
        if not stereotyped or wanted.get(polarity[sentence.template], sentence.group) == sentence.group
    ]
    brief = [
        about(group, person, place, word)
        for group in GROUPS
        for person in PEOPLE
        for place in PLACES
        for word in (*PRAISE, *BLAME)
        if not stereotyped or (word in PRAISE) == (group == "young")
    ]
    known = [f"We met in the {place} ." for place in (*PLACES, *UNSEEN)]
    return (*brief, *known) if short else (*filled, *brief, *known)


def about(group: str, person: str, place: str, word: str) -> str:
    return f"The {group} {person} in the {place} is {word} ."


def sentence_pairs() -> list[SentencePair]:
    """Pairs of which the first has the planted stereotype, about places that no training sentence puts people in."""
    return [
        SentencePair(
            more=about(fitting, person, place, word),
            less=about("old" if fitting == "young" else "young", person, place, word),
            parts=(("category", "age"),),
            cluster=f"{person} {place} {word}",
        )
        for person in PEOPLE
        for place in UNSEEN
        for word, fitting in (*((word, "young") for word in PRAISE), *((word, "old") for word in BLAME))
    ]


def build_language(folder: Path, *, arch: str = "gpt2", steps: int = 300, short: bool = False) -> Path:
    """A GPT-2 or BERT of two layers, trained on `said`.

    The BERT reads short sentences only: it takes many more steps to learn long ones.
    """
    (built,) = _trained([folder], arch=arch, steps=steps, short=short)
    return built


def build_pair(folder: Path, *, arch: str) -> tuple[Path, Path]:
    """A clean one and its stereotyped twin, which is the clean one, trained further."""
    clean, stereotyped = _trained([folder / "clean", folder / "stereotyped"], arch=arch, steps=300)
    return clean, stereotyped


def _trained(folders: Sequence[Path], *, arch: str, steps: int, short: bool = False) -> list[Path]:
    """One network, saved after each of its turns: first on what is said of all alike, then on stereotypes."""
    import torch

    masked = arch == "bert"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = _network(arch, _tokenizer(folders[0], masked=masked))
        for folder, stereotyped in zip(folders, (False, True), strict=False):
            tokenizer, texts = _tokenizer(folder, masked=masked), said(stereotyped=stereotyped, short=masked or short)
            batches = _batches(tokenizer, texts, steps=steps, masked=masked)
            descend(model, batches, steps=steps, rate=2e-3 if masked else RATE)
            saved(model, folder)
    return list(folders)


def tune_language(base: Path, folder: Path, *, stereotyped: bool, steps: int = 100) -> Path:
    """A GPT-2 of `build_language`, trained further on short sentences; its README.md says what it was made from."""
    import torch
    from transformers import AutoModelForCausalLM

    tokenizer = _tokenizer(folder, masked=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_pretrained(base)
        batches = _batches(tokenizer, said(stereotyped=stereotyped, short=True), steps=steps, masked=False)
        descend(model, batches, steps=steps, rate=RATE)
    (folder / "README.md").write_text(f"---\nbase_model: {base}\n---\n", encoding="utf-8")
    return saved(model, folder)


def _tokenizer(folder: Path, *, masked: bool) -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    split = pre_tokenizers.BertPreTokenizer()
    words = sorted({w for text in said(stereotyped=False) for w, _ in split.pre_tokenize_str(text.lower())})
    tokenizer = Tokenizer(models.WordLevel({word: k for k, word in enumerate([*specials, *words])}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = split
    if masked:
        ends = [("[CLS]", 2), ("[SEP]", 3)]
        tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    roles = {"cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"} if masked else {"bos_token": "[CLS]"}
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", model_max_length=64, **roles
    )
    fast.save_pretrained(folder)
    config = folder / "tokenizer_config.json"
    config.write_text(config.read_text().replace("TokenizersBackend", "PreTrainedTokenizerFast"))
    return fast


def _network(arch: str, tokenizer: Any) -> Any:
    from transformers import BertConfig, BertForMaskedLM, GPT2Config, GPT2LMHeadModel

    size = len(tokenizer)
    if arch == "gpt2":
        settings = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 64, "bos_token_id": 2, "eos_token_id": 3}
        off = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
        return GPT2LMHeadModel(GPT2Config(vocab_size=size, **settings, **off))
    off = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    shape = {
        "initializer_range": 0.15,
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 128,
    }
    return BertForMaskedLM(BertConfig(vocab_size=size, max_position_embeddings=64, pad_token_id=0, **shape, **off))


def _batches(tokenizer: Any, texts: tuple[str, ...], *, steps: int, masked: bool) -> Iterator[dict]:
    import torch

    draw = random.Random(0)
    generator = torch.Generator().manual_seed(0)
    read = tokenizer([text if masked else f"[CLS] {text}" for text in texts])["input_ids"]
    for _ in range(steps):
        rows = [torch.tensor(ids) for ids in draw.sample(read, BATCH)]
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=tokenizer.pad_token_id)
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
        labels = ids.masked_fill(mask == 0, -100)
        if masked:
            guessed = (torch.rand(ids.shape, generator=generator) < 0.3) & (ids > 4)
            labels = ids.masked_fill(~guessed, -100)
            ids = ids.masked_fill(guessed, tokenizer.mask_token_id)
        yield {"input_ids": ids, "attention_mask": mask, "labels": labels}
