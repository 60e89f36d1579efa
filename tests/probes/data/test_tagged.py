"""Data of words and tags, from the file to examples."""

from __future__ import annotations

import json

import pytest

from probes.core.answers import ProblemType
from probes.core.errors import DataError, UsageError
from probes.data.load import Columns, load_data
from tests.conftest import model_card

LABELS = ("O", "B-person", "I-person", "B-place", "I-place")
ROWS = [
    {"tokens": ["Ada", "Lovelace", "saw", "Rome", "."], "ner_tags": ["B-person", "I-person", "O", "B-place", "O"]},
    {"tokens": ["No", "name", "here"], "ner_tags": ["O", "O", "O"]},
]


def card(labels=LABELS):
    return model_card(labels=labels, problem=ProblemType.TOKEN)


def load(tmp_path, rows, *, labels=LABELS, name="data.jsonl", **how):
    path = tmp_path / name
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return load_data(str(path), card=card(labels), **how)


def test_words_are_joined_and_tags_kept(tmp_path):
    loaded = load(tmp_path, ROWS)
    first, second = loaded.examples
    assert first.text == "Ada Lovelace saw Rome ."
    assert first.gold == ("B-person", "I-person", "O", "B-place", "O")
    assert second.gold == ("O", "O", "O")
    assert loaded.card.labelled == 2


@pytest.mark.parametrize("column", ["tags", "labels", "ner_tags"])
def test_usual_names_of_the_tag_column(tmp_path, column):
    rows = [{"id": "7", "tokens": row["tokens"], column: row["ner_tags"], "pos_tags": ["X"]} for row in ROWS]
    assert load(tmp_path, rows).card.labelled == 2


def test_two_columns_of_tags_are_asked_about(tmp_path):
    rows = [{**row, "tags": row["ner_tags"]} for row in ROWS]
    with pytest.raises(DataError, match="the label could be"):
        load(tmp_path, rows)
    assert load(tmp_path, rows, columns=Columns(label="tags")).card.labelled == 2


def test_numbers_are_read_by_the_models_own_order_with_a_note(tmp_path):
    rows = [{"tokens": row["tokens"], "ner_tags": [LABELS.index(tag) for tag in row["ner_tags"]]} for row in ROWS]
    loaded = load(tmp_path, rows)
    assert loaded.examples[0].gold == ("B-person", "I-person", "O", "B-place", "O")
    assert any("numbers were used" in note for note in loaded.card.notes)


@pytest.mark.parametrize("kind", ["parquet", "saved"])
def test_numbers_are_named_by_the_data_where_they_say(tmp_path, kind):
    datasets = pytest.importorskip("datasets")
    own = ("B-place", "I-place", "O", "B-person", "I-person")  # another order than the model's
    lists = getattr(datasets, "List", datasets.Sequence)
    features = datasets.Features(
        {"tokens": lists(datasets.Value("string")), "ner_tags": lists(datasets.ClassLabel(names=list(own)))}
    )
    columns = {
        "tokens": [row["tokens"] for row in ROWS],
        "ner_tags": [[own.index(tag) for tag in row["ner_tags"]] for row in ROWS],
    }
    data = datasets.Dataset.from_dict(columns, features=features)
    path = tmp_path / ("test.parquet" if kind == "parquet" else "folder")
    data.to_parquet(path) if kind == "parquet" else data.save_to_disk(path)
    loaded = load_data(str(path), card=card())
    assert loaded.examples[0].gold == ("B-person", "I-person", "O", "B-place", "O")


def test_tags_the_model_does_not_have_are_refused_with_both_sides(tmp_path):
    with pytest.raises(DataError, match=r"data has: 'B-person'.*model has: 'O', 'B-PER'") as error:
        load(tmp_path, ROWS, labels=("O", "B-PER", "I-PER"))
    assert "--label-map" in error.value.hint
    mapped = {"B-person": "B-PER", "I-person": "I-PER", "B-place": "O"}
    loaded = load(tmp_path, ROWS, labels=("O", "B-PER", "I-PER"), label_map=mapped)
    assert loaded.examples[0].gold == ("B-PER", "I-PER", "O", "O", "O")
    dropped = load(tmp_path, ROWS, labels=("O", "B-PER", "I-PER"), label_map=mapped | {"B-place": "-"})
    assert dropped.card.rows_dropped == {"left out by --label-map": 1}


def test_rows_that_cannot_be_used_are_counted(tmp_path):
    rows = [
        *ROWS,
        {"tokens": ["two", "words"], "ner_tags": ["O"]},
        {"tokens": ["a blank", "inside"], "ner_tags": ["O", "O"]},
        {"tokens": ["", "empty"], "ner_tags": ["O", "O"]},
        {"tokens": [], "ner_tags": []},
        {"tokens": ["unlabelled", "row"], "ner_tags": None},
    ]
    loaded = load(tmp_path, rows)
    assert loaded.card.rows_dropped == {
        "not one tag for each word": 1,
        "a word is no text, empty, or holds a blank": 2,
        "text is not a string": 1,
    }
    assert loaded.card.n == 3
    assert loaded.card.labelled == 2


def test_plain_texts_without_tags_are_read_too(tmp_path):
    loaded = load(tmp_path, [{"text": "Ada  saw\tRome."}])
    assert loaded.examples[0].text == "Ada saw Rome."
    assert loaded.card.labelled == 0


def test_one_label_for_a_sentence_is_no_tagging(tmp_path):
    with pytest.raises(DataError, match="not one tag for each word"):
        load(tmp_path, [{"text": "Ada saw Rome", "label": "O"}])


def test_pairs_are_refused(tmp_path):
    with pytest.raises(UsageError, match="not a pair"):
        load(tmp_path, [{"a": "x", "b": "y"}], columns=Columns(text=("a", "b")))


CONLL = """-DOCSTART- -X- O O

# sent_id = 1
Ada NNP B-NP B-person
Lovelace NNP I-NP I-person
saw VBD B-VP O
Rome NNP B-NP B-place
. . O O

# NN B-NP O
again RB O O
"""


@pytest.mark.parametrize("ending", ["conll", "iob", "bio"])
def test_conll_files(tmp_path, ending):
    path = tmp_path / f"test.{ending}"
    path.write_text(CONLL, encoding="utf-8")
    loaded = load_data(str(path), card=card())
    assert [example.text for example in loaded.examples] == ["Ada Lovelace saw Rome .", "# again"]
    assert loaded.examples[0].gold == ("B-person", "I-person", "O", "B-place", "O")
    assert any("the first was read as words and the last as tags" in note for note in loaded.card.notes)


def test_conll_with_two_columns_and_tabs(tmp_path):
    path = tmp_path / "data.conll"
    path.write_text("Ada\tB-person\r\nsaw\tO\r\n\r\n\r\nRome\tB-place", encoding="utf-8")
    loaded = load_data(str(path), card=card())
    assert [example.text for example in loaded.examples] == ["Ada saw", "Rome"]
    assert loaded.card.notes == ()


@pytest.mark.parametrize(("text", "where"), [("Ada B-person\nsaw\n", "line 2"), ("Ada\t\n", "line 1")])
def test_conll_line_without_a_tag_is_refused(tmp_path, text, where):
    path = tmp_path / "data.conll"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=where):
        load_data(str(path), card=card())
