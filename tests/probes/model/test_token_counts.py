from __future__ import annotations

import pytest
from transformers import AutoTokenizer

from probes.model.token_counts import token_counts
from probes.model.tokens import Encoder
from tests.probes.model.conftest import PAIRS, TEXTS
from tests.tiny_models import ARCHITECTURES

pytestmark = pytest.mark.engine


def expected(tokenizer, text):
    parts = (text,) if isinstance(text, str) else text
    ids = [token for part in parts for token in tokenizer.convert_tokens_to_ids(tokenizer.tokenize(part))]
    return len(ids), sum(token == tokenizer.unk_token_id for token in ids)


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("max_length", [64, 5])
def test_counts_are_those_of_the_uncut_text(tiny, arch, max_length):
    texts = [*TEXTS, *PAIRS, ""]
    encoder = Encoder(AutoTokenizer.from_pretrained(tiny(arch)), max_length=max_length, token_types=False)
    tokens, unknown = token_counts(encoder, texts)
    plain = AutoTokenizer.from_pretrained(tiny(arch))
    assert list(zip(tokens.tolist(), unknown.tolist(), strict=True)) == [expected(plain, text) for text in texts]
    assert tokens.max() > 64


def test_foreign_letters_are_unknown_to_a_small_word_piece_vocabulary(tiny):
    encoder = Encoder(AutoTokenizer.from_pretrained(tiny("bert")), max_length=64, token_types=True)
    tokens, unknown = token_counts(encoder, ["good film", "\u6771\u4eac good", ("good", "\u6771")])
    assert unknown.tolist() == [0, 2, 1]
    assert (tokens >= unknown).all()


def test_python_tokenizers_count_alike(tiny):
    encoder = Encoder(AutoTokenizer.from_pretrained(tiny("bert")), max_length=64, token_types=True)
    fast = AutoTokenizer.from_pretrained(tiny("bert"))

    class Slow:
        is_fast = False
        unk_token_id = fast.unk_token_id
        tokenize = fast.tokenize
        convert_tokens_to_ids = fast.convert_tokens_to_ids

    expected_counts = [row.tolist() for row in token_counts(encoder, TEXTS)]
    encoder.tokenizer = Slow()
    assert [row.tolist() for row in token_counts(encoder, TEXTS)] == expected_counts


def test_no_texts():
    class Nothing:
        is_fast = False
        unk_token_id = None

    encoder = Encoder.__new__(Encoder)
    encoder.tokenizer = Nothing()
    tokens, unknown = token_counts(encoder, [])
    assert tokens.tolist() == unknown.tolist() == []
