"""The rules that put a text into another register: what they give, and what no text may do to them."""

from __future__ import annotations

import difflib
import random

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from probes.core.examples import Example
from probes.shift.synthetic.catalogue import REGISTERS
from probes.shift.synthetic.probe import Synthetic
from probes.shift.synthetic.sentences import sentences
from probes.text.lexicon import lexicon, rows
from probes.text.perturbations.perturbation import SEVERITIES, Family
from probes.text.variants import variant_of, variants_of

TEXT = (
    "The film wasn't bad, because we are happy with it. Mr. Smith paid $1,250.50 on 03/14/2026 at 3:30 pm! "
    "Is it a great place? We were there on March 4, 2025, and 2.5 of 10,000 people came."
)
OWN_LISTS = ("framing_sentences", "letter_phrases", "mail_frames", "foreign_sentences", "telegraphic_words")
FRAMES = ("forwarded_mail", "formal_letter", "long_text")
"""Registers that leave the text itself in one piece."""
HOSTILE = (
    "", " ", "\n\n", ".", "?!", "🙂", "👩‍👩‍👧‍👦 🏳️‍🌈", "שלום עולם. איך אתה?", "مرحبا بالعالم؟ نعم.",
    "\u202etxet\u202c", "e\u0301\u0301", "a", "\x00\x01", "|", "> > >", "$", "$1,", "03/14/2026/15/16", "1,2,3,4",
    "ﷺ", "今天很好。我很高兴。", "-- \n", "\\1 \\g<0> %s {x}", "\U0001f469\u200d\U0001f467 \U0001f3f3\ufe0f",
    "word " * 5000, "a" * 20000, "1," * 3000, ". " * 3000, "\ud800",
)  # fmt: skip


def apply(name, text, severity, seed=0):
    return REGISTERS[name].apply(text, severity, random.Random(seed))


def similarity(first, second):
    return difflib.SequenceMatcher(None, first, second, autojunk=False).ratio()


def words(text):
    return text.split()


@pytest.mark.parametrize(
    ("name", "severity", "text", "expected"),
    [
        ("transcript", 5, "The film wasn't bad, Anna said. Really!", "the film wasn't bad anna said really"),
        ("transcript", 5, "It costs 3.50, see https://example.com/A.", "it costs 3.50 see https://example.com/A."),
        ("telegraphic", 5, "The film is great and we are happy with it.", "film great and happy with it."),
        ("telegraphic", 5, "It is not a good film.", "not good film."),
        ("telegraphic", 5, "I don't like it and I can't say why.", "don't like it and can't say why."),
        ("telegraphic", 5, "US firms were in the IT sector.", "US firms in IT sector."),
        ("truncated", 1, "a b c d e f g h i j", "a b c d e f g h i"),
        ("truncated", 5, "a b c d e f g h i j", "a b c d e"),
        ("truncated", 1, "one two", "one"),
        ("truncated", 5, "one", "one"),
        ("list_or_table", 1, "First one. Dr. Who came! Then?", "- First one.\n- Dr. Who came!\n- Then?"),
        ("chat", 5, "The food came. It does not matter.", "the food came\nit doesn't matter"),
    ],
)  # fmt: skip
def test_fixed_examples(name, severity, text, expected):
    assert apply(name, text, severity) == expected


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("on 03/14/2026", {"on 14.03.2026", "on 14 March 2026", "on 2026-03-14"}),
        ("on March 4th, 2025", {"on 04.03.2025", "on 4 March 2025", "on 2025-03-04"}),
        ("paid $1,250.50 for", {"paid 1 250,50 $ for", "paid 1 250,50 USD for", "paid USD 1 250.50 for"}),
        ("costs €20", {"costs 20 €", "costs 20 EUR", "costs EUR 20"}),
        ("at 3:30 pm sharp", {"at 15:30 sharp"}),
        ("at 12 am", {"at 00:00"}),
        ("about 2.5 stars", {"about 2,5 stars", "about 2.5 stars"}),
        ("10,000 people", {"10 000 people"}),
    ],
)
def test_formats_of_other_regions(text, allowed):
    found = {apply("regional_formats", text, 5, seed).replace("\u00a0", " ") for seed in range(30)}
    assert found == allowed


@pytest.mark.parametrize(
    "text", ["1.234", "version 1.2.3", "25/12/2026", "2026", "in 1999,", "1,23", "4.5/5", "user@1.50", "no 1,2,3"]
)
def test_what_is_no_number_of_this_kind_stays(text):
    assert {apply("regional_formats", text, 5, seed) for seed in range(10)} == {text}


def test_sentences_end_where_a_reader_ends_them():
    assert sentences("He said: “No.” Then Mr. J. Smith left... Why?\nNobody knew") == [
        "He said: “No.”", "Then Mr. J. Smith left...", "Why?", "Nobody knew",
    ]  # fmt: skip
    assert sentences("今天很好。我很高兴。") == ["今天很好。我很高兴。"]
    assert sentences(" \n ") == []


@pytest.mark.parametrize("name", REGISTERS)
def test_the_same_seed_gives_the_same_text(name):
    for severity in SEVERITIES:
        assert apply(name, TEXT, severity) == apply(name, TEXT, severity)


@pytest.mark.parametrize("name", ["transcript", "telegraphic", "regional_formats"])
def test_what_is_already_in_the_register_stays(name):
    for seed in range(20):
        once = apply(name, TEXT, 5, seed)
        assert once != TEXT
        assert apply(name, once, 5, seed) == once


@pytest.mark.parametrize("name", REGISTERS)
def test_a_higher_severity_changes_more(name):
    texts = [TEXT, TEXT.replace("film", "hotel") + " We paid $20 and $30.", TEXT + " It is late, and we are tired."]
    alike = [sum(similarity(text, apply(name, text, severity, 1)) for text in texts) for severity in (1, 3, 5)]
    assert alike[0] > alike[1] > alike[2]


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_leaves_the_words_of_the_text(name):
    text = "The meal was good. We came back."
    for severity in SEVERITIES:
        assert text in apply(name, text, severity)


@pytest.mark.parametrize("name", ["list_or_table", "mixed_language"])
def test_no_sentence_is_lost_between_others(name):
    for severity in SEVERITIES:
        new = apply(name, TEXT, severity)
        places = [new.index(sentence) for sentence in sentences(TEXT)]
        assert places == sorted(places)


@pytest.mark.parametrize("name", ["telegraphic", "truncated"])
def test_nothing_is_added(name):
    for severity in SEVERITIES:
        kept = iter(words(TEXT))
        assert all(word in kept for word in words(apply(name, TEXT, severity)))


def test_no_negation_is_dropped_and_none_added():
    for name in set(REGISTERS) - {"truncated"}:
        new = apply(name, "The film was not good, and we were never told why nobody came.", 5).lower()
        assert sum(new.count(word) for word in ("not ", "n't ")) == 1, name
        assert (new.count("never"), new.count("nobody")) == (1, 1), name
    negations = {word for (word,) in rows("negations")} - {
        "only",
        "than",
        "else",
        "if",
        "without",
        "other",
        "less",
        "over",
    }
    for listed in OWN_LISTS[:3]:
        assert not [row for row in rows(listed) if negations & set(row[-1].lower().strip(".,").split())]


@pytest.mark.parametrize("name", OWN_LISTS)
def test_our_lists_say_where_they_come_from(name):
    found = lexicon(name)
    assert (found.provenance, found.licence) == ("written for responsible-audit", "Apache-2.0")
    assert {len(row) for row in found.rows} == {len(found.columns) if name != "mail_frames" else 2}
    assert len(set(found.rows)) == len(found.rows)
    assert all(cell and cell == cell.strip() for row in found.rows for cell in row)


@pytest.mark.parametrize("name", ["framing_sentences", "letter_phrases", "mail_frames"])
def test_what_is_added_has_no_word_of_sentiment(name):
    listed = {word for word, _ in rows("sentiment_words")}
    assert not [row for row in rows(name) if listed & set(row[-1].lower().strip(".,").split())]


def test_foreign_sentences_are_of_six_languages_and_say_the_same():
    by_language = {}
    for language, _, meaning in rows("foreign_sentences"):
        by_language.setdefault(language, []).append(meaning)
    assert {len(meanings) for meanings in by_language.values()} == {5}
    assert len(by_language) == 6


@pytest.mark.parametrize("name", REGISTERS)
def test_other_items_and_their_order_change_nothing(name):
    data = [Example.of(f"{TEXT} Number {i}.", gold="a") for i in range(5)]
    register = REGISTERS[name]
    alone = {data[item].id: variant_of(data[item], register, severity=3, seed=0) for item in range(5)}
    more = [Example.of("Another text. It is here."), *reversed(data)]
    made = variants_of(more, register, severities=[3], seed=0)
    together = {more[item].id: text for item, text in zip(made.item, made.texts, strict=True)}
    assert alone.items() <= together.items()


@pytest.mark.parametrize("name", REGISTERS)
def test_of_a_pair_the_claim_stays_where_a_frame_is_put_around_the_text(name):
    pair = Example.of(("The men were at the bank. They paid $20.", "The men were there, and paid $20."))
    first, second = variant_of(pair, REGISTERS[name], severity=5, seed=0)
    assert first != pair.text[0]
    assert (second == pair.text[1]) == (REGISTERS[name].family is Family.CONTEXT)


@pytest.mark.parametrize("name", REGISTERS)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_breaks_no_rule(name, text):
    for severity in (1, 5):
        new = apply(name, text, severity)
        assert isinstance(new, str)
        assert bool(new.strip()) == bool(text.strip()) or name == "telegraphic"


@limits(max_examples=60)
@given(text=st.text(max_size=80), severity=st.sampled_from(SEVERITIES), seed=st.integers(0, 9))
def test_any_text_breaks_no_rule(text, severity, seed):
    for name in REGISTERS:
        new = apply(name, text, severity, seed)
        assert new == text if not text.strip() else new.strip()


def test_a_long_document_grows_by_neutral_sentences_on_both_sides():
    sizes = [len(sentences(apply("long_text", "It was fine.", severity))) for severity in SEVERITIES]
    assert sizes == [2, 3, 6, 11, 21]
    longest = sentences(apply("long_text", "It was fine.", 5))
    assert longest.index("It was fine.") == 10
    assert apply("long_text", "It was fine.", 1).endswith("\n\nIt was fine.")


def test_documentation_is_complete():
    for name, register in REGISTERS.items():
        assert register.name == name
        assert register.doc.question.endswith("?")
    assert "words that decide may be among those cut" in REGISTERS["truncated"].doc.limits
    described = {register.title: register.doc.method for register in REGISTERS.values()}
    assert Synthetic().info.doc.parts == described
    assert list(Synthetic(registers=("truncated",)).info.doc.parts) == [REGISTERS["truncated"].title]
