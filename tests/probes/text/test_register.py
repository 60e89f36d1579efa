from __future__ import annotations

import random

import pytest

from probes.text.lexicon import rows
from probes.text.perturbations.dialects import dialect_aae, dialect_indian_english, dialect_singapore_english
from probes.text.perturbations.register import NEUTRAL_EMOJI, PERTURBATIONS, emoji, slang


def most(apply, text):
    return apply(text, 5, random.Random(1))


def test_the_agreed_names():
    names = [p.name for p in PERTURBATIONS]
    assert names[:4] == ["slang", "emoji", "dialect_aae", "dialect_indian_english"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("because", "cuz"),
        ("Because", "Cuz"),
        ("BECAUSE", "CUZ"),
        ("going to be", "gonna be"),
        ("Laugh out loud", "Lol"),
        ("as far as I know", "afaik"),
        ("it is kind of nice", "it is kinda nice"),
        ("Thank you very much!", "Tysm!"),
        ("YOU SLEPT", "U SLEPT"),
    ],
)
def test_slang(text, expected):
    assert most(slang, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "I'm going to the store",
        "going to work",
        "this kind of thing",
        "a kind of magic",
        "the Great Gatsby",
        "You.com",
        "the US team",
        "great-grandfather",
        "He did not, never, no!",
        "@you #great https://a.b/please",
    ],
)
def test_slang_leaves_alone(text):
    assert most(slang, text) == text


def test_half_of_the_places_at_the_highest_severity():
    text = "because people please tomorrow message weekend probably minutes"
    out = most(slang, text)
    kept = set(out.split()) & set(text.split())
    assert len(kept) == 4


@pytest.mark.parametrize("emoticon", [row[0] for row in rows("emoticons")])
def test_emoticons_change_both_ways(emoticon):
    picture = dict(rows("emoticons"))[emoticon]
    assert emoji(f"nice {emoticon}", 1, random.Random(0)).startswith(f"nice {picture}")
    assert emoji(f"nice {picture}", 1, random.Random(0)).startswith(f"nice {emoticon}")


@pytest.mark.parametrize(
    "text", ["http://a.b/c", "(see note:)", "at 10:D", "ratio 3:/4", "dates:(1999)", "a ❤️‍🔥 b", "👍🏽"]
)
def test_no_emoticon_is_seen_where_there_is_none(text):
    out = emoji(text, 1, random.Random(0))
    for added in NEUTRAL_EMOJI:
        out = out.replace(f" {added}", "")
    assert out == text


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_as_many_neutral_emoji_as_the_severity_in_growing_sets(severity):
    text = "one two three four five six seven"

    def added(level):
        return [sign for sign in emoji(text, level, random.Random(7)) if sign in NEUTRAL_EMOJI]

    assert len(added(severity)) == severity
    assert set(added(max(1, severity - 1))) <= set(added(severity))


def test_neutral_emoji_are_no_faces_hearts_or_hands():
    faces = {picture for _, picture in rows("emoticons")}
    assert faces.isdisjoint(NEUTRAL_EMOJI)
    assert all(len(sign) == 1 for sign in NEUTRAL_EMOJI)


def test_emoji_leave_an_empty_text():
    assert [emoji(text, 5, random.Random(0)) for text in ("", " \n")] == ["", " \n"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("They are working on it.", "They working on it."),
        ("He is tired.", "He tired."),
        ("You’re late", "You late"),
        ("He's always complaining", "He always be complaining"),
        ("I don't have any money.", "I don't have no money."),
        ("They didn't say anything.", "They didn't say nothing."),
        ("I never saw anybody.", "I never saw nobody."),
        ("It isn't cold.", "It ain't cold."),
        ("I haven't seen it", "I ain't seen it"),
        ("It’s odd, it isn’t it", "It’s odd, it ain’t it"),
        ("She knows that he wants it.", "She know that he want it."),
        ("It doesn't matter.", "It don't matter."),
    ],
)
def test_dialect_aae(text, expected):
    assert most(dialect_aae, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "I am tired.",
        "I'm working.",
        "He was working.",
        "I know what they are.",
        "They're a team",
        "Is he working?",
        "We don't use any more.",
        "The king is singing.",
        "the US team is here",
        "They are the king",
        "The film is not only smart",
        "it's gone",
        "Wheels knows",
    ],
)
def test_dialect_aae_leaves_alone(text):
    assert most(dialect_aae, text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I know the answer.", "I am knowing the answer."),
        ("It is late and she likes it", "It is late and she is liking it"),
        ("You like it, don't you?", "You like it, isn't it?"),
        ("This morning I saw it two years ago.", "Today morning I saw it two years back."),
        ("We discussed the plan last night.", "We discussed about the plan yesterday night."),
        ("Please send some feedback.", "Kindly send some feedbacks."),
        ("I have a question.", "I am having a question."),
        ("They want to return it.", "They are wanting to return back it."),
    ],
)
def test_dialect_indian_english(text, expected):
    assert most(dialect_indian_english, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Do you know?",
        "Do they want it?",
        "Did I know that?",
        "You know, fine.",
        "I need not go.",
        "I have been there.",
        "Please, thanks.",
        "the last night of the trip",
        "the feedback is good",
        "The return to work",
    ],
)
def test_dialect_indian_english_leaves_alone(text):
    assert most(dialect_indian_english, text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("They are late", "They late"),
        ("There is a queue", "Got a queue"),
        ("I have paid", "I pay already"),
        ("You like it, don't you?", "You like it, is it?"),
        ("It costs five dollars", "It cost five dollars"),
        ("The food is ready.", "The food is ready lah."),
    ],
)
def test_dialect_singapore_english(text, expected):
    assert most(dialect_singapore_english, text) == expected


@pytest.mark.parametrize(
    "text", ["Fruit etc.", "I am late", "Is there a queue?", "I have paid the bill", "example.com."]
)
def test_dialect_singapore_english_leaves_alone(text):
    assert most(dialect_singapore_english, text) == text


@pytest.mark.parametrize("dialect", [dialect_aae, dialect_indian_english, dialect_singapore_english])
@pytest.mark.parametrize(
    "text", ["He is not good.", "I do not like any of it.", "She never said anything.", "It isn't so."]
)
def test_dialects_keep_every_negation(dialect, text):
    out = most(dialect, text).lower()
    assert any(word in out for word in ("not", "never", "n't"))
