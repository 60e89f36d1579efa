"""Columns are found by name when only one reading is possible, and never guessed."""

from __future__ import annotations

import pytest

from probes.core.answers import ProblemType
from probes.core.errors import DataError, UsageError
from probes.data.load import Columns
from tests.conftest import model_card


@pytest.mark.parametrize(
    "name",
    [
        "text",
        "Text",
        "SENTENCE",
        "content",
        "tweet",
        "comment",
        "review",
        "question",
        "comment_text",
        "review-body",
        "utterance",
    ],
)
def test_text_column_by_name(load_rows, name):
    assert load_rows([{"id": "1", name: "hello", "when": "2020"}]).examples[0].text == "hello"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("premise", "hypothesis"),
        ("sentence1", "sentence2"),
        ("Question1", "Question2"),
        ("question", "sentence"),
        ("question", "passage"),
        ("question", "context"),
        ("text", "text_b"),
        ("text_a", "text_b"),
    ],
)
def test_pair_columns_by_name_in_their_own_order(load_rows, first, second):
    assert load_rows([{second: "two", "idx": 3, first: "one"}]).examples[0].text == ("one", "two")


@pytest.mark.parametrize(
    "name", ["label", "Label", "labels", "gold", "gold_label", "target", "class", "coarse_label", "sentiment"]
)
def test_label_column_by_name(load_rows, name):
    assert load_rows([{"text": "a", name: "positive"}]).examples[0].gold == "positive"


@pytest.mark.parametrize("name", ["label", "score", "rating", "similarity_score"])
def test_score_columns_for_regressions(load_rows, name):
    card = model_card(labels=("score",), problem=ProblemType.REGRESSION)
    assert load_rows([{"text": "a", name: 3}], card=card).examples[0].gold == 3.0


def test_score_columns_are_no_labels_for_classifiers(load_rows):
    card = load_rows([{"text": "a", "score": 1}]).card
    assert card.labelled == 0
    assert any("'score'" in note and "--label-column" in note for note in card.notes)


@pytest.mark.parametrize(
    "row",
    [
        {"text": "a", "content": "b"},
        {"text": "a", "Text": "b"},
        {"premise": "a", "hypothesis": "b", "text": "c"},
        {"question": "a", "passage": "b", "context": "c"},
    ],
)
def test_two_readings_of_the_text_are_an_error(load_rows, row):
    with pytest.raises(DataError, match="the text could be") as caught:
        load_rows([row])
    assert all(name in caught.value.message for name in row)
    assert "--text-column" in caught.value.hint


def test_no_text_column_lists_the_columns(load_rows):
    with pytest.raises(DataError, match="columns: 'foo', 'bar'") as caught:
        load_rows([{"foo": "a", "bar": "b"}])
    assert "--text-column" in caught.value.hint


def test_the_only_other_column_is_taken_and_noted(load_rows):
    loaded = load_rows([{"foo": "a", "label": "positive"}])
    assert loaded.examples[0].text == "a"
    assert any("'foo'" in note for note in loaded.card.notes)


def test_two_readings_of_the_label_are_an_error(load_rows):
    with pytest.raises(DataError, match="coarse_label; fine_label") as caught:
        load_rows([{"text": "a", "coarse_label": 0, "fine_label": 1}])
    assert "--label-column" in caught.value.hint


def test_named_columns_win(load_rows):
    rows = [{"text": "a", "content": "b", "label": "positive", "gold": "negative"}]
    loaded = load_rows(rows, columns=Columns(text=("content",), label="gold"))
    assert (loaded.examples[0].text, loaded.examples[0].gold) == ("b", "negative")


def test_a_group_column_is_no_label(load_rows):
    loaded = load_rows([{"text": "a", "class": "upper", "label": "positive"}], columns=Columns(groups=("class",)))
    assert loaded.examples[0].gold == "positive"


@pytest.mark.parametrize(
    "columns",
    [
        Columns(text=("txet",)),
        Columns(text=("text", "txet")),
        Columns(label="txet"),
        Columns(groups=("txet",)),
        Columns(cluster="txet"),
    ],
)
def test_a_column_that_does_not_exist(load_rows, columns):
    with pytest.raises(UsageError, match="no column 'txet'") as caught:
        load_rows([{"text": "a", "label": "positive"}], columns=columns)
    assert caught.value.hint == "did you mean text?"


def test_other_data_may_lack_the_named_label_column(load_rows):
    """A column that only looks like the labels is not taken in its place."""
    columns = Columns(label="gold", may_lack=True)
    loaded = load_rows([{"text": "a", "label": "positive"}], columns=columns)
    assert loaded.card.labelled == 0
    assert loaded.card.notes == ("There is no column 'gold': nothing that needs the right answers can be measured.",)
    assert load_rows([{"text": "a", "gold": "positive"}], columns=columns).card.labelled == 1
    with pytest.raises(UsageError, match="no column 'txet'"):
        load_rows([{"text": "a"}], columns=Columns(text=("txet",), label="gold", may_lack=True))


def test_other_data_may_lack_the_named_groups_and_clusters(load_rows):
    columns = Columns(label="gold", groups=("sex", "age"), cluster="author", may_lack=True)
    loaded = load_rows([{"text": "a", "gold": "positive", "age": "old"}], columns=columns)
    assert loaded.card.notes[:2] == (
        "There is no column 'sex': its groups cannot be compared here.",
        "There is no column 'author': different texts count as independent here.",
    )
    assert [dict(example.groups) for example in loaded.examples] == [{"age": "old"}]
    whole = load_rows([{"text": "a", "gold": "positive", "age": "old", "sex": "f", "author": "x"}], columns=columns)
    assert (dict(whole.examples[0].groups), whole.examples[0].cluster) == ({"sex": "f", "age": "old"}, "x")


@pytest.mark.parametrize(
    "columns", [Columns(text=("a", "b", "c")), Columns(text=("a", "a")), Columns(text=("a",), label="a")]
)
def test_impossible_uses(load_rows, columns):
    with pytest.raises(UsageError):
        load_rows([{"a": "1", "b": "2", "c": "3"}], columns=columns)


def test_unlabelled_data_is_fine_and_noted(load_rows):
    card = load_rows([{"text": "a", "toxic": True, "words": 3}]).card
    assert card.labelled == 0
    [note] = card.notes
    assert note.startswith("No label column")
    assert "'toxic'" in note
    assert "words" not in note
