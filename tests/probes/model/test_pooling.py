from __future__ import annotations

import numpy as np
import pytest

from probes.core.errors import ModelError
from probes.core.words import spans, word
from probes.model.alignment import aligned
from probes.model.load import load
from probes.model.pooling import BLANK, SPECIAL, owners, pooled
from probes.model.tokens import Encoder
from tests.probes.model.conftest import PAIRS, TEXTS
from tests.tiny_models import ARCHITECTURES, SENTENCES

pytestmark = pytest.mark.engine


def test_a_token_belongs_to_the_word_with_its_first_character_that_is_not_blank():
    text = " don't stop!!"  # words: don't, stop, !!
    offsets = [(0, 0), (0, 4), (4, 6), (6, 7), (6, 11), (11, 13), (0, 0)]
    found = owners(text, offsets, [None, 0, 0, 0, 0, 0, None], [1, 0, 0, 0, 0, 0, 1])
    assert found == [SPECIAL, 0, 0, BLANK, 1, 2, SPECIAL]


def test_a_word_that_shares_the_token_of_another_is_not_unread():
    words, scores, _, unread = pooled("東京 ab cd", np.array([0, 2], dtype=np.int32), np.array([1.0, 2]))
    assert [(span.start, span.end) for span in words] == [(0, 1), (3, 5)]
    assert scores.tolist() == [1, 2]
    assert unread == 1


def test_both_parts_of_a_pair_have_words():
    found = owners(("a b", "c"), [(0, 1), (2, 3), (0, 0), (0, 1)], [0, 0, None, 1], [0, 0, 1, 0])
    assert found == [0, 1, SPECIAL, 2]


def test_scores_are_summed_over_a_word_and_the_rest_is_kept_apart():
    text = "ab cd ef"
    owner = np.array([SPECIAL, 0, 0, BLANK, 1, SPECIAL], dtype=np.int32)
    words, scores, special, unread = pooled(text, owner, np.array([1.0, 2, 4, 8, 16, 32]))
    assert [word(text, span) for span in words] == ["ab", "cd"]
    assert scores.tolist() == [6, 16]
    assert special == 41
    assert unread == 1


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_tokens_are_those_the_model_is_asked_with(tiny, arch):
    encoder = load(str(tiny(arch)), device="cpu").encoder
    texts = [*TEXTS, *PAIRS[-4:]]
    plain, worded = encoder.encode(texts), encoder.encode_words(texts)
    assert np.array_equal(plain.ids, worded.ids)
    assert np.array_equal(plain.starts, worded.starts)
    assert plain.types is None or np.array_equal(plain.types, worded.types)
    for row, text in enumerate(texts):
        owner = worded.words_of(row)
        inside = owner[owner >= 0]
        assert (np.diff(inside) >= 0).all()
        if len(owner) < encoder.max_length and "[SEP]" not in text:
            assert set(inside.tolist()) == set(range(len(spans(text))))


def test_every_token_lies_in_its_word(tiny):
    encoder = load(str(tiny("bert")), device="cpu").encoder
    texts = ["Awful: the naïve music!! we'll"]
    rows = encoder.encode_words(texts)
    pieces = encoder.tokenizer.convert_ids_to_tokens(rows.ids.tolist())
    joined = [
        "".join(p.removeprefix("##") for p, o in zip(pieces, rows.words, strict=True) if o == number)
        for number in range(7)
    ]
    assert joined == ["awful", ":", "the", "naive", "music", "!!", "we'll"]
    assert rows.words[0] == rows.words[-1] == SPECIAL
    assert (rows.words[1:-1] >= 0).all()


class Python:
    """A tokenizer without offsets around one with: what transformers calls slow."""

    is_fast = False

    def __init__(self, fast):
        self.fast = fast
        self.unk_token, self.unk_token_id = fast.unk_token, fast.unk_token_id
        self.convert_ids_to_tokens = fast.convert_ids_to_tokens

    def __call__(self, text, pair=None, **settings):
        return self.fast(text, pair, **settings)

    def get_special_tokens_mask(self, ids, already_has_special_tokens):
        assert already_has_special_tokens
        return [int(number in self.fast.all_special_ids) for number in ids]


@pytest.mark.parametrize("arch", ["bert", "roberta"])
def test_without_offsets_the_words_are_found_by_spelling(tiny, arch):
    model = load(str(tiny(arch)), device="cpu")
    texts = [*SENTENCES, "Naïve MUSIC,  late\n at 3.14", *PAIRS[:3]] if arch == "bert" else [*SENTENCES, *PAIRS[:3]]
    with_offsets = model.encoder.encode_words(texts)
    encoder = Encoder(Python(model.encoder.tokenizer), max_length=64, token_types=arch == "bert")
    without = encoder.encode_words(texts)
    assert np.array_equal(with_offsets.ids, without.ids)
    assert np.array_equal(with_offsets.words, without.words)


def test_tokens_that_cannot_be_found_again_are_an_error(tiny):
    class Odd(Python):
        def __init__(self, fast):
            super().__init__(fast)
            self.convert_ids_to_tokens = lambda ids: ["zzz"] * len(ids)

    fast = load(str(tiny("bert")), device="cpu").encoder.tokenizer
    with pytest.raises(ModelError, match="Odd does not say where") as raised:
        Encoder(Odd(fast), max_length=64, token_types=True).encode_words(["a good film"])
    assert "fast tokenizer" in raised.value.hint
    with pytest.raises(LookupError):
        aligned("abc", ["x"], [0], unknown=None)
