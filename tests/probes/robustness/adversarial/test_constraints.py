"""Rules that changed texts keep, each with a candidate that breaks it and one that does not."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.robustness.adversarial.attacked import Attacked, Candidate, Edit
from probes.robustness.adversarial.constraints.meaning import Entailed, Fluent, Similar, note_fluency
from probes.robustness.adversarial.constraints.opposites import Opposites
from probes.robustness.adversarial.constraints.speech import SameSpeech, by_ending
from probes.robustness.adversarial.constraints.words import (
    Levenshtein,
    LongWords,
    MostWords,
    Stopwords,
    WordDistance,
    distance,
    replaced,
)
from probes.robustness.adversarial.parts import Attempt, Drawn, Outcome, Situation
from probes.robustness.adversarial.sources.vectors import load_vectors

TEXT = "The film was not good at all"


def situation(text=TEXT):
    return Situation(item=0, start=Attacked.of(text), draws=Drawn(random.Random(0)))


def candidates(*changes, text=TEXT):
    return [Candidate.of(Attacked.of(text), change) for change in changes]


def kept(rule, found, answers=None, text=TEXT):
    """Which changes a rule keeps; whom it asks gets `answers(questions)`."""
    steps = rule.keep(found, situation(text))
    try:
        request = next(steps)
        while True:
            request = steps.send(answers(request.questions))
    except StopIteration as end:
        return [candidate.text for candidate in end.value]


def test_places_of_short_and_grammatical_words_are_left_alone():
    text = Attacked.of(TEXT)
    assert [text.words[at] for at in Stopwords().places(text, range(len(text)), situation())] == ["film", "good"]
    assert [text.words[at] for at in LongWords(4).places(text, range(len(text)), situation())] == ["film", "good"]


@pytest.mark.parametrize(
    ("rule", "most"), [(MostWords(count=1), 1), (MostWords(share=0.3), 2), (MostWords(share=0.01), 1)]
)
def test_no_more_words_change_than_allowed(rule, most):
    words = (Edit(1, "movie"), Edit(4, "fine"), Edit(6, "everything"))
    for count in (1, 2, 3):
        assert bool(kept(rule, candidates(words[:count]))) == (count <= most)
    later = Candidate.of(Attacked.of(TEXT).after(words[:most]), (Edit(2, "is"),))
    assert not kept(rule, [later])
    again = Candidate.of(Attacked.of(TEXT).after(words[:most]), (Edit(1, "flick"),))
    assert kept(rule, [again])


def edits_between(one, other):
    """The textbook recursion, without any short cut."""
    rows = np.zeros((len(one) + 1, len(other) + 1), dtype=int)
    rows[:, 0], rows[0, :] = range(len(one) + 1), range(len(other) + 1)
    for i in range(len(one)):
        for j in range(len(other)):
            rows[i + 1, j + 1] = min(rows[i, j + 1] + 1, rows[i + 1, j] + 1, rows[i, j] + (one[i] != other[j]))
    return int(rows[-1, -1])


@given(st.text("ab c", max_size=12), st.text("ab c", max_size=12))
def test_distance_is_that_of_levenshtein(one, other):
    assert distance(one, other) == edits_between(one, other)


def test_letters_are_counted_against_the_first_text():
    found = candidates((Edit(1, "fim"),), (Edit(1, "movie"),))
    assert kept(Levenshtein(1), found) == ["The fim was not good at all"]
    second = Candidate.of(Attacked.of(TEXT).after((Edit(1, "fim"),)), (Edit(4, "gud"),))
    assert kept(Levenshtein(3), [second])
    assert not kept(Levenshtein(2), [second])


@given(
    st.lists(st.tuples(st.integers(0, 6), st.text("fim go-", max_size=6)), min_size=1, max_size=5), st.integers(0, 12)
)
def test_letters_are_counted_as_if_the_texts_were_compared_each_time(steps, most):
    base = Attacked.of(TEXT)
    for place, other in steps:
        if place >= len(base):
            continue
        candidate = Candidate.of(base, (Edit(place, other),))
        assert bool(kept(Levenshtein(most), [candidate])) == (edits_between(TEXT, candidate.text) <= most)
        base = candidate.settled()


def test_replaced_words_are_those_of_all_changes_so_far():
    base = Attacked.of(TEXT).after((Edit(1, "movie"),))
    assert sorted(replaced(Candidate.of(base, (Edit(4, "bad"),)))) == [("film", "movie"), ("good", "bad")]
    assert replaced(Candidate.of(base, (Edit(1, "flick"),))) == [("film", "flick")]


@pytest.mark.parametrize(
    ("one", "other", "opposed"),
    [
        ("good", "bad", True),
        ("Bad", "GOOD", True),
        ("happy", "unhappy", True),
        ("not", "very", True),
        ("was", "wasn't", True),
        ("good", "fine", False),
        ("film", "movie", False),
        ("do", "undo", False),
        ("never", "not", False),
    ],
)
def test_opposites_are_noticed(one, other, opposed):
    assert Opposites().opposed(one, other) is opposed


def test_an_opposite_put_in_earlier_is_still_one():
    base = Attacked.of(TEXT).after((Edit(4, "bad"),))
    found = [Candidate.of(base, (Edit(1, "movie"),)), *candidates((Edit(1, "movie"),))]
    assert kept(Opposites(), found) == ["The movie was not good at all"]
    assert kept(Opposites(refuse=False), found) == [each.text for each in found]
    assert [each.notes["doubt.antonym"] for each in found] == [1.0, 0.0]


def test_a_word_is_replaced_by_one_of_its_kind():
    tags = {"film": "NOUN", "movie": "NOUN", "good": "ADJ", "watch": "VERB"}
    rule = SameSpeech(lambda words: [tags.get(word, "X") for word in words])
    found = candidates((Edit(1, "movie"),), (Edit(1, "watch"),), (Edit(1, "good"),))
    assert kept(rule, found) == [found[0].text, found[1].text]
    strict = SameSpeech(rule.tagger, verbs_as_nouns=False)
    assert kept(strict, found) == [found[0].text]
    assert by_ending(("slowly", "walking", "film")) == ["ly", "ing", ""]


def test_the_tagger_reads_the_first_text_four_words_before_and_three_behind():
    read = []
    rule = SameSpeech(lambda words: read.append("".join(words)) or ["X"] * len(words))
    changed = Attacked.of("a b c d e f g h i j").after((Edit(3, "D"),))
    assert rule.allows(Candidate.of(changed, (Edit(5, "F"),)), situation())
    assert read == ["bcdefghi", "bcdeFghi"]


def test_texts_far_from_the_first_one_are_refused_and_how_near_they_are_is_noted():
    found = candidates((Edit(1, "movie"),), (Edit(1, "tax"),), (Edit(1, ""),))
    vectors = {TEXT: (1.0, 0.0), found[0].text: (2.0, 0.0), found[1].text: (0.0, 1.0), found[2].text: (0.0, 0.0)}
    assert kept(Similar(0.8), found, lambda texts: np.array([vectors[text] for text in texts])) == [found[0].text]
    assert [each.notes["similarity"] for each in found] == [pytest.approx(1.0), 0.0, 0.0]


def test_what_does_not_follow_is_doubtful_and_so_is_what_nobody_can_tell():
    found = candidates((Edit(1, "movie"),), (Edit(4, "bad"),), (Edit(1, "x"),))
    answer = lambda pairs: np.array([0.9, 0.1, np.nan])  # noqa: E731
    assert len(kept(Entailed(), found, answer)) == 3
    assert [each.notes["doubt.entailment"] for each in found] == [0.0, 1.0, 1.0]
    assert kept(Entailed(refuse=True), found, answer) == [found[0].text]


def test_words_far_from_the_first_one_by_vectors_are_refused_and_unknown_ones_are_not(tmp_path):
    vectors = {"good": (1, 0), "fine": (0.8, 0.6), "fair": (0.28, 0.96), "bad": (-1, 0)}
    path = tmp_path / "near.txt"
    path.write_text("".join(f"{word} {a} {b}\n" for word, (a, b) in vectors.items()), encoding="utf-8")
    rule = WordDistance(load_vectors(path), least=0.5)
    found = candidates((Edit(4, "fine"),), (Edit(4, "fair"),), (Edit(4, "bad"),), (Edit(4, "unheard"),))
    assert kept(rule, found) == [found[0].text, found[3].text]
    assert kept(WordDistance(rule.vectors, least=0.2), found) == [each.text for each in found if "bad" not in each.text]
    # "fair" is near "fine" (0.8), but it is "good" that stood there at first
    base = Attacked.of(TEXT).after((Edit(4, "fine"),))
    again = [Candidate.of(base, (Edit(4, "fair"),)), Candidate.of(base, (Edit(1, "movie"),))]
    assert kept(rule, again) == [again[1].text]


def test_words_that_do_not_read_on_are_refused():
    found = candidates((Edit(1, "movie"), Edit(4, "fine")), (Edit(1, "xylem"),), (Edit(1, ""),))
    found += candidates((Edit(0, ""), Edit(1, "movie"), Edit(4, "xylem")))
    seen = []

    def answer(questions):
        seen.extend(text[start:end] for text, (start, end) in questions)
        return np.array([-9.0 if text[start:end] == "xylem" else -1.0 for text, (start, end) in questions])

    assert kept(Fluent(most=2.0), found, answer) == [found[0].text, found[2].text]
    assert seen == ["film", "movie", "good", "fine", "film", "xylem", "film", "movie", "good", "xylem"]


def attempt(*changes):
    found = Attacked.of(TEXT)
    for change in changes:
        found = found.after(change)
    start = Attacked.of(TEXT)
    return Attempt(Outcome.BROKEN, start, found if changes else None, score=0.0, best=1.0, queries=2)


def test_how_well_the_ends_of_attacks_read_on_is_noted():
    logs = {"film": -1.0, "good": -3.0, "movie": -2.0, "fine": -5.0, "old": -4.0, "all": -1.0}
    asked = []

    def fluency(requests):
        asked.append(len(requests))
        return [np.array([logs.get(text[a:b], np.nan) for text, (a, b) in each.questions]) for each in requests]

    several = attempt(((Edit(4, "fine"),)), ((Edit(1, "old movie"),)))
    taken_away, unknown, held = attempt((Edit(1, ""),)), attempt((Edit(1, "xylem"),)), attempt()
    note_fluency([several, taken_away, unknown, held], {"fluency": fluency})
    assert several.notes == {"fluency": pytest.approx((-4.0 - 2.0 - 5.0) / 3 - (-1.0 - 3.0) / 2)}
    assert taken_away.notes == unknown.notes == held.notes == {}
    assert asked == [2]  # together, and neither where nothing was put in nor where nothing was found
    note_fluency([several], {})
