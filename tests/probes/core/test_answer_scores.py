"""Exact match and F1 as in the SQuAD evaluation, against examples worked by hand and a second implementation."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.core.answer_scores import exact_match, f1, normalised


def plainly(text):
    """The normalisation as the paper words it, letter by letter, without the regular expressions."""
    letters = "".join(sign for sign in text.lower() if sign not in string.punctuation)
    words, word = [], ""
    for sign in [*letters, " "]:
        # An article is a whole word in the sense of regular expressions: letters, digits and underscores.
        if sign.isalnum() or sign == "_":
            word += sign
            continue
        if word not in ("a", "an", "the"):
            words.append(word)
        else:
            words.append(" ")
        words.append(sign)
        word = ""
    return " ".join("".join(words).split())


def overlap_by_hand(answer, gold):
    """F1 by taking shared words away one at a time."""
    left, right = plainly(answer).split(), plainly(gold).split()
    if not left or not right:
        return 1.0 if left == right else 0.0
    rest, shared = list(right), 0
    for word in left:
        if word in rest:
            rest.remove(word)
            shared += 1
    if not shared:
        return 0.0
    precision, recall = shared / len(left), shared / len(right)
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Eiffel Tower!", "eiffel tower"),
        ("an apple, a pear", "apple pear"),
        ("theatre", "theatre"),
        ("U.S.A.", "usa"),
        ("the", ""),
        ("naïve", "naïve"),
    ],
)
def test_normalisation(text, expected):
    assert normalised(text) == expected


@pytest.mark.parametrize(
    ("answer", "golds", "match", "overlap"),
    [
        ("the Denver Broncos", ["Denver Broncos"], 1.0, 1.0),
        ("Broncos", ["Denver Broncos"], 0.0, 2 / 3),
        ("Denver Broncos of Colorado", ["Denver Broncos", "Broncos of Colorado"], 0.0, 6 / 7),
        ("Panthers", ["Denver Broncos"], 0.0, 0.0),
        ("", ["Denver Broncos"], 0.0, 0.0),
        ("", [], 1.0, 1.0),
        ("Broncos", [], 0.0, 0.0),
        ("", ["the"], 1.0, 1.0),
        ("one one two", ["one two two"], 0.0, 2 / 3),
    ],
)
def test_worked_examples(answer, golds, match, overlap):
    assert exact_match(answer, golds) == match
    assert f1(answer, golds) == pytest.approx(overlap)


WORDS = st.lists(
    st.sampled_from(["the", "a", "an", "Rome", "rome", "in", "1931", "St.", "o'clock", "-", "the_end", "é"]), max_size=6
).map(" ".join)


@given(WORDS, st.lists(WORDS, max_size=3))
def test_second_implementation_agrees(answer, golds):
    kept = [gold for gold in golds if plainly(gold)] or [""]
    assert f1(answer, golds) == pytest.approx(max(overlap_by_hand(answer, gold) for gold in kept))
    assert exact_match(answer, golds) == max(float(plainly(answer) == plainly(gold)) for gold in kept)
