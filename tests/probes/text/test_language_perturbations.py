"""What holds for every perturbation of words, phrases, register and context, whatever the text."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.text.perturbations import chains, context, lexical, register, words
from probes.text.perturbations.perturbation import SEVERITIES

PERTURBATIONS = [p for module in (lexical, register, words, context, chains) for p in module.PERTURBATIONS]
SENTENCES = (
    "They're going to the theatre because it is not too far, and I do not want to wait for 5 hours.",
    "I can't believe how good this film was! The colour of the centre stage is great :) isn't it?",
    "She knows that he is working on it. Please send some feedback to https://example.com/a or @user by the way.",
)
TEXTS = [f"{first} {second}" for first in SENTENCES for second in SENTENCES]
PIECES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "don't",
            "it’s",
            "IT",
            "I am",
            "They're",
            "5",
            "twenty-one",
            "1999",
            "May",
            "@user",
            "#tag",
            "https://a.b/their",
            ":)",
            "🙂",
            "❤️‍🔥",
            "not",
            "any",
            "isn't it?",
            "colour",
            "color",
            "[MASK]",
            "<b>",
            "{name}",
            "\n",
            ".",
            "\u0301",
            "going to be",
            "two hundred and",
            "I know",
            "there is a",
        ]
    ),
)
ANY_TEXT = st.lists(PIECES, max_size=20).map(" ".join)


each = pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=lambda p: p.name)


@each
def test_names_are_unique_and_documented(perturbation):
    assert [p.name for p in PERTURBATIONS].count(perturbation.name) == 1
    doc = perturbation.doc
    assert doc.question.endswith("?")
    assert all(len(text) > 20 for text in (doc.measures, doc.why, doc.method, doc.limits, doc.references))


@each
@settings(max_examples=30, deadline=None)
@given(text=ANY_TEXT, severity=st.sampled_from(SEVERITIES), seed=st.integers(0, 2**32))
def test_any_text_gives_a_text_of_linear_length_and_the_same_again(perturbation, text, severity, seed):
    out = perturbation.apply(text, severity, random.Random(seed))
    assert isinstance(out, str)
    assert out == perturbation.apply(text, severity, random.Random(seed))
    assert len(out) <= 15 * len(text) + 500
    assert bool(out.strip()) == bool(text.strip())


@each
@settings(max_examples=8, deadline=None)
@given(text=ANY_TEXT, severity=st.sampled_from(SEVERITIES))
def test_the_global_generator_is_not_used(perturbation, text, severity):
    state = random.getstate()
    perturbation.apply(text, severity, random.Random(0))
    assert random.getstate() == state


@each
def test_protected_spans_survive(perturbation):
    shielded = ("https://their.com/colour/you", "@because", "#going", "you@people.com", "[MASK]", "<right>", "{colour}")
    text = " ".join(f"their colour is not right, because you {span} wait for 5 people" for span in shielded)
    for severity in SEVERITIES:
        out = perturbation.apply(text, severity, random.Random(severity))
        assert [span for span in shielded if span not in out] == []


@pytest.mark.parametrize("name", ["chain_phone_message", "homophones", "slang", "word_drop", "number_words", "emoji"])
def test_changes_most_ordinary_texts(name):
    (perturbation,) = (p for p in PERTURBATIONS if p.name == name)
    changed = [perturbation.apply(text, 3, random.Random(i)) != text for i, text in enumerate(TEXTS)]
    assert sum(changed) >= 0.5 * len(TEXTS)


NESTED = (
    *("homophones", "contractions", "expansions", "number_words", "british_spelling", "american_spelling", "slang"),
    *("dialect_aae", "dialect_indian_english", "word_drop", "function_word_drop", "word_duplicate"),
)
RICH = (
    "We think they are working because she knows everything about flavour, color, center and theatre. He doesn't need "
    "any help; I don't have any time, and you can't go. Please send feedback this morning, two years ago was 5 days "
    "late "
    "with 12 guests. I know it was not here, I want to go, I have a question, I am sure we will do that. Their week, "
    "our hour, your hair; it's plain that we're organized and travelled by the road."
)


@pytest.mark.parametrize("name", NESTED)
def test_edits_at_a_severity_are_among_those_of_the_next(name):
    (perturbation,) = (p for p in PERTURBATIONS if p.name == name)
    before = Counter(RICH.split(" "))
    gone, come = [], []
    for severity in SEVERITIES:
        after = Counter(perturbation.apply(RICH, severity, random.Random(5)).split(" "))
        gone.append(before - after)
        come.append(after - before)
    for changes in (gone, come):
        assert all(low <= high for low, high in itertools.pairwise(changes))
    assert come[0] + gone[0] < come[-1] + gone[-1]


@each
def test_fast_enough_for_three_hundred_texts(perturbation):
    texts = [text[:120] for text in (TEXTS * 34)[:300]]
    budget = 0.5 * (5 if perturbation.name.startswith("chain_") else 1)
    # the best of a few, since what else runs on the machine is not what is measured
    assert any(_seconds(perturbation, texts) < budget for _ in range(4))


def _seconds(perturbation, texts):
    start = time.process_time()
    for place, text in enumerate(texts):
        for severity in SEVERITIES:
            perturbation.apply(text, severity, random.Random(place))
    return time.process_time() - start


@each
def test_a_long_run_of_letters_takes_no_quadratic_time(perturbation):
    start = time.process_time()
    perturbation.apply("a" * 4000 + " " + "not " * 500 + "' " * 500, 5, random.Random(0))
    assert time.process_time() - start < 1
