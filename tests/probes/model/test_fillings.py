"""Blanks filled by masked language models, against the fill-mask pipeline of transformers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from transformers import AutoModelForMaskedLM, PreTrainedTokenizerFast, pipeline

from probes.core.fillings import BLANK
from probes.core.model import Capability
from probes.model.card import describe
from probes.model.fillings import word_ids
from probes.model.load import load
from tests.tiny_models import build

pytestmark = pytest.mark.engine

TEXTS = (
    f"the film was {BLANK}.",
    f"My phone is {BLANK}",
    f"{BLANK} read the book twice; he didn't finish it once.",
    "The music was lovely. " * 3 + f"But the story was {BLANK}, and the tea on board was not great.",
    f"the film was {BLANK}.",
)
WORDS = ("good", "bad", "unbelievably", "qqqq")


@pytest.fixture(scope="module", params=["bert", "roberta", "modernbert"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(request.param, tmp_path_factory.mktemp("fill") / request.param, language=True)


@pytest.fixture(scope="module")
def model(folder: Path):
    return load(str(folder), device="cpu")


@pytest.fixture(scope="module")
def reference(folder: Path):
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    return pipeline("fill-mask", model=AutoModelForMaskedLM.from_pretrained(folder), tokenizer=tokenizer, device="cpu")


def test_the_likeliest_tokens_are_those_of_the_pipeline(model, reference):
    found = model.fill(TEXTS, count=6)
    assert found.logs.shape == (len(TEXTS), 6)
    special = set(reference.tokenizer.all_special_tokens)
    for row, text in enumerate(TEXTS):
        expected = reference(text.replace(BLANK, reference.tokenizer.mask_token), top_k=6)
        assert np.exp(found.logs[row]) == pytest.approx([each["score"] for each in expected], rel=1e-4)
        for own, other in zip(found.generations.of(row), expected, strict=True):
            assert own == ("" if other["token_str"] in special else other["token_str"].strip())


def test_given_words_have_the_probabilities_of_the_pipeline(model, reference):
    found = model.fill(TEXTS, count=1, words=WORDS)
    ids = word_ids(model.encoder, WORDS)
    assert ids[0] >= 0
    assert ids[-1] == -1
    for row, text in enumerate(TEXTS):
        masked = text.replace(BLANK, reference.tokenizer.mask_token)
        every = {each["token"]: each["score"] for each in reference(masked, top_k=len(reference.tokenizer))}
        for column, token in enumerate(ids.tolist()):
            value = found.words[row, column]
            assert np.isnan(value) if token < 0 else np.exp(value) == pytest.approx(every[token], rel=1e-4)


def test_a_word_is_the_token_it_is_inside_a_text(model, reference):
    tokenizer = reference.tokenizer
    (good,) = word_ids(model.encoder, ["good"]).tolist()
    assert good in tokenizer("the film was good and", add_special_tokens=False)["input_ids"]


def test_repeats_cost_nothing_and_a_blank_that_is_cut_off_is_none(model):
    model.take_counters()
    long = "The music was lovely. " * 40 + f"It was {BLANK}."
    found = model.fill([TEXTS[0], long, TEXTS[0]], count=3, words=["good"])
    assert model.take_counters().distinct == 2
    assert np.array_equal(found.logs[0], found.logs[2])
    assert np.isnan(found.logs[1]).all()
    assert np.isnan(found.words[1, 0])
    assert set(found.generations.of(1)) == {""}


def test_a_text_without_one_blank_is_refused(model):
    for text in ("no blank", f"{BLANK} and {BLANK}"):
        with pytest.raises(ValueError, match="one"):
            model.fill([text], count=1)


def test_no_more_than_the_vocabulary_is_given(model):
    assert model.fill(TEXTS[:1], count=10**6).count < 10**6


@pytest.mark.parametrize(("arch", "fills"), [("bert", True), ("gpt2", False), ("t5", False)])
def test_only_masked_models_fill(arch, fills, tmp_path):
    card = describe(str(build(arch, tmp_path / arch, language=True)))
    assert (Capability.FILL in card.capabilities) is fills
