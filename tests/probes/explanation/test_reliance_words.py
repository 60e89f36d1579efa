"""Which word belongs to which category, and which neutral words it is compared with."""

from __future__ import annotations

import random

import numpy as np
import pytest

from probes.core.words import spans, word
from probes.explanation.reliance.categories import (
    CATEGORIES,
    IDENTITY,
    LISTED,
    NAMES,
    NUMBERS,
    PROFANITY,
    PUNCTUATION,
    URLS,
    marks,
)
from probes.explanation.reliance.matching import Controls, Kind, Marked, kinds, partners
from tests.linear_model import LinearModel


def sorted_words(text, listed=()):
    words = spans(text)
    return {word(text, words[at]): mark.category for at, mark in marks(text, words, listed=listed).items()}


def explained(text, target="positive", **weights):
    return LinearModel(weights).attribute([text], [target])[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://example.com/a?b=1 now", {"https://example.com/a?b=1": URLS}),
        ("at www.example.org!", {"www.example.org": URLS, "!": PUNCTUATION}),
        ("from example.com", {"example.com": URLS}),
        ("it costs 3.50 or 1,000", {"3.50": NUMBERS, "1,000": NUMBERS}),
        (
            "the 20th of 2021-03-04 at 10:30",
            {"20th": NUMBERS, "2021-03-04": NUMBERS, "10": NUMBERS, ":": PUNCTUATION, "30": NUMBERS},
        ),
        ("two of them, covid19 and b2b", {",": PUNCTUATION}),
        ("well ... done?! (yes)", {"...": PUNCTUATION, "?!": PUNCTUATION, "(": PUNCTUATION, ")": PUNCTUATION}),
        ("$ 5 + 5 %", {"$": PUNCTUATION, "5": NUMBERS, "+": PUNCTUATION, "%": PUNCTUATION}),
        ("good 😀", {}),
        ("what a shitty day", {"shitty": PROFANITY}),
        ("you stupid thing", {"stupid": PROFANITY}),
        ("a class of assessors from Scunthorpe", {}),
        ("then Latoya wrote to Michael", {"Latoya": NAMES, "Michael": NAMES}),
        ("a Muslim prayed", {"Muslim": IDENTITY}),
        ("murder jewish", {"jewish": IDENTITY}),
        ("black coffee", {}),
        ("Black people", {"Black": IDENTITY}),
        ("a man-made lake, a Muslim-owned shop", {",": PUNCTUATION, "Muslim-owned": IDENTITY}),
        ("nail polish", {}),
        ("", {}),
    ],
)
def test_words_of_each_category(text, expected):
    assert sorted_words(text) == expected


def test_a_word_of_two_categories_counts_in_the_more_specific_one():
    listed = ("muslim", "42", "!", "shit", "www.spam.com")
    text = "Muslim 42 ! shit www.spam.com"
    assert set(sorted_words(text, listed).values()) == {LISTED}
    assert sorted_words("www.shit.com") == {"www.shit.com": URLS}
    assert sorted_words("www.muslim2000.org") == {"www.muslim2000.org": URLS}
    assert CATEGORIES == (LISTED, URLS, PROFANITY, IDENTITY, NAMES, NUMBERS, PUNCTUATION)


def test_listed_phrases_match_whole_words_in_any_case():
    words = spans("The Red  Herring, herrings and a RED one")
    found = marks("The Red  Herring, herrings and a RED one", words, listed=("red herring", "red"))
    assert [(at, mark.word) for at, mark in found.items() if mark.category == LISTED] == [
        (1, "red herring"),
        (2, "red herring"),
        (7, "red"),
    ]


def test_an_identity_term_may_speak_of_several_axes():
    text = "the lesbian women and a Muslim's friend"
    found = marks(text, spans(text))
    assert found[1].axes == ("sexual_orientation",)
    assert found[2].axes == ("gender",)
    assert (found[5].axes, found[5].word) == (("religion",), "muslim")


def test_each_word_of_a_phrase_counts_for_what_it_tells():
    def axes(text):
        return {word(text, span): marks(text, spans(text))[at].axes for at, span in enumerate(spans(text)) if at}

    assert axes("A young woman") == {"young": ("age",), "woman": ("gender",)}
    assert axes("A Muslim man") == {"Muslim": ("religion",), "man": ("gender",)}
    assert axes("two African American") == {"African": ("race_ethnicity",), "American": ("race_ethnicity",)}
    assert [*sorted_words("from the United States")] == ["United", "States"]


def test_both_parts_of_a_pair_are_searched():
    text = ("a Muslim came", "www.a.com 7")
    words = spans(text)
    assert {(words[at].part, mark.category) for at, mark in marks(text, words).items()} == {
        (0, IDENTITY),
        (1, URLS),
        (1, NUMBERS),
    }


def test_kinds_are_place_and_length_within_the_part():
    text = ("aa bbbb ccccccc dd", "eeeee")
    assert kinds(text, spans(text)) == (
        Kind(0, 0, 0),
        Kind(0, 1, 1),
        Kind(0, 1, 2),
        Kind(0, 2, 0),
        Kind(1, 1, 1),
    )


def test_shares_of_the_attribution_in_closed_form():
    marked = Marked.of(explained("good 7 awful tea", good=3.0, awful=-1.0, **{"7": 1.0}))
    np.testing.assert_allclose(marked.shares, [0.6, 0.2, -0.2, 0.0])
    assert marked.neutral == (0, 2, 3)
    assert np.isnan(Marked.of(explained("good 7", target="negative")).shares).all()


@pytest.mark.parametrize("seed", range(5))
def test_partners_are_of_the_same_kind_where_possible_and_used_once(seed):
    marked = Marked.of(explained("one 111 two 222 three 333 four 444 five 555 six 666"))
    found = partners(marked, [1, 3, 5, 7, 9, 11], rng=random.Random(seed))
    assert sorted(found.values()) == [0, 2, 4, 6, 8, 10]
    assert found[1] in (0, 2)
    assert marked.kinds[found[5]].stretch == 1
    exact = [at for at, other in found.items() if marked.kinds[at] == marked.kinds[other]]
    assert {1, 9} <= set(exact)  # the only short word of the last quarter goes to the first that wants one
    assert found[9] == 10


def test_the_last_words_get_no_partner_when_neutral_ones_run_out():
    assert partners(Marked.of(explained("tea 1 2")), [1, 2], rng=random.Random(0)) == {1: 0}


def test_partners_are_drawn_among_equals():
    marked = Marked.of(explained("aaaa bbbb cccc dddd 1234 eeee ffff gggg hhhh"))
    drawn = {partners(marked, [4], rng=random.Random(seed))[4] for seed in range(40)}
    assert drawn == {2, 3, 5, 6}


def test_controls_come_from_the_text_or_else_from_texts_with_the_same_answer():
    texts = [
        Marked.of(explained("aaaa bbbb 1234 cccc", aaaa=1.0, bbbb=2.0, cccc=1.0)),
        Marked.of(explained("aaaa 5678 1234 cccc", aaaa=1.0, cccc=1.0)),
        Marked.of(explained("aaaa 5678 1234 cccc", target="negative", aaaa=1.0)),
    ]
    controls = Controls.of(texts)
    np.testing.assert_allclose(controls.match(0, texts[0], 2), [0.5, 0.5])
    np.testing.assert_allclose(controls.match(1, texts[1], 2), [0.5, 0.5])
    assert controls.match(2, texts[2], 2) is None


def test_controls_from_other_texts_are_on_the_scale_of_the_texts_average_word():
    longer = Marked.of(explained("aaaa bbbb bbbb bbbb bbbb dddd dddd cccc", bbbb=1.0))
    short = Marked.of(explained("aaaa 1234 5678 cccc", aaaa=1.0))
    found = Controls.of([longer, short]).match(1, short, 1)
    np.testing.assert_allclose(found, np.array([0.25, 0.25]) * (3 / 4) * 8 / 4)
