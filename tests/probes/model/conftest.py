"""Tiny saved models, each built once, and reference answers by plain transformers."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tiny_models import MAX_LENGTH, SENTENCES, build

TEXTS = [
    *SENTENCES,
    *(sentence.upper() for sentence in SENTENCES),
    *(SENTENCES[0][:length] for length in range(1, 60, 3)),
    " ".join(SENTENCES),  # longer than the model reads
    "naïve Σίσυφος 東京 e\u0301 👍🏽 [SEP] <mask>",
    "two  spaces, a\ttab\nand a line ",
]
PAIRS = [(a, b) for a in SENTENCES[:4] for b in SENTENCES[3:]] + [(" ".join(SENTENCES), "A good film."), ("a", "b")]

Builder = Callable[..., Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """transformers 4 still scripts parts of DeBERTa and ModernBERT when it imports them."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning"))


def different_texts(n: int) -> list[str]:
    """n texts that no tokenizer here takes for one another: words of SENTENCES in random order."""
    words = sorted({word for sentence in SENTENCES for word in sentence.lower().split() if word.isalpha()})
    draw = random.Random(0)
    return [" ".join(draw.sample(words, draw.randint(8, 24))) for _ in range(n)]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    """`tiny(arch, **settings)`: a saved tiny model; the same arguments give the same folder, so do not change it."""
    built: dict[str, Path] = {}

    def make(arch: str = "bert", **settings: Any) -> Path:
        key = repr((arch, sorted(settings.items())))
        if key not in built:
            built[key] = build(arch, tmp_path_factory.mktemp("models") / f"tiny-{arch}", **settings)
        return built[key]

    return make


@pytest.fixture
def own(tiny: Builder, tmp_path: Path) -> Builder:
    """Like `tiny`, but a copy that the test may damage."""

    def make(arch: str = "bert", **settings: Any) -> Path:
        return Path(shutil.copytree(tiny(arch, **settings), tmp_path / f"own-{arch}"))

    return make


_OPENED: dict[str, Any] = {}


def opened(folder: Path | str, *, cache: Any = None, budget: int | None = None, **settings: Any) -> Any:
    """As `load` on a CPU, for a folder of `tiny`: loaded once, and each caller gets a copy with a cache of its own.

    Tests that are about the loading call `load` itself.
    """
    from probes.model.cache import AnswerCache
    from probes.model.load import load

    key = repr((str(folder), sorted(settings.items())))
    if key not in _OPENED:
        _OPENED[key] = load(str(folder), device="cpu", **settings)
    whole = _OPENED[key]
    made = deepcopy(whole, {id(whole.cache): cache or AnswerCache.open(None), id(whole.card): whole.card})
    made.budget = made.forward.limit = budget or whole.budget
    return made


def reference(folder: Path, texts: Sequence[Any], *, max_length: int = MAX_LENGTH) -> np.ndarray:
    """Logits by transformers alone: one text at a time, no padding, float32."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    rows = []
    for text in texts:
        parts = (text,) if isinstance(text, str) else text
        inputs = tokenizer(*parts, truncation="longest_first", max_length=max_length, return_tensors="pt")
        with torch.inference_mode():
            rows.append(network(**inputs).logits[0].numpy())
    return np.array(rows)
