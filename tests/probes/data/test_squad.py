"""Questions about contexts: every shape in which SQuAD is found gives the same items."""

from __future__ import annotations

import gzip
import json

import pytest

from probes.core.errors import DataError, UsageError
from probes.core.examples import Accepted
from probes.data.builtin import builtin_questions
from probes.data.columns import Columns
from probes.data.load import load_data
from tests.conftest import reader_card

CARD = reader_card()
CONTEXTS = (
    "Ada Lovelace was born in London in 1815. She wrote the first program.",
    "Die Brücke über die Aare wurde 1844 eröffnet 🎉.",
)


def answers(context, *texts):
    return {"text": list(texts), "answer_start": [context.index(text) for text in texts]}


ROWS = [
    {
        "id": "1",
        "title": "Ada",
        "context": CONTEXTS[0],
        "question": "Where was Ada born?",
        "answers": answers(CONTEXTS[0], "London", "in London", "London"),
    },
    {
        "id": "2",
        "title": "Ada",
        "context": CONTEXTS[0],
        "question": "Who wrote the second program?",
        "answers": {"text": [], "answer_start": []},
    },
    {
        "id": "3",
        "title": "Brücke",
        "context": CONTEXTS[1],
        "question": "When was it opened?",
        "answers": answers(CONTEXTS[1], "1844"),
    },
]


def nested():
    paragraphs = {}
    for row in ROWS:
        texts = row["answers"]
        question = {
            "id": row["id"],
            "question": row["question"],
            "answers": [
                {"text": text, "answer_start": start}
                for text, start in zip(texts["text"], texts["answer_start"], strict=True)
            ],
            "is_impossible": not texts["text"],
            "plausible_answers": [],
        }
        paragraphs.setdefault((row["title"], row["context"]), []).append(question)
    data = [
        {"title": title, "paragraphs": [{"context": context, "qas": questions}]}
        for (title, context), questions in paragraphs.items()
    ]
    return {"version": "v2.0", "data": data}


def write(shape, folder):
    import pandas as pd

    if shape == "nested":
        path = folder / "dev-v2.0.json"
        path.write_text(json.dumps(nested()), encoding="utf-8")
        return path
    if shape == "packed":
        path = folder / "dev.json.gz"
        path.write_bytes(gzip.compress(json.dumps(nested()).encode()))
        return path
    if shape == "lines":
        path = folder / "dev.jsonl"
        path.write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
        return path
    if shape == "parquet":
        path = folder / "dev.parquet"
        pd.DataFrame(ROWS).to_parquet(path)
        return path
    from datasets import Dataset

    Dataset.from_list(ROWS).save_to_disk(str(folder / "saved"))
    return folder / "saved"


@pytest.mark.parametrize("shape", ["nested", "packed", "lines", "parquet", "saved"])
def test_every_shape_gives_the_same_items(shape, tmp_path):
    loaded = load_data(str(write(shape, tmp_path)), card=CARD)
    assert [example.text for example in loaded.examples] == [(row["question"], row["context"]) for row in ROWS]
    golds = [example.gold for example in loaded.examples]
    assert golds == [("London", "in London"), (), ("1844",)]
    assert all(isinstance(gold, Accepted) for gold in golds)
    assert len({example.cluster for example in loaded.examples}) == 2
    assert loaded.card.labelled == 3
    assert "Questions that their context does not answer: 1 of 3." in loaded.card.notes
    assert "Questions about one context count as dependent." in loaded.card.notes


def one(tmp_path, *rows, **how):
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return load_data(str(path), card=CARD, **how)


def test_articles_are_clusters_where_there_are_enough(tmp_path):
    rows = [{**ROWS[0], "title": f"T{k % 30}", "question": f"{k}?"} for k in range(60)]
    assert len({example.cluster for example in one(tmp_path, *rows).examples}) == 30
    fewer = [row for row in rows if row["title"] != "T0"]
    assert len({example.cluster for example in one(tmp_path, *fewer).examples}) == 1


def test_a_cluster_column_wins(tmp_path):
    loaded = one(tmp_path, *ROWS, columns=Columns(cluster="id"))
    assert [example.cluster for example in loaded.examples] == ["1", "2", "3"]
    assert not any("dependent" in note for note in loaded.card.notes)


def test_an_answer_that_is_not_in_its_context_is_left_out_and_counted(tmp_path):
    wrong = {**ROWS[0], "answers": {"text": ["Paris"], "answer_start": [0]}}
    loaded = one(tmp_path, wrong, ROWS[2])
    assert loaded.card.rows_dropped == {"an answer does not stand in its context": 1}
    assert [example.gold for example in loaded.examples] == [("1844",)]


def test_places_counted_in_bytes_are_noticed_and_not_used(tmp_path):
    start = len(CONTEXTS[1].encode()[: CONTEXTS[1].encode().index(b"1844")])
    loaded = one(tmp_path, {**ROWS[2], "answers": {"text": ["1844"], "answer_start": [start]}})
    assert loaded.examples[0].gold == ("1844",)
    assert any("answer_start does not point" in note for note in loaded.card.notes)


@pytest.mark.parametrize(
    ("cell", "gold"),
    [
        (["London", "in London"], ("London", "in London")),
        ("London", ("London",)),
        ([{"text": "London", "answer_start": 25}], ("London",)),
        ({"text": "London"}, ("London",)),
        ([], ()),
        (None, None),
    ],
)
def test_other_ways_to_write_answers(cell, gold, tmp_path):
    assert one(tmp_path, {**ROWS[0], "answers": cell}).examples[0].gold == gold


def test_impossible_wins_over_what_is_only_plausible(tmp_path):
    assert one(tmp_path, {**ROWS[0], "is_impossible": True}).examples[0].gold == ()


def test_answers_that_are_no_texts_are_refused(tmp_path):
    with pytest.raises(DataError, match="no texts of answers"):
        one(tmp_path, {**ROWS[0], "answers": [1, 2]})


def test_without_answers_the_questions_can_still_be_asked(tmp_path):
    loaded = one(tmp_path, {"question": "who?", "context": "Ada."})
    assert loaded.examples[0].gold is None
    assert loaded.card.labelled == 0


def test_columns_of_other_names_are_named_by_the_user(tmp_path):
    row = {"q": "who?", "page": "Ada.", "right": ["Ada"]}
    with pytest.raises(DataError, match="which columns hold the question and its context"):
        one(tmp_path, row)
    loaded = one(tmp_path, row, columns=Columns(text=("q", "page"), label="right"))
    assert loaded.examples[0].text == ("who?", "Ada.")
    assert loaded.examples[0].gold == ("Ada",)
    with pytest.raises(UsageError, match="a question and its context"):
        one(tmp_path, row, columns=Columns(text=("q",)))


def test_a_label_map_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--label-map"):
        one(tmp_path, *ROWS, label_map={"London": "Rome"})


def test_other_documents_are_read_as_before(tmp_path):
    path = tmp_path / "data.json"
    path.write_text(json.dumps({"data": [{"question": "who?", "context": "Ada.", "answers": ["Ada"]}]}))
    assert load_data(str(path), card=CARD).examples[0].gold == ("Ada",)


def test_built_in_questions_are_answered_by_their_contexts():
    loaded = builtin_questions()
    assert loaded.card.n == loaded.card.labelled == len(loaded.examples) >= 30
    assert loaded.card.licence == "CC0-1.0"
    assert len({example.cluster for example in loaded.examples}) >= 12
    for example in loaded.examples:
        assert example.gold
        assert all(text in example.text[1] for text in example.gold)
        assert not any(text.lower() in example.text[0].lower() for text in example.gold if len(text) > 4), example.text[
            0
        ]
