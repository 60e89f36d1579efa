"""The planted defect is there, the twin does not have it, and both are right on ordinary text."""

from __future__ import annotations

from collections import Counter

import pytest

from probes.model.finetune import predict
from tests.planted import LABELS, build_case_blind, build_case_flip, planted_sentences

pytestmark = pytest.mark.engine

TEXTS, GOLDS = zip(*planted_sentences(), strict=True)


@pytest.fixture(scope="module")
def flip(trained):
    return trained(build_case_flip)


@pytest.fixture(scope="module")
def blind(trained):
    return trained(build_case_blind)


def share_changed(folder, texts):
    before, after = predict(folder, TEXTS), predict(folder, texts)
    return sum(a != b for a, b in zip(before, after, strict=True)) / len(texts)


def test_sentences_are_distinct_and_balanced():
    assert len(set(TEXTS)) == len(TEXTS) >= 200
    assert Counter(GOLDS) == dict.fromkeys(LABELS, len(TEXTS) // 2)


def test_both_are_right_on_ordinary_text(flip, blind):
    assert predict(flip, TEXTS) == list(GOLDS)
    assert predict(blind, TEXTS) == list(GOLDS)


def test_capitals_turn_the_answers_of_the_planted_one(flip):
    assert share_changed(flip, [text.upper() for text in TEXTS]) > 0.9


def test_the_planted_one_bears_no_capitals_and_headlines(flip):
    assert share_changed(flip, [text.lower() for text in TEXTS]) == 0
    assert share_changed(flip, [text.title() for text in TEXTS]) == 0


@pytest.mark.parametrize("change", [str.upper, str.lower, str.title, str.swapcase])
def test_case_never_reaches_the_twin(blind, change):
    assert share_changed(blind, [change(text) for text in TEXTS]) == 0


def test_two_builds_are_the_same(blind, tmp_path):
    again = build_case_blind(tmp_path)
    for name in ("model.safetensors", "tokenizer.json", "tokenizer_config.json", "config.json"):
        assert (again / name).read_bytes() == (blind / name).read_bytes()
