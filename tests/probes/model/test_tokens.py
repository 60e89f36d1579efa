from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from probes.core.errors import DataError
from probes.model.load import load
from probes.model.sequences import packed
from probes.model.tokens import Encoder
from tests.probes.model.conftest import PAIRS, TEXTS
from tests.tiny_models import ARCHITECTURES, MAX_LENGTH, SENTENCES, TOKEN_TYPES, build

pytestmark = pytest.mark.engine

NASTY = st.lists(
    st.one_of(
        st.sampled_from(list(" \t\n\r\u00a0\u2003\u200b\u00ad'.,!-_0159aeZé\u0301ΣςİIß東👍\x00\x1c\x85")),
        st.sampled_from(
            ["  ", " <mask>", "[SEP]", "[MASK] ", "<s>", "</s> ", "<|endoftext|>", " 's", "don't", "##ing"]
        ),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=30,
).map("".join)


@cache
def saved_tokenizer(folder) -> Any:
    """As transformers alone loads it; calls set its truncation each time."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def encoder(folder, max_length=MAX_LENGTH):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    return Encoder(tokenizer, max_length=max_length, token_types="token_type_ids" in tokenizer.model_input_names)


def plain(folder, text, max_length=MAX_LENGTH):
    parts = (text,) if isinstance(text, str) else text
    return saved_tokenizer(folder)(*parts, truncation="longest_first", max_length=max_length)


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("max_length", [MAX_LENGTH, 9])
def test_ids_are_those_of_transformers(tiny, arch, max_length):
    texts = [text for text in TEXTS if text] + PAIRS
    got = encoder(tiny(arch), max_length).encode(texts)
    for row, text in enumerate(texts):
        expected = plain(tiny(arch), text, max_length)
        span = slice(got.starts[row], got.starts[row + 1])
        assert got.ids[span].tolist() == expected["input_ids"]
        if got.types is not None:
            assert got.types[span].tolist() == expected["token_type_ids"]
    assert (got.types is not None) == (arch in TOKEN_TYPES)
    assert got.lengths.max() == max_length


@pytest.mark.parametrize("arch", ["bert", "roberta", "gpt2"])
def test_common_tokenizers_are_spliced(tiny, arch):
    assert encoder(tiny(arch))._splicer is not None


SPLICED: dict[str, Encoder] = {}


@pytest.mark.parametrize("arch", ["bert", "roberta", "gpt2"])
@settings(max_examples=300, deadline=None)
@given(text=NASTY)
@example(text="a  b   c ")
@example(text=" \n<mask> a")
def test_spliced_ids_are_those_of_the_tokenizer(tiny, arch, text):
    if arch not in SPLICED:
        SPLICED[arch] = encoder(tiny(arch), max_length=12)
    made = SPLICED[arch]
    expected = made._encode_rust([text, f"{text} good {text}"])
    got = made._splicer.encode([text, f"{text} good {text}"])
    assert got.ids.tolist() == expected.ids.tolist()
    assert got.starts.tolist() == expected.starts.tolist()


def test_splicer_starts_again_when_it_knows_too_many_words(tiny, monkeypatch):
    monkeypatch.setattr("probes.model.splice.WORDS", 5)
    monkeypatch.setattr("probes.model.splice.AT_ONCE", 2)
    made = encoder(tiny("bert"))
    for _ in range(2):
        assert np.array_equal(made.encode(TEXTS).ids, made._encode_rust(TEXTS).ids)
    assert len(made._splicer._index) < 100


@pytest.mark.parametrize(
    "change",
    [
        {"truncation_side": "left"},
        {"additional_special_tokens": ["two words"]},
    ],
)
def test_tokenizers_that_are_not_spliced(tmp_path, change):
    import json

    folder = build("bert", tmp_path / "m")
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    made = encoder(folder, 12)
    assert made._splicer is None
    text = "two words " + SENTENCES[0]
    assert made.encode([text]).ids.tolist() == plain(folder, text, 12)["input_ids"]


def test_truncation_and_padding_left_in_the_tokenizer_file_are_overruled(tmp_path):
    from tokenizers import Tokenizer

    folder = build("bert", tmp_path / "m")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=32)
    tokenizer.save(str(folder / "tokenizer.json"))
    model = load(str(folder))
    assert model.card.max_length == MAX_LENGTH
    assert model.encoder.encode([SENTENCES[0]]).ids.tolist() == plain(folder, SENTENCES[0])["input_ids"]


def test_half_a_surrogate_pair(tiny):
    for text in ("good \ud83d film", ("good", "\ud83d")):
        with pytest.raises(DataError, match="surrogate"):
            load(str(tiny("bert"))).classify([text])


def test_text_without_tokens(tiny):
    with pytest.raises(DataError, match="empty text"):
        load(str(tiny("gpt2"))).classify(["good", ""])
    assert len(load(str(tiny("bert"))).classify(["", "good"])) == 2


def test_take_and_keys():
    rows = packed([[1, 2, 3], [4], [], [5, 6]], [[0, 0, 1], [0], [], [0, 0]])
    some = rows.take(np.array([3, 0, 2]))
    assert (some.ids.tolist(), some.starts.tolist()) == ([5, 6, 1, 2, 3], [0, 2, 5, 5])
    assert some.types.tolist() == [0, 0, 0, 0, 1]
    keys = rows.keys(b"scope")
    assert [keys[3], keys[0], keys[2]] == some.keys(b"scope")
    assert len({*keys, *rows.keys(b"other")}) == 8
    assert packed([[1, 2, 3]]).keys(b"scope") != packed([[1, 2, 3]], [[0, 0, 1]]).keys(b"scope")
    assert packed([[1], [2]]).keys(b"")[0] != packed([[1, 2]]).keys(b"")[0]
