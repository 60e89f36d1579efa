"""The built-in corpus is varied, clean English with what the perturbations look for."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations

import pytest

from probes.core.examples import data_fingerprint
from probes.data.builtin import builtin_corpus

CORPUS = builtin_corpus()
TEXTS = [example.text for example in CORPUS.examples]


def words(text):
    return re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.casefold())


def count(pattern, flags=0):
    return sum(bool(re.search(pattern, text, flags)) for text in TEXTS)


def test_size_and_registers():
    registers = Counter(example.groups["register"] for example in CORPUS.examples)
    assert len(TEXTS) >= 320
    assert len(registers) == 8
    assert min(registers.values()) >= 40


def test_card():
    card = CORPUS.card
    assert (card.name, card.source, card.licence) == ("built-in sentences", "built-in", "CC0-1.0")
    assert (card.n, card.labelled, card.rows_read) == (len(TEXTS), 0, len(TEXTS))
    assert card.groups == ("register",)
    assert card.fingerprint == data_fingerprint(CORPUS.examples)
    assert all(example.gold is None for example in CORPUS.examples)


def test_lengths_vary():
    lengths = [len(text.split()) for text in TEXTS]
    assert min(lengths) >= 5
    assert max(lengths) <= 60
    assert sum(length <= 10 for length in lengths) >= 15
    assert sum(length >= 40 for length in lengths) >= 10


def test_no_near_duplicates():
    bags = [set(words(text)) for text in TEXTS]
    assert max(len(a & b) / len(a | b) for a, b in combinations(bags, 2)) < 0.7
    openings = Counter(" ".join(words(text)[:3]) for text in TEXTS)
    assert max(openings.values()) <= 3


def test_clean_text():
    for text in TEXTS:
        assert text == text.strip()
        assert "  " not in text
        assert "\u2019" not in text  # typographic apostrophes would hide contractions from some perturbations
        assert text.isprintable()


@pytest.mark.parametrize(
    ("pattern", "least"),
    [
        (r"\b(?:n't|\w+n't|I'm|it's|we're|they're|I've|you'll)\b", 60),
        (r"\d", 60),
        (r"\b(?:two|three|four|five|six|seven|eight|nine|ten|twenty|forty)\b", 40),
        (r"\b(?:colour|favourite|centre|theatre|neighbours|organised|cheque|travelled|harbour)\b", 10),
        (r"\b(?:color|center|neighboring|organizing|gray|check|traveling|recognize|meter)\b", 8),
        (r"[$£€]\s?\d", 8),
        (r"\b\d{1,2} (?:January|February|March|May|June|August|September|October|November|December)\b", 8),
        (r"https://example\.(?:com|org)", 2),
        (r"@\w+", 4),
        (r"#\w+", 5),
        (r"[\U0001F300-\U0001FAFF\u2600-\u27BF]", 12),
        (r"[:;][()]|lol", 3),
        (r"[à-öø-ÿ]", 5),
        (r"\b(?:their|there|they're)\b", 20),
        (r"\b(?:too|two)\b", 25),
        (r"\b(?:its|it's)\b", 15),
        (r"\?", 20),
        (r"!", 8),
        (r";", 6),
        (r":", 10),
        (r"\b[A-Z]{3,}\b", 5),
        (r"\b(?:Priya|Hannah|Elena|Theo|Okafor|Lindqvist|Amari)\b", 6),
    ],
)  # fmt: skip
def test_what_perturbations_need_is_there(pattern, least):
    assert count(pattern) >= least


def test_addresses_are_reserved_ones():
    for text in TEXTS:
        assert re.search(r"https?://(?!example\.(com|org)/)", text) is None
        assert all("example" in name for name in re.findall(r"@([\w.]+)", text))


def test_pairs_use_each_sentence_once_and_stay_in_their_register():
    register = {example.text: example.groups["register"] for example in CORPUS.examples}
    pairs = builtin_corpus(pairs=True)
    assert pairs.card.name == "built-in sentence pairs"
    assert sorted(text for example in pairs.examples for text in example.text) == sorted(TEXTS)
    for example in pairs.examples:
        assert {register[text] for text in example.text} == {example.groups["register"]}


def test_provenance_travels_with_the_corpus():
    from importlib.resources import files

    header = files("probes.data").joinpath("corpus", "english.tsv").read_text(encoding="utf-8").split("review\t")[0]
    assert "CC0" in header
    assert "from scratch" in header
