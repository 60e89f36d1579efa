"""Taggers: the answer to each word is that of transformers alone at the word's first token."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest

from probes.core.answers import ProblemType
from probes.core.errors import DataError, ModelError
from probes.core.model import Capability
from probes.core.taggings import Taggings, named, settled, tagged_words
from probes.model.card import describe
from probes.model.load import load
from probes.model.tokens import Encoder
from tests.probes.model.conftest import TEXTS, opened
from tests.tiny_models import ARCHITECTURES, BYTE_BPE, MAX_LENGTH, SENTENCES, build

pytestmark = pytest.mark.engine

TAGS = ("O", "B-person", "I-person", "B-place", "I-place")
WORDS = [" ".join(text.split()) for text in TEXTS]


@pytest.fixture(scope="module")
def tagger(tmp_path_factory):
    built = {}

    def make(arch="bert", **settings):
        key = repr((arch, sorted(settings.items())))
        if key not in built:
            folder = tmp_path_factory.mktemp("taggers") / arch
            built[key] = build(arch, folder, labels=TAGS, tagger=True, **settings)
        return built[key]

    return make


@cache
def loaded(folder):
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    return tokenizer, AutoModelForTokenClassification.from_pretrained(folder, dtype=torch.float32).eval()


def by_transformers(folder, text, *, max_length=MAX_LENGTH):
    """(words, labels) by transformers alone, one text at a time; the words handed over one by one, except to byte-level
    tokenizers, which want the blank before a word and refuse single words without it."""
    import torch

    tokenizer, network = loaded(folder)
    words = text.split()
    how = {"truncation": True, "max_length": max_length, "return_tensors": "pt"}
    if folder.name in BYTE_BPE:
        inputs = tokenizer(text, return_offsets_mapping=True, **how)
        offsets = inputs.pop("offset_mapping")[0].tolist()
        word_at = np.cumsum([character == " " for character in text])
        owners = [None if a == b else int(word_at[min(a + (text[a] == " "), b - 1)]) for a, b in offsets]
    else:
        inputs = tokenizer(words, is_split_into_words=True, **how)
        owners = inputs.word_ids()
    with torch.inference_mode():
        logits = network(**inputs).logits[0].numpy()
    rows = np.full((len(words), len(TAGS)), np.nan)
    for place in reversed(range(len(owners))):
        if owners[place] is not None:
            rows[owners[place]] = logits[place]
    return rows


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_answers_are_those_of_transformers(tagger, arch):
    folder = tagger(arch)
    found = load(str(folder)).tag(WORDS)
    assert len(found) == len(WORDS)
    for row, text in enumerate(WORDS):
        np.testing.assert_allclose(found.logits[found.words_of(row)], by_transformers(folder, text), atol=2e-5)
    long = found.words_of(WORDS.index(" ".join(SENTENCES)))
    assert found.read[long][:5].all()
    assert not found.read[long][-5:].any()  # cut off, and not called O


def test_blanks_of_any_kind_separate_words(tagger):
    model = opened(tagger())
    plain, odd = model.tag(["a good film"]), model.tag([" a\u00a0good \t\n film\u2003"])
    assert tagged_words(" a\u00a0good \t\n film\u2003") == ["a", "good", "film"]
    assert np.array_equal(plain.logits, odd.logits)


def test_a_word_of_which_the_tokenizer_leaves_nothing_is_not_read(tagger):
    found = opened(tagger()).tag(["a \u200b\u200b film", "\u200b"])
    assert found.read.tolist() == [True, False, True, False]
    assert found.tags(0)[1] is None
    assert found.tags(1) == [None]


def test_repeats_and_order_change_nothing_and_the_cache_answers(tagger):
    model = opened(tagger())
    first = model.tag(WORDS)
    model.take_counters()
    again = model.tag([*WORDS[::-1], WORDS[0]])
    counters = model.take_counters()
    assert counters.computed == 0
    assert counters.asked == len(WORDS) + 1
    backwards = again[np.arange(len(WORDS))[::-1]]
    assert np.array_equal(backwards.logits, first.logits, equal_nan=True)
    assert np.array_equal(backwards.starts, first.starts)


def test_no_text_at_all(tagger):
    found = opened(tagger()).tag([])
    assert len(found) == 0
    assert found.logits.shape == (0, len(TAGS))
    assert found.confidence.shape == (0,)


def test_small_batches_give_the_same(tagger):
    found, small = opened(tagger()).tag(WORDS), opened(tagger(), budget=70).tag(WORDS)
    np.testing.assert_allclose(found.logits, small.logits, atol=1e-5)


def test_a_tokenizer_without_offsets_is_asked_word_by_word(tagger):
    fast = opened(tagger()).encoder

    class Slow:
        is_fast = False

        def __init__(self, tokenizer):
            self.inner = tokenizer

        def __getattr__(self, name):
            return getattr(self.inner, name)

        def __call__(self, *args, **kwargs):
            return self.inner(*args, **kwargs)

        def tokenize(self, word, is_split_into_words=False):
            return self.inner.tokenize(word)

    slow = Encoder(Slow(fast.tokenizer), max_length=MAX_LENGTH, token_types=True)
    one, other = fast.encode_tagged(WORDS), slow.encode_tagged(WORDS)
    assert np.array_equal(one.ids, other.ids)
    assert np.array_equal(one.words, other.words)


def test_what_is_not_one_text_is_refused(tagger):
    with pytest.raises(DataError, match="not a pair"):
        opened(tagger()).tag([("a", "b")])


def test_card(tagger):
    card = describe(str(tagger("roberta")))
    assert card.problem is ProblemType.TOKEN
    assert card.task == "token-classification"
    assert card.labels == TAGS
    assert card.question is Capability.TAG
    assert card.capabilities == {Capability.TAG, Capability.TOKENIZE, Capability.EMBED, Capability.ATTRIBUTE}


def test_a_folder_without_its_head_is_refused(tmp_path):
    folder = build("bert", tmp_path / "m", labels=TAGS)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architectures": ["BertForTokenClassification"]}))
    # The head of a text classifier has the same names and shape; that of no classifier is missing.
    from safetensors.torch import load_file, save_file

    weights = {name: each for name, each in load_file(folder / "model.safetensors").items() if "classifier" not in name}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="weights it needs"):
        load(str(folder))


def test_speed_is_measured_by_tagging(tagger):
    assert opened(tagger()).throughput(WORDS).texts_per_second > 0


def taggings(*rows, tolerance=0.01):
    scores = np.array(rows, dtype=np.float64)
    return Taggings(logits=np.log(scores), starts=np.array([0, len(scores)]), labels=("O", "X"), tolerance=tolerance)


def test_changes_within_noise_are_settled_as_before():
    nan = float("nan")
    before = taggings((0.9, 0.1), (0.504, 0.496), (0.9, 0.1), (0.9, 0.1))
    after = taggings((0.1, 0.9), (0.2, 0.8), (0.496, 0.504), (nan, nan))
    assert named(settled(before, after), before.labels) == ["X", "O", "O", None]
    assert before.tied.tolist() == [False, True, False, False]
    assert after.read.tolist() == [True, True, True, False]
    assert after.tags(0) == ["X", "X", "X", None]
