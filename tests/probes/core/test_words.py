from __future__ import annotations

import unicodedata

import pytest

from probes.core.words import EMPTY, Span, spans, without, word


def words(text):
    return [word(text, span) for span in spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I don't think it's well-kept: 3.5!!", ["I", "don't", "think", "it's", "well-kept", ":", "3.5", "!!"]),
        ("see https://a.org/b?c=d, or www.e.org.", ["see", "https://a.org/b?c=d", ",", "or", "www.e.org", "."]),
        ("", []),
        (" \t\n", []),
        ("naïve Σίσυφος привет", ["naïve", "Σίσυφος", "привет"]),
        ("\U0001f44d\U0001f3fd\u2764\ufe0f ok", ["\U0001f44d\U0001f3fd\u2764\ufe0f", "ok"]),
    ],
)
def test_words_are_what_a_reader_takes_for_one(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("हिन्दी में लिखा", ["हिन्दी", "में", "लिखा"]),
        ("বাংলা ভাষা", ["বাংলা", "ভাষা"]),
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("בְּרֵאשִׁית בָּרָא", ["בְּרֵאשִׁית", "בָּרָא"]),
        ("مَرْحَبًا", ["مَرْحَبًا"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("한국어 문장", ["한국어", "문장"]),
    ],
)
def test_vowel_signs_and_accents_belong_to_their_word(text, expected):
    assert words(text) == expected
    assert words(unicodedata.normalize("NFD", "a naïve café")) == [
        unicodedata.normalize("NFD", each) for each in ("a", "naïve", "café")
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("東京 tower", ["東", "京", "tower"]),
        ("映画は、最高", ["映", "画", "は", "、", "最", "高"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("น้ำ", ["น้ำ"]),
        ("ကျေးဇူး", ["ကျေး", "ဇူး"]),
        ("\U00020000\U00020001", ["\U00020000", "\U00020001"]),
    ],
)
def test_without_blanks_each_character_with_its_signs_is_a_word(text, expected):
    assert words(text) == expected


def test_no_character_but_blanks_is_lost():
    text = "Ab 東京 ก้ 3️⃣\u200b हि (x)—y_z ..."
    held = {place for span in spans(text) for place in range(span.start, span.end)}
    assert [sign for place, sign in enumerate(text) if place not in held and not sign.isspace()] == []
    assert [*spans(text)] == sorted(spans(text))


def test_a_pair_has_the_words_of_both_and_loses_them_apart():
    pair = ("a b", "c")
    assert spans(pair) == (Span(0, 0, 1), Span(0, 2, 3), Span(1, 0, 1))
    assert without(pair, {Span(0, 2, 3)}) == ("a", "c")
    assert without(pair, {Span(1, 0, 1)}) == ("a b", EMPTY)
    assert without("東京 ab", {Span(0, 1, 2)}) == "東 ab"
