"""Where the words of a text stand after changes, and which words of the first text they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.robustness.adversarial.attacked import Attacked, Edit

TEXT = "The film, I'd say, was a well-made one."
WORDS = ["The", "film", "I'd", "say", "was", "a", "well-made", "one"]
PUT_IN = st.sampled_from(["", "x", "flick", "two words", "three, of them", " ", "!"])


@given(st.lists(st.dictionaries(st.integers(0, 20), PUT_IN, max_size=4), max_size=4))
def test_every_word_stands_where_it_is_said_to_stand_and_is_what_it_was_or_was_put_in(rounds):
    now = Attacked.of(TEXT)
    for edits in rounds:
        change = tuple(Edit(place, text) for place, text in sorted(edits.items()) if place < len(now))
        expected = []  # (word of the first text, word now), one after the other
        put_in = dict(change)
        for place, (origin, word) in enumerate(zip(now.origins, now.words, strict=True)):
            words = Attacked.of(put_in[place]).words if place in put_in else (word,)
            expected += [(origin, each) for each in words]
        edited = now.edited | {now.origins[edit.place] for edit in change}
        text, before = now.changed(change), len(now.steps)
        now = now.after(change)
        assert now.text == text
        assert list(zip(now.origins, now.words, strict=True)) == expected
        assert [now.text[start:end] for start, end in now.spans] == list(now.words)
        assert now.edited == edited
        assert [put_in for _, put_in in now.steps[before:]] == [edit.text for edit in change]
        assert now.first == tuple(WORDS)
        for origin in range(len(WORDS)):
            assert list(now.places_of(origin)) == [at for at, own in enumerate(now.origins) if own == origin]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nai\u0308ve fiance\u0301's cafe\u0301", ["nai\u0308ve", "fiance\u0301's", "cafe\u0301"]),
        ("यह फिल्म बहुत अच्छी है।", ["यह", "फिल्म", "बहुत", "अच्छी", "है"]),
        ("z\u0300\u0301a\u0302lgo- \u0301 x", ["z\u0300\u0301a\u0302lgo", "x"]),
        ("well-made_one @home 'tis don't- A", ["well-made_one", "home", "tis", "don't", "A"]),
    ],
)
def test_accents_and_vowel_signs_stay_with_their_letters(text, words):
    start = Attacked.of(text)
    assert list(start.words) == words
    assert [text[a:b] for a, b in start.spans] == words


def test_a_word_that_is_taken_away_takes_a_blank_with_it():
    start = Attacked.of(TEXT)
    assert start.after((Edit(0, ""), Edit(6, ""))).text == "film, I'd say, was a one."
    assert start.after((Edit(1, ""),)).text == "The, I'd say, was a well-made one."
    assert start.after((Edit(0, ""), Edit(1, ""))).words == tuple(WORDS[2:])


def test_words_that_are_put_in_count_and_a_word_that_became_several_is_one():
    start = Attacked.of("The film was fine")
    assert start.count_edited == 0
    assert start.after((Edit(0, "one two three The"),)).count_edited == 3
    assert start.after((Edit(1, "motion picture"),)).count_edited == 1
    assert start.after((Edit(1, "fi lm"), Edit(3, ""))).count_edited == 2
    assert start.after((Edit(0, "one two three four five The"),)).share_edited == 1.0
