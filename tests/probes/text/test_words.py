from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.text.perturbations.perturbation import SEVERITIES
from probes.text.perturbations.words import (
    PERTURBATIONS,
    function_word_drop,
    is_negation,
    word_drop,
    word_duplicate,
    word_shuffle,
)

NEGATED = "I do not think it was never good, nothing works without effort and they can't or won’t hardly pay nobody now"
LONG = "one day the old man walked slowly down towards the river because his small boat lay there under trees"


def words(text):
    return text.replace(",", "").split()


@pytest.mark.parametrize(
    "word", ["not", "NO", "Never", "can't", "won’t", "ain't", "without", "hardly", "dont", "neither"]
)
def test_negations(word):
    assert is_negation(word)


@pytest.mark.parametrize("word", ["knot", "note", "nothingness", "ant", "nor'easter", "noon", "very"])
def test_no_negations(word):
    assert not is_negation(word)


@pytest.mark.parametrize("apply", [word_drop, function_word_drop, word_duplicate, word_shuffle])
@pytest.mark.parametrize("severity", SEVERITIES)
def test_negations_are_neither_dropped_nor_doubled_and_keep_their_order(apply, severity):
    before = [word for word in words(NEGATED) if is_negation(word)]
    assert len(before) == 8
    for seed in range(30):
        out = apply(NEGATED, severity, random.Random(seed))
        assert [word for word in words(out) if is_negation(word)] == before


def test_dropped_words_by_severity():
    counts = [len(words(LONG)) - len(words(word_drop(LONG, s, random.Random(0)))) for s in SEVERITIES]
    assert counts == [1, 2, 4, 6, 9]


@pytest.mark.parametrize("text", ["good", "Not good", "good!", "no no no", "https://a.b/c", ""])
def test_nothing_that_matters_is_dropped_from_a_short_text(text):
    assert word_drop(text, 5, random.Random(0)) == text


@given(st.lists(st.sampled_from(["fine", "a", "not", "It's", "day,", "\n", "@x", "5"]), min_size=1).map(" ".join))
def test_a_text_is_never_emptied(text):
    for apply in (word_drop, function_word_drop):
        assert bool(apply(text, 5, random.Random(0)).strip()) == bool(text.strip())


def test_what_is_dropped_leaves_single_spaces():
    assert "  " not in word_drop(LONG, 5, random.Random(1))


def test_only_small_words_are_dropped():
    out = function_word_drop("The film was a joy to watch and not too long", 5, random.Random(0))
    assert {"film", "joy", "watch", "not", "too", "long"} <= set(out.split())
    assert len(out.split()) < 10
    assert function_word_drop("Great acting, terrible script", 5, random.Random(0)) == "Great acting, terrible script"


@pytest.mark.parametrize("text", ["You must not go", "You could pay for them from Monday with him"])
def test_modals_and_directions_stay(text):
    assert function_word_drop(text, 5, random.Random(0)) == text


def test_duplicates_stand_next_to_each_other():
    out = word_duplicate(LONG, 5, random.Random(0)).split()
    doubled = [a for a, b in itertools.pairwise(out) if a == b]
    assert len(doubled) == len(out) - len(LONG.split()) == 9
    assert [w for i, w in enumerate(out) if i == 0 or out[i - 1] != w] == LONG.split()


def test_emphatic_words_are_not_doubled():
    assert word_duplicate("very so really too X", 5, random.Random(0)) == "very so really too X"


def test_shuffling_grows_with_severity():
    unique = [
        "alpha",
        "bravo",
        "charlie",
        "delta",
        "echo",
        "foxtrot",
        "golf",
        "hotel",
        "india",
        "juliet",
        "kilo",
        "lima",
    ]

    def moved(severity):
        outs = [word_shuffle(" ".join(unique), severity, random.Random(seed)).split() for seed in range(200)]
        assert all(sorted(out) == unique for out in outs)
        distances = [abs(unique.index(word) - place) for out in outs for place, word in enumerate(out)]
        return sum(distances) / len(distances), max(distances)

    means, furthest = zip(*(moved(severity) for severity in SEVERITIES), strict=True)
    assert list(means) == sorted(means)
    assert list(furthest) == [1, 2, 3, 4, 5]


def test_shuffling_always_moves_something_where_it_can():
    assert {word_shuffle("alpha bravo", 1, random.Random(seed)) for seed in range(20)} == {"bravo alpha"}


def test_shuffling_stays_between_its_barriers():
    text = "red blue, not good green grey\nnew old @user big small. End"
    for seed in range(40):
        out = word_shuffle(text, 5, random.Random(seed))
        first, second = out.split("\n")
        assert first.startswith("red blue, not good ")
        assert set(second.split()[:2]) == {"new", "old"}
        assert second.endswith(" big small. End")


@pytest.mark.parametrize("text", ["", "good", "not good", "a, b. c", "one\ntwo"])
def test_shuffling_leaves_alone(text):
    assert word_shuffle(text, 5, random.Random(0)) == text


def test_what_is_declared_about_meaning():
    assert {p.name: p.meaning for p in PERTURBATIONS} == {
        "word_drop": "may_change",
        "function_word_drop": "mostly_kept",
        "word_duplicate": "kept",
        "word_shuffle": "may_change",
    }
