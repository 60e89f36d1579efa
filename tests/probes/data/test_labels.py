"""Labels reach the model's own names by name wherever names exist, and a doubtful label is an error."""

from __future__ import annotations

import datasets
import pytest

from probes.core.answers import ProblemType
from probes.core.errors import DataError, UsageError
from probes.data.load import Columns, load_data
from tests.conftest import model_card

TOPICS = model_card(labels=("World", "Sports", "Sci/Tech"))
GENERIC = model_card(labels=("LABEL_0", "LABEL_1", "LABEL_2"))
STARS = model_card(labels=("1 star", "2 stars", "3 stars", "4 stars", "5 stars"))
NLI = model_card(labels=("entailment", "neutral", "contradiction"))
EMOTIONS = model_card(labels=("joy", "fear", "anger"), problem=ProblemType.MULTI_LABEL)
SCORE = model_card(labels=("score",), problem=ProblemType.REGRESSION)


@pytest.fixture
def golds(load_rows):
    def load(labels, card, **options):
        rows = [{"text": f"text {n}", "label": label} for n, label in enumerate(labels)]
        return [example.gold for example in load_rows(rows, card=card, **options).examples]

    return load


@pytest.fixture
def class_labels(tmp_path):
    """Data with ClassLabel features, as Parquet and as a saved folder."""

    def load(numbers, names, card, *, saved, **options):
        features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)})
        texts = [f"text {n}" for n in range(len(numbers))]
        data = datasets.Dataset.from_dict({"text": texts, "label": numbers}, features=features)
        path = tmp_path / ("saved" if saved else "data.parquet")
        data.save_to_disk(path) if saved else data.to_parquet(path)
        loaded = load_data(str(path), card=card, **options)
        return [example.gold for example in loaded.examples], loaded.card

    return load


@pytest.mark.parametrize(
    "labels",
    [
        ["World", "Sci/Tech"],
        ["world", "sci_tech"],
        [" WORLD ", "SCI-TECH"],
        [0, 2],
        ["0", "2"],
        [0.0, 2.0],
        ["LABEL_0", "LABEL_2"],
    ],
)
def test_names_then_names_but_for_case_then_numbers(golds, labels):
    assert golds(labels, TOPICS) == ["World", "Sci/Tech"]


def test_numbers_are_noted_names_are_not(load_rows):
    assert load_rows([{"text": "a", "label": "world"}], card=TOPICS).card.notes == ()
    [note] = load_rows([{"text": "a", "label": 1}], card=TOPICS).card.notes
    assert "1 = Sports" in note


def test_numbers_are_told_in_their_order(load_rows):
    card = model_card(labels=tuple(f"kind {letter}" for letter in "abcdefghijkl"))
    [note] = load_rows([{"text": f"text {n}", "label": n} for n in (10, 2, 0, 11)], card=card).card.notes
    assert note.endswith("Check that this is right: 0 = kind a, 2 = kind c, 10 = kind k, 11 = kind l.")


@pytest.mark.parametrize("saved", [True, False])
def test_class_label_order_is_resolved_by_name(class_labels, saved):
    found, card = class_labels(
        [0, 1, 0], ["positive", "negative"], model_card(labels=("NEGATIVE", "POSITIVE")), saved=saved
    )
    assert found == ["POSITIVE", "NEGATIVE", "POSITIVE"]
    assert card.notes == ()


@pytest.mark.parametrize("saved", [True, False])
def test_class_label_minus_one_is_unlabelled(class_labels, saved):
    found, card = class_labels([-1, 1], ["negative", "positive"], model_card(), saved=saved)
    assert found == [None, "positive"]
    assert card.labelled == 1


def test_class_label_names_that_differ_are_never_read_by_position(class_labels):
    with pytest.raises(DataError, match="data has: 'neg', 'pos'; model has: 'NEGATIVE', 'POSITIVE'") as caught:
        class_labels([0, 1], ["neg", "pos"], model_card(labels=("NEGATIVE", "POSITIVE")), saved=False)
    assert "--label-map neg=NEGATIVE --label-map pos=POSITIVE" in caught.value.hint


def test_class_label_names_with_a_model_without_names(class_labels):
    found, card = class_labels([2, 0], ["a", "b", "c"], GENERIC, saved=False)
    assert found == ["LABEL_2", "LABEL_0"]
    assert "c = LABEL_2" in card.notes[0]
    with pytest.raises(DataError, match="do not fit"):
        class_labels([1, 0], ["a", "b"], GENERIC, saved=False)


def test_text_beside_the_numbers_names_them(load_rows):
    rows = [{"text": "a", "label": 0, "label_text": "positive"}, {"text": "b", "label": 1, "label_text": "negative"}]
    assert [example.gold for example in load_rows(rows).examples] == ["positive", "negative"]


def test_text_beside_the_numbers_is_no_use_to_a_model_without_names(load_rows):
    rows = [{"text": "a", "label": 2, "label_text": "good"}, {"text": "b", "label": 0, "label_text": "bad"}]
    assert [example.gold for example in load_rows(rows, card=GENERIC).examples] == ["LABEL_2", "LABEL_0"]


def test_text_beside_the_numbers_that_contradicts_itself_is_not_used(load_rows):
    rows = [{"text": f"t{n}", "label": n % 2, "label_text": name} for n, name in enumerate(["x", "y", "z"])]
    assert [example.gold for example in load_rows(rows).examples] == ["negative", "positive", "negative"]


def test_numbers_in_the_names_of_the_model_win_over_positions(golds):
    assert golds([1, 5, 3], STARS) == ["1 star", "5 stars", "3 stars"]
    assert golds(["1", "4"], STARS) == ["1 star", "4 stars"]
    with pytest.raises(DataError, match="data has: '0', '1'"):
        golds([0, 1], STARS)


def test_names_that_are_numbers_in_another_order(golds):
    assert golds([0, 1], model_card(labels=("1", "0"))) == ["0", "1"]


@pytest.mark.parametrize("labels", [[True, False], ["true", "false"], ["True", "False"]])
def test_booleans_for_two_labels(golds, labels):
    assert golds(labels, model_card()) == ["positive", "negative"]
    assert golds(labels, model_card(labels=("TRUE", "FALSE"))) == ["TRUE", "FALSE"]
    with pytest.raises(DataError):
        golds(labels, TOPICS)


@pytest.mark.parametrize(
    "labels",
    [
        [0, 3],
        ["World", "Politics"],
        ["World", "1"],
        ["World", 1],
        [0.5, 0],
        ["", "Politcs"],
        [-2, 0],
        ["1e400"],
        ["²"],
        ["9" * 5000],
    ],
)
def test_labels_that_do_not_fit_list_both_sides(golds, labels):
    with pytest.raises(DataError, match=r"data has: .*; model has: 'World', 'Sports', 'Sci/Tech'") as caught:
        golds(labels, TOPICS)
    assert "--label-map" in caught.value.hint


def test_many_labels_are_listed_shortly(golds):
    with pytest.raises(DataError) as caught:
        golds([f"{'name ' * 40}{n}" for n in range(500)], TOPICS)
    assert "and 488 more" in caught.value.message
    assert len(caught.value.message) < 1200


@pytest.mark.parametrize("missing", [None, "", float("nan"), "  "])
def test_missing_labels_are_unlabelled(golds, missing):
    assert golds([missing, "Sports"], TOPICS) == [None, "Sports"]


def test_minus_one(golds):
    assert golds([-1, 0, 1, 2], NLI) == [None, "entailment", "neutral", "contradiction"]
    assert golds([-1, -1], NLI) == [None, None]
    for labels in ([-1, 0, 1], ["-1", "1"]):
        with pytest.raises(DataError, match="-1 may be a class"):
            golds(labels, NLI)
    assert golds([-1, 0, 1], NLI, label_map={"-1": "contradiction", "0": "neutral", "1": "entailment"}) == [
        "contradiction",
        "neutral",
        "entailment",
    ]


def test_label_map(load_rows):
    rows = [{"text": f"t{n}", "label": label} for n, label in enumerate(["good", "bad", "mixed", "positive"])]
    loaded = load_rows(rows, label_map={"good": "POSITIVE", "bad": "negative", "mixed": "-", "other": "negative"})
    assert [example.gold for example in loaded.examples] == ["positive", "negative", "positive"]
    assert loaded.card.rows_dropped == {"left out by --label-map": 1}
    assert any("'other'" in note for note in loaded.card.notes)


def test_label_map_to_a_label_the_model_does_not_have(load_rows):
    with pytest.raises(UsageError, match="no label 'postive'") as caught:
        load_rows([{"text": "a", "label": "good"}], label_map={"good": "postive"})
    assert caught.value.hint == "did you mean positive?"


def test_label_map_without_labels_to_map(load_rows):
    for card in (model_card(), SCORE):
        with pytest.raises(UsageError, match="no column of label names"):
            load_rows([{"text": "a", "score": 1}], card=card, label_map={"1": "positive"})


@pytest.mark.parametrize("label", [["positive"], {"a": 1}])
def test_structures_are_no_label(golds, label):
    with pytest.raises(DataError, match="which is no label"):
        golds([label], model_card())


def test_normalised_names_that_clash_match_exactly_only(golds):
    card = model_card(labels=("a_b", "a-b"))
    assert golds(["a-b", "a_b"], card) == ["a-b", "a_b"]
    with pytest.raises(DataError):
        golds(["A B"], card)


def test_multi_label_lists(golds):
    assert golds([["fear", "JOY"], [], None, "anger"], EMOTIONS) == [("joy", "fear"), (), None, ("anger",)]
    assert golds([[2, 0], [1]], EMOTIONS) == [("joy", "anger"), ("fear",)]


@pytest.mark.parametrize("kind", [int, float, bool])
def test_multi_label_indicator_lists(golds, kind):
    lists = [[kind(bit) for bit in bits] for bits in ([0, 1, 1], [0, 0, 0], [1, 0, 0])]
    assert golds(lists, EMOTIONS) == [("fear", "anger"), (), ("joy",)]


def test_multi_label_lists_with_two_readings(golds):
    card = model_card(labels=("joy", "fear"), problem=ProblemType.MULTI_LABEL)
    assert golds([[0.0, 1.0]], card) == [("fear",)]
    assert golds([[0, 1], [1, 1]], card) == [("fear",), ("joy", "fear")]
    with pytest.raises(DataError, match="may hold label numbers or one 0/1"):
        golds([[0, 1], [1, 0]], card)


def test_multi_label_class_labels(tmp_path):
    feature = datasets.Sequence(datasets.ClassLabel(names=["anger", "joy", "fear"]))
    features = datasets.Features({"text": datasets.Value("string"), "labels": feature})
    data = datasets.Dataset.from_dict({"text": ["a", "b"], "labels": [[0, 1], [2]]}, features=features)
    data.save_to_disk(tmp_path / "saved")
    data.to_parquet(tmp_path / "data.parquet")
    for source in ("saved", "data.parquet"):
        loaded = load_data(str(tmp_path / source), card=EMOTIONS)
        assert [example.gold for example in loaded.examples] == [("joy", "anger"), ("fear",)]


def test_multi_label_map_drops_rows(load_rows):
    rows = [{"text": "a", "label": ["joy", "spam"]}, {"text": "b", "label": ["joy"]}]
    loaded = load_rows(rows, card=EMOTIONS, label_map={"spam": "-"})
    assert [example.text for example in loaded.examples] == ["b"]
    assert loaded.card.rows_dropped == {"left out by --label-map": 1}


def test_multi_label_columns_of_zeros_and_ones(load_bytes):
    loaded = load_bytes(
        b"text,Fear,JOY,anger\na,0,1,1\nb,1,0,0\nc,0,0,0\nd,,1,0\ne,-1,-1,-1\nf,1.0,0.0,0.0\n", card=EMOTIONS
    )
    assert [example.gold for example in loaded.examples] == [("joy", "anger"), ("fear",), (), None, None, ("fear",)]
    with pytest.raises(DataError, match="'anger' is read as one of the model's labels, but holds '2'"):
        load_bytes(b"text,fear,joy,anger\na,0,1,2\n", card=EMOTIONS)


def test_multi_label_columns_incomplete(load_bytes):
    card = load_bytes(b"text,fear,joy\na,0,1\n", card=EMOTIONS).card
    assert card.labelled == 0
    assert "'fear', 'joy'" in card.notes[0]


def test_regression_scores(load_rows):
    rows = [
        {"text": f"t{n}", "score": s}
        for n, s in enumerate([1, 2.5, "3.5", None, float("nan"), float("inf"), "-inf", ""])
    ]
    loaded = load_rows(rows, card=SCORE)
    assert [example.gold for example in loaded.examples] == [1.0, 2.5, 3.5, None, None]
    assert loaded.card.rows_dropped == {"label is not a finite number": 3}


@pytest.mark.parametrize("score", ["high", [1], {"a": 1}])
def test_regression_with_words(load_rows, score):
    with pytest.raises(DataError, match="should hold scores"):
        load_rows([{"text": "a", "score": score}], card=SCORE)


def test_a_named_label_column_without_any_label(load_rows):
    loaded = load_rows([{"text": "a", "y": None}], columns=Columns(label="y"))
    assert loaded.card.labelled == 0
    assert "Items without a label: 1 of 1." in loaded.card.notes
