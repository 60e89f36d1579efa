"""Well-known data sets, as published: the counts and labels their papers and cards give."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from probes.core.answers import ProblemType
from probes.core.errors import DataError
from probes.data.load import Columns, load_data
from tests.conftest import model_card

DATA = Path(__file__).resolve().parents[3] / ".." / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="public data sets are not beside the checkout")

SST2 = model_card(labels=("NEGATIVE", "POSITIVE"))
NLI = model_card(labels=("ENTAILMENT", "NEUTRAL", "CONTRADICTION"))


def load(source, card, **options):
    return load_data(f"{DATA}/{source}", card=card, **options)


def counts(loaded):
    return Counter(example.gold for example in loaded.examples)


def test_sst2():
    loaded = load("sst2", SST2)
    assert loaded.card.name == "sst2 (validation)"
    assert counts(loaded) == {"POSITIVE": 444, "NEGATIVE": 428}


def test_sst2_train_repeats_itself():
    loaded = load("sst2:train", SST2)
    assert loaded.card.rows_read == 67349
    assert loaded.card.n + loaded.card.rows_dropped["exact duplicate"] == 67349


def test_sst2_sentences_names_win_over_positions():
    plain = load("sst2_sentences", SST2)
    turned = load("sst2_sentences", model_card(labels=("POSITIVE", "NEGATIVE")))
    assert plain.card.rows_read == 1821
    assert counts(plain) == counts(turned) == {"POSITIVE": 909, "NEGATIVE": 912}


@pytest.mark.parametrize(
    ("topic", "labels", "rows"),
    [
        ("emotion", ("anger", "joy", "optimism", "sadness"), 1421),
        ("hate", ("not-hate", "hate"), 2970),
        ("irony", ("non_irony", "irony"), 784),
        ("offensive", ("not-offensive", "offensive"), 860),
        ("sentiment", ("negative", "neutral", "positive"), 12284),
        ("stance_climate", ("none", "against", "favor"), 169),
    ],
)
def test_tweet_eval(topic, labels, rows):
    card = load(f"tweet_eval/{topic}", model_card(labels=labels)).card
    assert card.rows_read == rows
    assert card.n == card.labelled == rows - sum(card.rows_dropped.values())
    assert set(card.rows_dropped) <= {"exact duplicate"}


def test_tweet_eval_names_its_parts():
    with pytest.raises(DataError) as caught:
        load("tweet_eval", SST2)
    assert "'offensive'" in caught.value.hint


def test_snli_pairs():
    loaded = load("snli_sample", NLI)
    assert loaded.card.rows_read == 400
    assert all(isinstance(example.text, tuple) for example in loaded.examples)
    assert set(counts(loaded)) == set(NLI.labels)


def test_counterfactual_nli_by_name():
    loaded = load("cad_nli:original_test", model_card(labels=("contradiction", "entailment", "neutral")))
    by_number = load("snli_sample:test", model_card(labels=("entailment", "neutral", "contradiction")))
    gold = {example.text: example.gold for example in by_number.examples}
    assert loaded.card.n == 400
    assert all(gold[example.text] == example.gold for example in loaded.examples)


def test_trec():
    card = model_card(labels=("ABBR", "ENTY", "DESC", "HUM", "LOC", "NUM"))
    loaded = load("trec", card, columns=Columns(label="coarse_label"))
    assert loaded.card.n == 500
    assert counts(loaded) == {"ABBR": 9, "ENTY": 94, "DESC": 138, "HUM": 65, "LOC": 81, "NUM": 113}


def test_boolq_booleans():
    loaded = load("boolq", model_card(labels=("no", "yes")), columns=Columns(label="answer"))
    assert loaded.card.rows_read == 3270
    assert counts(loaded)["yes"] == 2033


def test_hatecheck_groups_and_label_map():
    loaded = load(
        "hatecheck",
        model_card(labels=("not-hate", "hate")),
        columns=Columns(text=("test_case",), groups=("target_ident",)),
        label_map={"hateful": "hate", "non-hateful": "not-hate"},
    )
    assert loaded.card.rows_read == 2556
    assert loaded.card.notes == ()
    assert len({example.groups["target_ident"] for example in loaded.examples}) == 8


def test_bias_madlibs():
    loaded = load(
        "bias_madlibs:bias_madlibs_77k",
        model_card(labels=("fine", "toxic")),
        label_map={"BAD": "toxic", "NOT_BAD": "fine"},
    )
    assert counts(loaded) == {"toxic": 38282, "fine": 38282}


def test_ratings_for_a_regression():
    card = model_card(labels=("rating",), problem=ProblemType.REGRESSION)
    loaded = load("vader_sentiment/tweets_full.parquet", card)
    assert loaded.card.rows_read == 4200
    assert all(isinstance(example.gold, float) and -4 <= example.gold <= 4 for example in loaded.examples)


def test_compressed_lines():
    loaded = load("bbq/Age.jsonl.gz", NLI, columns=Columns(text=("question", "context"), label="label"))
    assert loaded.card.rows_read == 2544


@pytest.mark.parametrize("source", ["wnut_17", "bold", "stereoset/intrasentence_validation.jsonl"])
def test_data_without_a_text_column_is_refused(source):
    with pytest.raises(DataError, match="no column is recognised as the text"):
        load(source, SST2)


def test_wnut_17_words_and_tags():
    labels = tuple(json.loads((DATA / "wnut_17" / "labels.json").read_text()))
    loaded = load("wnut_17", model_card(labels=labels, problem=ProblemType.TOKEN))
    assert loaded.card.name == "wnut_17 (test)"
    assert loaded.card.n + sum(loaded.card.rows_dropped.values()) == 1287
    assert loaded.card.labelled > 1200
    assert all(len(example.gold) == len(example.text.split()) for example in loaded.examples)
