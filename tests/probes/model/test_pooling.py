from __future__ import annotations

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from probes.core.errors import ModelError
from probes.core.words import spans, word
from probes.model.alignment import aligned
from probes.model.pooling import BLANK, SPECIAL, owners, pooled
from probes.model.tokens import Encoder
from tests.probes.model.conftest import PAIRS, TEXTS, opened
from tests.tiny_models import ARCHITECTURES, SENTENCES

pytestmark = pytest.mark.engine


def test_a_token_belongs_to_the_word_with_its_first_character_that_is_not_blank():
    text = " don't stop!!"  # words: don't, stop, !!
    offsets = [(0, 0), (0, 4), (4, 6), (6, 7), (6, 11), (11, 13), (0, 0)]
    found = owners(text, offsets, [None, 0, 0, 0, 0, 0, None], [1, 0, 0, 0, 0, 0, 1])
    assert found == [SPECIAL, 0, 0, BLANK, 1, 2, SPECIAL]


def shared(text, owner, scores, **how):
    words, found, special, unread = pooled(text, np.array(owner, dtype=np.int32), np.array(scores, dtype=float), **how)
    assert found.sum() + special == pytest.approx(sum(scores))
    return {word(text, span): score for span, score in zip(words, found.tolist(), strict=True)}, unread


def test_the_characters_of_a_token_take_equal_parts_of_it():
    assert shared("東京都 ab", [0, 3], [6.0, 2]) == ({"東": 2, "京": 2, "都": 2, "ab": 2}, 0)
    assert shared("東京都", [0, 2], [6.0, 2]) == ({"東": 3, "京": 3, "都": 2}, 0)


def test_punctuation_in_a_token_with_letters_takes_its_part():
    text = "a (these)b"  # tokens a, " (th", "ese", ")", "b"
    owner = owners(text, [(0, 1), (1, 5), (5, 8), (8, 9), (9, 10)], [0] * 5, [0] * 5)
    assert owner == [0, 2, 2, 3, 4]
    assert shared(text, owner, [1.0, 3, 9, 1, 1]) == ({"a": 1, "(": 2, "these": 10, ")": 1, "b": 1}, 0)
    assert shared("ab.", [0], [3.0]) == ({"ab": 2, ".": 1}, 0)


def test_what_a_tokenizer_drops_takes_nothing():
    assert shared("ab\u200b cd", [0, 2], [3.0, 1]) == ({"ab": 3, "cd": 1}, 0)
    assert shared("a . b", [0, 2], [3.0, 1]) == ({"a": 3, "b": 1}, 0)


def test_behind_the_last_token_of_a_cut_text_nothing_is_read():
    assert shared("東京都", [0], [6.0]) == ({"東": 2, "京": 2, "都": 2}, 0)
    assert shared("東京都", [0], [6.0], cut=True) == ({"東": 6}, 2)
    assert shared(("東京", "大阪"), [0, 2], [1.0, 2], cut=True) == ({"東": 1, "大": 2}, 2)
    assert shared("東京 ab cd", [0, 2], [1.0, 2], cut=True) == ({"東": 0.5, "京": 0.5, "ab": 2}, 1)


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
    encoder = opened(tiny(arch)).encoder
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
    encoder = opened(tiny("bert")).encoder
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
    model = opened(tiny(arch))
    texts = [*SENTENCES, "Naïve MUSIC,  late\n at 3.14", *PAIRS[:3]] if arch == "bert" else [*SENTENCES, *PAIRS[:3]]
    with_offsets = model.encoder.encode_words(texts)
    encoder = Encoder(Python(model.encoder.tokenizer), max_length=64, token_types=arch == "bert")
    without = encoder.encode_words(texts)
    assert np.array_equal(with_offsets.ids, without.ids)
    assert np.array_equal(with_offsets.words, without.words)


@pytest.mark.parametrize(
    "text",
    [
        "The ☃☃ film was good, 東京 was fine.",
        "東京の映画 film",
        "qqž, ☃ good qqža a film☃",
        "zzž" * 30 + " was good",
        "☃",
    ],
)
def test_unknown_tokens_hold_what_the_known_ones_leave(tiny, text):
    model = opened(tiny("bert"))
    with_offsets = model.encoder.encode_words([text])
    assert model.encoder.tokenizer.unk_token_id in with_offsets.ids
    without = Encoder(Python(model.encoder.tokenizer), max_length=64, token_types=True).encode_words([text])
    assert np.array_equal(with_offsets.words, without.words)


SPACELESS = [
    "東京の映画はとても良かった",
    "映画はとても良かったです",
    "ภาพยนตร์เรื่องนี้ดีมาก",
    "这部电影很好看",
    "这部电影不好看",
] * 4


def trained(kind):
    """A fast tokenizer of one kind that has seen SPACELESS, so that it joins characters."""
    tokenizer, specials = {
        "wordpiece": (Tokenizer(models.WordPiece(unk_token="[UNK]")), ["[UNK]", "[PAD]", "[MASK]"]),
        "byte_bpe": (Tokenizer(models.BPE()), ["[PAD]", "[MASK]"]),
        "unigram": (Tokenizer(models.Unigram()), ["[UNK]", "[PAD]", "[MASK]"]),
    }[kind]
    if kind == "wordpiece":
        tokenizer.normalizer = normalizers.BertNormalizer(handle_chinese_chars=False, strip_accents=False)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=specials, show_progress=False)
    elif kind == "byte_bpe":
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=400, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
        )
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=120, special_tokens=specials, unk_token="[UNK]", show_progress=False
        )
    tokenizer.train_from_iterator(SPACELESS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]")


@pytest.mark.parametrize("kind", ["wordpiece", "byte_bpe", "unigram"])
def test_in_scripts_without_blanks_every_character_is_read_and_the_sum_stays(kind):
    encoder = Encoder(trained(kind), max_length=64, token_types=False)
    texts = [*SPACELESS[:5], "東京 was 这部电影, fine", ("这部电影很好看", "映画は良かった")]
    rows = encoder.encode_words(texts)
    joined = 0
    for row, text in enumerate(texts):
        owner = rows.words_of(row)
        scores = np.random.default_rng(row).normal(size=len(owner))
        words, found, special, unread = pooled(text, owner, scores)
        assert words == spans(text)
        assert unread == 0
        assert found.sum() + special == pytest.approx(scores.sum())
        joined += len(set(range(len(words))) - set(owner.tolist()))
    assert joined > 10  # characters in a token of their neighbour


def test_tokens_that_cannot_be_found_again_are_an_error(tiny):
    class Odd(Python):
        def __init__(self, fast):
            super().__init__(fast)
            self.convert_ids_to_tokens = lambda ids: ["zzz"] * len(ids)

    fast = opened(tiny("bert")).encoder.tokenizer
    with pytest.raises(ModelError, match="Odd does not say where") as raised:
        Encoder(Odd(fast), max_length=64, token_types=True).encode_words(["a good film"])
    assert "fast tokenizer" in raised.value.hint
    with pytest.raises(LookupError):
        aligned("abc", ["x"], [0], unknown=None)
