"""Prompts and what should be written for them, in the shapes in which they are published."""

from __future__ import annotations

import pytest

from probes.core.answers import ProblemType
from probes.core.errors import DataError, UsageError
from probes.core.examples import Accepted
from probes.data.load import Columns
from probes.data.prompts import NO_CONVERSATION
from tests.conftest import generator_card, language_card

CAUSAL = generator_card()
SEQ2SEQ = generator_card(ProblemType.SEQ2SEQ_LM)


@pytest.mark.parametrize("card", [CAUSAL, SEQ2SEQ], ids=["causal", "seq2seq"])
@pytest.mark.parametrize(
    ("row", "prompt", "gold"),
    [
        ({"prompt": "Say hello.", "completion": "Hello."}, "Say hello.", ("Hello.",)),
        ({"question": "2 + 2?", "answer": 4}, "2 + 2?", ("4",)),
        ({"question": "Who?", "context": "Ann came.", "answers": ["Ann", "Ann ", ""]}, "Who?\n\nAnn came.", ("Ann",)),
        (
            {"question": "Who?", "context": "Ann came.", "answers": {"text": ["Ann"], "answer_start": [0]}},
            "Who?\n\nAnn came.",
            ("Ann",),
        ),
        ({"instruction": "Add.", "input": "1 1", "output": "2", "text": "Add. 1 1 2"}, "Add.\n\n1 1", ("2",)),
        ({"instruction": "Sing.", "input": "", "output": "La."}, "Sing.", ("La.",)),
        ({"instruction": "Name it.", "context": "A cat.", "response": "Cat"}, "Name it.\n\nA cat.", ("Cat",)),
        ({"document": "Long.", "summary": "Short.", "id": "7"}, "Long.", ("Short.",)),
        ({"article": "Long.", "highlights": "Short."}, "Long.", ("Short.",)),
        ({"dialogue": "A: Hi.", "summary": "Greeting."}, "A: Hi.", ("Greeting.",)),
        ({"text": "Long.", "output": ["One.", "Other."]}, "Long.", ("One.", "Other.")),
    ],
)
def test_columns_as_on_the_hub(load_rows, row, prompt, gold, card):
    (example,) = load_rows([row], card=card).examples
    assert (example.text, example.gold) == (prompt, gold)
    assert isinstance(example.gold, Accepted)


def test_a_corpus_with_labels_stays_a_corpus_for_a_causal_model(load_rows):
    loaded = load_rows([{"text": "A good film.", "label": 1}], card=CAUSAL)
    assert loaded.examples[0].gold is None
    assert any("'label'" in note and "--label-column" in note for note in loaded.card.notes)


def test_labels_are_what_an_encoder_decoder_should_write(load_rows):
    assert load_rows([{"text": "A good film.", "label": "good"}], card=SEQ2SEQ).examples[0].gold == ("good",)


@pytest.mark.parametrize("label", [1, "1", 0.5])
def test_numbers_of_classes_are_nothing_to_write(load_rows, label):
    loaded = load_rows([{"text": "A good film.", "label": label}], card=SEQ2SEQ)
    assert loaded.examples[0].gold is None
    assert any("--label-column" in note for note in loaded.card.notes)
    named = load_rows([{"text": "A good film.", "label": label}], card=SEQ2SEQ, columns=Columns(label="label"))
    assert named.examples[0].gold == (str(label),)


def test_named_columns_win(load_rows):
    columns = Columns(text=("b",), label="a")
    (example,) = load_rows([{"a": "one", "b": "two", "prompt": "no"}], card=CAUSAL, columns=columns).examples
    assert (example.text, example.gold) == ("two", ("one",))


def test_two_references_are_an_error(load_rows):
    with pytest.raises(DataError, match="the label could be answer; response"):
        load_rows([{"prompt": "a", "answer": "b", "response": "c"}], card=CAUSAL)


def test_pairs_without_references_are_left_to_the_likelihood(load_rows):
    row = {"premise": "one", "hypothesis": "two"}
    assert load_rows([row], card=CAUSAL).examples[0].text == ("one", "two")
    assert load_rows([row], card=SEQ2SEQ).examples[0].text == "one\n\ntwo"


def turns(*texts, roles=("user", "assistant"), keys=("role", "content")):
    return [{keys[0]: roles[k % 2], keys[1]: text} for k, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("cell", "prompt", "gold"),
    [
        (turns("Hi?", "Hello."), "Hi?", ("Hello.",)),
        (turns("Hi?", "Hello.", roles=("human", "gpt"), keys=("from", "value")), "Hi?", ("Hello.",)),
        ([{"role": "system", "content": "Be brief."}, *turns("Hi?", "Yo.")], "Be brief.\n\nHi?", ("Yo.",)),
        (turns("One?", "1", "Two?", "2"), "User: One?\n\nAssistant: 1\n\nUser: Two?", ("2",)),
        (turns("Hi?"), "Hi?", None),
        ([{"role": "user", "content": [{"type": "text", "text": "Hi?"}]}], "Hi?", None),
    ],
)
def test_the_last_reply_of_a_conversation_is_the_reference(load_rows, cell, prompt, gold):
    (example,) = load_rows([{"messages": cell, "prompt": "not this"}], card=CAUSAL).examples
    assert (example.text, example.gold) == (prompt, gold)


def test_what_is_no_conversation_is_counted(load_rows):
    bad = [[1], [{"role": "tool", "content": "x"}], [{"role": "user"}], turns(" "), [{"role": "user", "content": 3}]]
    good = [turns(f"{k}?", "Yes.") for k in range(3)]
    loaded = load_rows([{"conversations": cell} for cell in [*good, *bad]], card=CAUSAL)
    assert loaded.card.n == 3
    assert loaded.card.rows_dropped == {NO_CONVERSATION: len(bad)}


@pytest.mark.parametrize("spoilt", ["hello", 7, {"role": "user", "content": "Hi?"}, [], None])
def test_one_spoilt_row_costs_no_conversation(load_rows, spoilt):
    rows = [{"messages": cell} for cell in [*(turns(f"{k}?", "Yes.") for k in range(3)), spoilt]]
    for order in (rows, rows[::-1]):
        loaded = load_rows(order, card=CAUSAL)
        assert {example.text for example in loaded.examples} == {"0?", "1?", "2?"}
        assert loaded.card.rows_dropped == {NO_CONVERSATION: 1}


def test_a_column_of_plain_texts_stays_one(load_rows):
    loaded = load_rows([{"messages": cell} for cell in ["hello", "bye", turns("Hi?", "Yes.")]], card=CAUSAL)
    assert [example.text for example in loaded.examples] == ["hello", "bye"]
    assert sum(loaded.card.rows_dropped.values()) == 1


def test_a_blank_reference_is_none(load_rows):
    loaded = load_rows([{"prompt": "a", "answer": " "}, {"prompt": "b", "answer": "c"}], card=CAUSAL)
    assert [example.gold for example in loaded.examples] == [None, ("c",)]
    assert "Items without a label: 1 of 2." in loaded.card.notes


def test_what_holds_no_text_is_told(load_rows):
    with pytest.raises(DataError, match="no text that should be written"):
        load_rows([{"prompt": "a", "answer": [["nested"]]}], card=CAUSAL)


@pytest.mark.parametrize(("value", "text"), [(42.0, "42"), (2.5, "2.5"), (True, "true"), (1234567.0, "1234567")])
def test_numbers_are_written_out(load_rows, value, text):
    assert load_rows([{"prompt": "a", "answer": value}], card=CAUSAL).examples[0].gold == (text,)


def test_a_label_map_has_nothing_to_map(load_rows):
    with pytest.raises(UsageError, match="no labels to map"):
        load_rows([{"prompt": "a", "answer": "b"}], card=CAUSAL, label_map={"b": "c"})


def test_a_masked_model_has_no_references(load_rows):
    card = language_card(ProblemType.MASKED_LM)
    assert load_rows([{"text": "a", "label": "b"}], card=card).examples[0].gold is None
    with pytest.raises(UsageError, match="no labels"):
        load_rows([{"text": "a", "label": "b"}], card=card, columns=Columns(label="label"))
