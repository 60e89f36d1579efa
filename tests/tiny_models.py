"""Tiny models with random weights, built in under a second and loadable by transformers 4.57 and 5.

folder = build("bert", tmp_path / "model", labels=("negative", "positive"))
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SENTENCES = (
    "The film was good and the music was lovely, but the story was weak.",
    "I don't think this hotel is worth the price they ask for a room.",
    "A superb meal, served late by friendly people in a small town.",
    "My phone broke after 12 days and nobody answered my 3 letters!",
    "She read the book twice; he didn't finish it once.",
    "What an awful, dull, poor lesson: two hours we will never get back.",
    "The train to the city was fine, the tea on board was not great.",
    "GOOD BAD Good Bad good bad great awful lovely dull superb poor fine weak",
)
WORDPIECE = ("bert", "distilbert", "electra", "albert", "deberta-v2", "modernbert")
BYTE_BPE = ("roberta", "gpt2", "llama", "xlm-roberta")
ARCHITECTURES = (*WORDPIECE, *BYTE_BPE)
CAUSAL = ("gpt2", "llama")
SEQ2SEQ = ("t5", "bart")
"""Built with `language` only."""
CHAT = (
    "{% for message in messages %}<s>{{ message['role'] }}: {{ message['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant:{% endif %}"
)
TOKEN_TYPES = ("bert", "electra", "albert")
MAX_LENGTH = 64

_SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": MAX_LENGTH,
    "initializer_range": 0.3,
}
_ROBERTA = _SMALL | {"max_position_embeddings": MAX_LENGTH + 2, "type_vocab_size": 1}
_CONFIGS: dict[str, dict[str, Any]] = {
    "bert": _SMALL,
    "electra": _SMALL | {"embedding_size": 16},
    "albert": _SMALL | {"embedding_size": 16, "classifier_dropout_prob": 0.0},
    "distilbert": {
        "dim": 32,
        "n_layers": 2,
        "n_heads": 4,
        "hidden_dim": 48,
        "max_position_embeddings": MAX_LENGTH,
        "initializer_range": 0.3,
    },
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "deberta-v2": _SMALL
    | {
        "relative_attention": True,
        "pos_att_type": ["p2c", "c2p"],
        "position_biased_input": False,
        "type_vocab_size": 0,
    },
    "modernbert": _SMALL | {"global_attn_every_n_layers": 2, "local_attention": 16, "initializer_cutoff_factor": 2.0},
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": MAX_LENGTH, "initializer_range": 0.3},
    "llama": _SMALL | {"num_key_value_heads": 2},
    "t5": {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4, "initializer_factor": 1.0},
    "bart": {
        "d_model": 32,
        **{f"{side}_layers": 2 for side in ("encoder", "decoder")},
        **{f"{side}_attention_heads": 4 for side in ("encoder", "decoder")},
        **{f"{side}_ffn_dim": 48 for side in ("encoder", "decoder")},
        "max_position_embeddings": MAX_LENGTH,
        "init_std": 0.3,
    },
}


def build(
    arch: str,
    folder: Path,
    *,
    labels: Sequence[str] = ("negative", "positive"),
    problem_type: str | None = None,
    dtype: str = "float32",
    seed: int = 0,
    config: dict[str, Any] | None = None,
    tagger: bool = False,
    reader: bool = False,
    language: bool = False,
    chat: str | None = None,
) -> Path:
    """Save a sequence classifier of `arch` (one of ARCHITECTURES) with its tokenizer into `folder`.

    `config` overrides settings of the tiny configuration; with `tagger` it classifies tokens instead, with `reader` it
    finds answers in a context, with `language` it is a language model: causal, masked or with an encoder. GPT-2 and
    Llama get no padding token, as in the wild. `chat` is a template for conversations, such as CHAT.
    """
    import torch
    import transformers
    from transformers import AutoConfig

    lm = "CausalLM" if arch in CAUSAL else "Seq2SeqLM" if arch in SEQ2SEQ else "MaskedLM"
    asked = {"TokenClassification": tagger, "QuestionAnswering": reader, lm: language}
    head = next((name for name, wanted in asked.items() if wanted), "SequenceClassification")
    kind = getattr(transformers, f"AutoModelFor{head}")
    tokenizer = save_tokenizer(arch, folder, chat=chat)
    names = dict(enumerate(labels))
    settings = _CONFIGS[arch] | _special_ids(arch, tokenizer)
    settings |= {
        "vocab_size": tokenizer.get_vocab_size(),
        "id2label": names,
        "label2id": {name: index for index, name in names.items()},
        "problem_type": problem_type,
    }
    settings |= config or {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = kind.from_config(AutoConfig.for_model(arch, **settings))
        model = model.to(getattr(torch, dtype)).eval()
    if arch == "bart":  # as the published ones
        model.generation_config.update(forced_bos_token_id=tokenizer.token_to_id("<s>"))
    with no_progress_bar():
        model.save_pretrained(folder)
    return folder


@contextmanager
def no_progress_bar() -> Iterator[None]:
    """Saving shows none."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    yield
    if shown:
        logging.enable_progress_bar()


def save_tokenizer(arch: str, folder: Path, *, chat: str | None = None) -> Tokenizer:
    """Train the tokenizer of `arch` on SENTENCES and save it in the form both transformers lines read."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _wordpiece() if arch in WORDPIECE else _byte_bpe(arch)
    tokenizer.save(str(folder / "tokenizer.json"))
    inputs = (
        ["input_ids", "token_type_ids", "attention_mask"] if arch in TOKEN_TYPES else ["input_ids", "attention_mask"]
    )
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",  # transformers 5 alone would write a name that 4 does not know
        "model_max_length": MAX_LENGTH,
        "model_input_names": inputs,
    }
    settings |= {} if chat is None else {"chat_template": chat}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | _special_tokens(arch)))
    return tokenizer


def _wordpiece() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece({name: k for k, name in enumerate(_pieces())}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def _pieces() -> Iterator[str]:
    """A vocabulary in which every word of SENTENCES is whole and any other one is spelt in halves and letters.

    Not trained: the trainer of WordPiece breaks ties otherwise in every process, and a test would see another model in
    every run.
    """
    split = pre_tokenizers.BertPreTokenizer()
    words = sorted({word for text in SENTENCES for word, _ in split.pre_tokenize_str(text.lower())})
    letters = sorted(set("".join(words)))
    long = [(word, len(word) // 2) for word in words if len(word) > 3]
    halves = {half for word, middle in long for half in (word[:middle], f"##{word[middle:]}")}
    yield from ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    yield from letters
    yield from (f"##{letter}" for letter in letters)
    yield from sorted({*words, *halves} - set(letters))


def _byte_bpe(arch: str) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=list(_byte_bpe_specials(arch)),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    if arch != "gpt2":
        single, pair = _FRAMES.get(arch, ("<s> $A </s>", "<s> $A </s> </s> $B </s>"))
        names = ("</s>",) if arch == "t5" else ("<s>", "</s>")
        named = [(name, tokenizer.token_to_id(name)) for name in names]
        tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=named)
    return tokenizer


_FRAMES = {"llama": ("<s> $A", "<s> $A <s> $B"), "t5": ("$A </s>", "$A </s> $B </s>")}


def _byte_bpe_specials(arch: str) -> Iterator[str]:
    if arch == "gpt2":
        yield "<|endoftext|>"
    elif arch == "llama":
        yield from ("<unk>", "<s>", "</s>")
    elif arch == "t5":
        yield from ("<pad>", "</s>", "<unk>")
    else:
        yield from ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


def _special_tokens(arch: str) -> dict[str, str]:
    if arch in WORDPIECE:
        return {
            "pad_token": "[PAD]",
            "unk_token": "[UNK]",
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
            "mask_token": "[MASK]",
        }
    if arch == "gpt2":
        return dict.fromkeys(("unk_token", "bos_token", "eos_token"), "<|endoftext|>")
    if arch == "llama":
        return {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    if arch == "t5":
        return {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    return {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "mask_token": "<mask>"}


def _special_ids(arch: str, tokenizer: Tokenizer) -> dict[str, int]:
    roles = ("pad_token", "bos_token", "eos_token", "cls_token", "sep_token")
    named = {role: name for role, name in _special_tokens(arch).items() if role in roles}
    if arch == "modernbert":
        named |= {"bos_token": "[CLS]", "eos_token": "[SEP]"}
    if arch == "t5":
        named |= {"decoder_start_token": "<pad>"}
    if arch == "bart":
        named |= {"decoder_start_token": "</s>"}
    return {f"{role}_id": tokenizer.token_to_id(name) for role, name in named.items()}
