"""What is shielded comes back letter by letter, or not at all."""

from __future__ import annotations

import random
import time

import pytest

from probes.robustness import catalogue
from probes.text.shielding import _places, shielded

TEXT = "Ada Lovelace moved to Rome in 1931. In Rome, she wrote 3 letters; the Romes replied."


def test_every_place_is_hidden_and_put_back():
    shield = shielded(TEXT, ["Rome", "1931", ""])
    assert shield is not None
    assert shield.parts == ("Rome", "1931", "Rome", "Rome")
    assert "Rome" not in shield.text
    assert "1931" not in shield.text
    assert shield.restored(shield.text) == TEXT


def test_longer_parts_go_first():
    shield = shielded(TEXT, ["Rome", "to Rome in 1931"])
    assert shield is not None
    assert shield.parts == ("to Rome in 1931", "Rome", "Rome")


def test_a_lost_a_doubled_and_a_moved_part_are_noticed():
    shield = shielded(TEXT, ["Rome", "1931"])
    assert shield is not None
    first, second = "\ue000", "\ue001"
    assert shield.restored(shield.text.replace(first, "")) is None
    assert shield.restored(shield.text + first) is None
    assert shield.restored(shield.text.replace(first, "?").replace(second, first).replace("?", second)) is None


def test_a_text_that_uses_such_characters_is_not_touched():
    assert shielded("a \ue000 b", ["b"]) is None


def test_nothing_to_shield_is_no_hindrance():
    shield = shielded(TEXT, ["Oslo"])
    assert shield is not None
    assert shield.restored(TEXT.upper()) == TEXT.upper()


@pytest.mark.parametrize("perturbation", catalogue.ALL, ids=lambda each: each.name)
def test_no_perturbation_touches_a_shielded_answer(perturbation):
    answers = ("Rome", "1931", "3 letters")
    shield = shielded(TEXT, answers)
    assert shield is not None
    for severity in (1, 3, 5):
        restored = shield.restored(perturbation.apply(shield.text, severity, random.Random(severity)))
        if restored is not None:
            for answer in answers:
                assert restored.count(answer) >= TEXT.count(answer)


def test_answers_that_overlap_are_hidden_together():
    text = "It is in New York City Hall, aaa."
    shield = shielded(text, ["New York", "York City", "City Hall", "Hall", "aa"])
    assert shield is not None
    assert shield.parts == ("New York City Hall", "aaa")
    assert shield.restored(shield.text) == text


def test_answers_that_only_touch_stay_apart():
    shield = shielded("1931Rome", ["Rome", "1931"])
    assert shield is not None
    assert shield.parts == ("1931", "Rome")


def test_places_are_those_of_an_exhaustive_search():
    draws = random.Random(1)
    for _ in range(3000):
        text = "".join(draws.choices("abc", weights=(5, 4, 1), k=draws.randint(0, 30)))
        part = "".join(draws.choices("ab", k=draws.randint(1, 9)))
        assert list(_places(text, part)) == [
            (start, start + len(part)) for start in range(len(text)) if text.startswith(part, start)
        ]


@pytest.mark.parametrize("period", ["a", "ab", "word "])
def test_a_part_as_long_as_a_book_takes_no_quadratic_time(period):
    started = time.process_time()
    assert shielded(period * 30_000, [period * 15_000, period * 15_000 + "x"]) is not None
    assert time.process_time() - started < 1.0


def test_a_part_is_taken_letter_by_letter():
    shield = shielded("Is it .* or a+b?", [".*", "a+b"])
    assert shield is not None
    assert shield.parts == (".*", "a+b")
