"""Rows that cannot be used are counted, never silently lost."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.core.errors import DataError
from probes.core.examples import data_fingerprint
from probes.data.load import Columns, load_data
from tests.conftest import model_card


def test_every_reason_is_counted(load_rows):
    loaded = load_rows(
        [
            {"text": "fine", "label": "positive"},
            {"text": "fine", "label": "positive"},
            {"text": None, "label": "positive"},
            {"text": float("nan"), "label": "positive"},
            {"text": "", "label": "positive"},
            {"text": " \t\u00a0", "label": "positive"},
            {"text": 7, "label": "positive"},
            {"text": ["a"], "label": "positive"},
            {"text": "x" * 1_000_001, "label": "positive"},
            {"text": "x" * 1_000_000, "label": "negative"},
        ]
    )
    assert [example.text[:4] for example in loaded.examples] == ["fine", "xxxx"]
    assert loaded.card.rows_dropped == {
        "exact duplicate": 1,
        "no text": 2,
        "empty text": 2,
        "text is not a string": 2,
        "longer than 1,000,000 characters": 1,
    }
    assert loaded.card.rows_read == 10


def test_blank_lines_are_counted(load_bytes):
    card = load_bytes(b"text,label\n\na,positive\n\n").card
    assert (card.rows_read, card.n, card.rows_dropped) == (3, 1, {"blank line": 2})


def test_same_text_with_other_label_or_group_is_kept_in_one_cluster(load_rows):
    loaded = load_rows(
        [
            {"text": "so so", "label": "positive", "age": "old"},
            {"text": "so so", "label": "negative", "age": "old"},
            {"text": "so so", "label": "negative", "age": "young"},
        ],
        columns=Columns(groups=("age",)),
    )
    assert loaded.card.n == 3
    assert len({example.cluster for example in loaded.examples}) == 1
    assert "Texts that occur with different labels, all kept: 1." in loaded.card.notes


def test_unwritable_characters_are_replaced_and_counted(load_rows):
    loaded = load_rows(
        [
            {"text": "broken \ud83d emoji", "g": "\udc00"},
            {"text": "nul\x00 byte", "g": "b"},
            {"text": "\U0001f600", "g": "b"},
        ],
        columns=Columns(groups=("g",)),
    )
    assert [example.text for example in loaded.examples] == ["broken \ufffd emoji", "nul\ufffd byte", "\U0001f600"]
    assert "Texts in which NUL or lone surrogates were replaced by U+FFFD: 2." in loaded.card.notes
    loaded.card.model_dump_json().encode("utf-8")
    json.dumps([example.text for example in loaded.examples], ensure_ascii=False).encode("utf-8")
    assert loaded.examples[0].groups == {"g": "\ufffd"}


def test_column_of_numbers_is_no_text(load_rows):
    with pytest.raises(DataError, match=r"'text' holds no text but float and int values") as caught:
        load_rows([{"text": 1, "id": "a"}, {"text": 2.5, "id": "b"}])
    assert "--text-column" in caught.value.hint


def test_texts_that_look_like_numbers_are_noted(load_bytes):
    assert any("Every text is a number" in note for note in load_bytes(b"text\n12\n13\n").card.notes)


def test_groups_and_clusters(load_rows):
    loaded = load_rows(
        [
            {"text": "a", "age": 30.0, "member": True, "author": "x"},
            {"text": "b", "age": None, "member": False, "author": "x"},
            {"text": "c", "age": 41, "member": None, "author": None},
        ],
        columns=Columns(groups=("age", "member"), cluster="author"),
    )
    assert [dict(example.groups) for example in loaded.examples] == [
        {"age": "30", "member": "True"},
        {"age": "(missing)", "member": "False"},
        {"age": "41", "member": "(missing)"},
    ]
    first, second, third = (example.cluster for example in loaded.examples)
    assert first == second == "x" != third != ""
    assert loaded.card.groups == ("age", "member")


def test_too_many_groups_are_noted_and_lists_refused(load_rows):
    rows = [{"text": f"text {n}", "user": f"u{n}", "tags": ["a"]} for n in range(60)]
    assert any(
        "'user' has 60 different values" in n for n in load_rows(rows, columns=Columns(groups=("user",))).card.notes
    )
    with pytest.raises(DataError, match="'tags' holds"):
        load_rows(rows, columns=Columns(groups=("tags",)))


def test_pairs_need_both_parts(load_rows):
    loaded = load_rows(
        [{"premise": "a", "hypothesis": "b"}, {"premise": "a", "hypothesis": ""}, {"premise": None, "hypothesis": "b"}]
    )
    assert [example.text for example in loaded.examples] == [("a", "b")]
    assert loaded.card.rows_dropped == {"empty text": 1, "no text": 1}


def test_card_describes_the_data(load_rows, tmp_path):
    loaded = load_rows([{"text": "a", "label": "positive"}, {"text": "b", "label": None}])
    card = loaded.card
    assert (card.name, card.n, card.labelled) == ("rows.jsonl", 2, 1)
    assert card.source == str(tmp_path / "rows.jsonl")
    assert card.fingerprint == data_fingerprint(loaded.examples)
    assert "Items without a label: 1 of 2." in card.notes


def test_order_of_rows_and_columns_has_no_influence(load_bytes):
    one = load_bytes(b"text,label\na,positive\nb,negative\n", "one.csv")
    other = load_bytes(b"label,text\nnegative,b\npositive,a\n", "other.csv")
    assert one.card.fingerprint == other.card.fingerprint
    assert {example.id for example in one.examples} == {example.id for example in other.examples}


CELL = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.floats(),
    st.sampled_from(["", " ", "a", "b", "positive", "NEGATIVE"]),
)


@settings(max_examples=100, deadline=None, database=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries({"text": CELL, "label": st.sampled_from(["positive", "negative", None]), "g": CELL}),
        max_size=12,
    )
)
def test_rows_read_are_items_plus_dropped(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    try:
        loaded = load_data(str(path), card=model_card(), columns=Columns(groups=("g",)))
    except DataError:
        assert not any(isinstance(row["text"], str) and row["text"].strip() for row in rows)
        return
    assert loaded.card.rows_read == len(rows) == loaded.card.n + sum(loaded.card.rows_dropped.values())
    usable = {row["text"] for row in rows if isinstance(row["text"], str) and row["text"].strip()}
    assert {example.text for example in loaded.examples} == usable
