from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.text.lexicon import rows
from probes.text.perturbations.contractions import contractions, expansions
from probes.text.perturbations.lexical import PERTURBATIONS, american_spelling, british_spelling, homophones
from probes.text.perturbations.number_words import in_digits, in_words, number_words
from probes.text.perturbations.phrases import like_case


def most(apply, text):
    return apply(text, 5, random.Random(1))


def test_the_agreed_names():
    names = ["homophones", "contractions", "expansions", "number_words", "british_spelling", "american_spelling"]
    assert [p.name for p in PERTURBATIONS] == names


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("their", {"there", "they're"}),
        ("Weather", {"Whether"}),
        ("THEIR", {"THERE", "THEY'RE"}),
        ("It’s", {"Its"}),
        ("its", {"it's"}),
        ("Hear", {"Here"}),
        ("YOUR", {"YOU'RE"}),
    ],
)
def test_homophones(text, options):
    assert {homophones(text, 1, random.Random(seed)) for seed in range(20)} == options


@pytest.mark.parametrize(
    "text",
    [
        "courier.co.uk",
        "May 5",
        "won't",
        "Mr. Wright",
        "J. Wright",
        "the Wright brothers",
        "Rose Wright",
        "no one has never said not",
        "right-hand",
        "their.com",
        "/right/read",
        "wholesale rightly",
        "size=right",
        "the US",
        "",
    ],
)
def test_homophones_leave_alone(text):
    assert most(homophones, text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I do not like it.", "I don't like it."),
        ("It is great and I will not go.", "It's great and I'll not go."),
        ("We have never seen it.", "We've never seen it."),
        ("You cannot and should not.", "You can't and shouldn't."),
        ("Do not do it!", "Don't do it!"),
        ("IT IS NOT GOOD", "IT'S NOT GOOD"),
        ("DO NOT ENTER here", "DON'T ENTER here"),
        ("I am sure they are late", "I'm sure they're late"),
        ("It’s bad and I am sad", "It’s bad and I’m sad"),
        ("She said she is happy.", "She said she's happy."),
    ],
)
def test_contractions(text, expected):
    assert most(contractions, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Yes, I am.",
        "I know what it is like.",
        "How good it is!",
        "He cannot only sing but dance.",
        "I have a dog.",
        "The IT is down.",
        "You are, I think.",
        "as good as it is cheap",
        "They're a team",
        "won't",
        "this is not-so-good",
        "visit it.is",
        "She has red shoes.",
        "He is and always was.",
    ],
)
def test_contractions_leave_alone(text):
    assert most(contractions, text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I don't know.", "I do not know."),
        ("Don't go!", "Do not go!"),
        ("It's been great, isn't it?", "It has been great, isn't it?"),
        ("He's a doctor. He's going.", "He is a doctor. He is going."),
        ("I won't, can't and shan't.", "I will not, cannot and shall not."),
        ("They’re here and it’s not bad", "They are here and it is not bad"),
        ("I'd like that. I'd better go. I'd been there.", "I would like that. I had better go. I had been there."),
        ("IT ISN'T GOOD", "IT IS NOT GOOD"),
        ("They're a team", "They are a team"),
        ("Let's go, we'll see", "Let us go, we will see"),
    ],
)
def test_expansions(text, expected):
    assert most(expansions, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "isn't it?",
        "Why don't they go?",
        "Isn't the film good?",
        "Don't you think?",
        "He's gone.",
        "It's really changed.",
        "It's not been good.",
        "I'd gone.",
        "The dog's bone",
        "It's colour",
        "Didn't Sarah call?",
        "ain't",
        "dont",
        "@don't",
        "the film It's a Wonderful Life",
    ],
)
def test_expansions_leave_alone(text):
    assert most(expansions, text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I have 5 dogs and 12 cats.", "I have five dogs and twelve cats."),
        ("It took 5.", "It took five."),
        ("5 people came", "Five people came"),
        ("top 10", "top ten"),
        ("Two men and twenty-one women", "2 men and 21 women"),
        ("two hundred and five people", "205 people"),
        ("two thousand and two nights", "2002 nights"),
        ("the 3rd time on the 21st floor", "the third time on the twenty-first floor"),
        ("the 12th man, my 5th try", "the twelfth man, my fifth try"),
        ("We sold 4500 units", "We sold four thousand five hundred units"),
        ("v2.0 has 3 bugs", "v2.0 has three bugs"),
        ("I waited 40 minutes, 3 times", "I waited forty minutes, three times"),
    ],
)
def test_number_words(text, expected):
    assert most(number_words, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "May 5",
        "on 5 may",
        "the 5th of May",
        "In 1999 it cost $5 or 5.50 or 10%.",
        "since 2015 people left",
        "Windows 10 and page 5",
        "call 911 now",
        "1. Wash 2. Dry",
        "at 8:30, 24/7, 10/10, 5-star, 3D, 1,000, 3-4",
        "no one and one of them",
        "twenty twenty vision",
        "two-year-old",
        "10 Downing Street",
        "007 agents",
        "https://example.com/5 and @user5",
        "version 2 of it",
        "five point two",
        "a 2 x 4",
        "a hundred",
        "they zero in on it",
        "nineteen eighty-four",
        "We watched Seven.",
        "two or three hundred dollars",
        "two to three thousand people",
    ],
)
def test_number_words_leave_alone(text):
    assert most(number_words, text) == text


@given(st.integers(0, 9999))
def test_numbers_come_back(number):
    assert in_digits(in_words(number)) == number


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (101, "one hundred one"),
        (1234, "one thousand two hundred thirty-four"),
        (7000, "seven thousand"),
        (9999, "nine thousand nine hundred ninety-nine"),
    ],
)
def test_in_words(number, words):
    assert in_words(number) == words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The color of the center is gray.", "The colour of the centre is grey."),
        ("Organize it. Traveled far; COLOR!", "Organise it. Travelled far; COLOUR!"),
        ("Labor is hard.", "Labour is hard."),
    ],
)
def test_british_spelling(text, expected):
    assert most(british_spelling, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Labor Day is here",
        "Pearl Harbor and the Center",
        "practice, meter, tire, check, story, program, license",
        "color.com color-coded colors_",
        "colour",
        "a prize, the size, to seize; four hours",
        "#color",
    ],
)
def test_british_spelling_leaves_alone(text):
    assert most(british_spelling, text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The colour of the centre is grey.", "The color of the center is gray."),
        ("Realise it; travelling", "Realize it; traveling"),
        ("the Labour Party advises four hours", "the Labour Party advises four hours"),
        ("exercise, surprise, advertise, compromise, wise", "exercise, surprise, advertise, compromise, wise"),
    ],
)
def test_american_spelling(text, expected):
    assert most(american_spelling, text) == expected


def test_spelling_goes_there_and_back():
    british = " ".join(word for word, _ in rows("spelling"))
    american = most(american_spelling, british)
    assert american == " ".join(word for _, word in rows("spelling"))
    assert most(british_spelling, american) == british


@pytest.mark.parametrize(
    ("found", "new", "expected"),
    [("Their", "there", "There"), ("THEIR", "they're", "THEY'RE"), ("i am", "I'm", "i'm"), ("I am", "I'm", "I'm"),
     ("A", "the", "The")],
)  # fmt: skip
def test_case_is_kept(found, new, expected):
    assert like_case(found, new) == expected
