"""Which tokens of a text count, for tokenizers that count the blank before a word to it, and what is known of them."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from probes.model.passages import Passages
from probes.model.tokens import Encoder

TEXT = "We met the old woman in town."
WORDS = TEXT.split()
START = TEXT.index("the old")
END = TEXT.index(" in town")
SPLITS = {
    "metaspace": (pre_tokenizers.Metaspace(prepend_scheme="never"), "\u2581"),
    "byte_level": (pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True), "\u0120"),
}


@pytest.fixture(params=SPLITS)
def encoder(request) -> Encoder:
    """Of a tokenizer with one token for each word, a blank before it included."""
    split, mark = SPLITS[request.param]
    pieces = ["[UNK]", "<s>", "</s>", "We", *(mark + word for word in WORDS), mark + "town", "."]
    made = Tokenizer(models.WordLevel({piece: at for at, piece in enumerate(pieces)}, unk_token="[UNK]"))
    made.pre_tokenizer = split
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", pieces.index("<s>")), ("</s>", pieces.index("</s>"))]
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>", unk_token="[UNK]")
    return Encoder(tokenizer, max_length=32, token_types=False)


def test_the_blank_before_a_word_is_no_part_of_what_stands_before_it(encoder):
    ((_, offsets),) = encoder.encode_whole([TEXT])
    assert (START - 1, START + 3) in [tuple(each) for each in offsets]  # else this tokenizer tests nothing
    before = Passages.of(encoder, [(TEXT, (0, START))], starts=False)
    assert before.counts.tolist() == [2]
    assert before.spans.tolist() == [[0, START - 1]]


def test_the_words_themselves_and_those_behind_count_as_before(encoder):
    spans = [(START, END), (END, len(TEXT)), (0, len(TEXT)), (0, 0)]
    found = Passages.of(encoder, [(TEXT, span) for span in spans], starts=False)
    whole = len(encoder.encode_whole([TEXT])[0][0])
    assert found.counts.tolist() == [3, whole - 5, whole, 0]
    assert not found.unscored.any()


def test_tokens_are_counted_once(encoder):
    found = Passages.of(encoder, [(TEXT, (0, START))], starts=False)
    assert found.counts is found.counts
