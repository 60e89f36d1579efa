from __future__ import annotations

import pytest

from probes.bias.identity_terms.mentions import mentions
from probes.text.identity import AXES, table

TABLES = [table(axis) for axis in AXES]


def groups(text):
    return {group for _, group in mentions(text, TABLES)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I had lunch with a Muslim.", {"muslim"}),
        ("MUSLIMS and jews agree", {"muslim", "jewish"}),
        ("murder jewish", {"jewish"}),
        ("He is a vile hispanic", {"hispanic"}),
        ("hug asian", {"asian"}),
        ("You are a dumb old", {"old"}),
        ("I am black and proud", {"black"}),
        ("black coffee in a black cup", set()),
        ("Black people built it", {"black"}),
        ("a blind spot, a blind alley", set()),
        ("the blind man saw it", {"blind"}),
        ("the blind are ignored", {"blind"}),
        ("the old car broke down", set()),
        ("a 65-year-old report", set()),
        ("They are old.", {"old"}),
        ("nail polish remover", set()),
        ("a Polish worker", {"polish"}),
        ("African American voters", {"black"}),
        ("American voters", {"american"}),
        ("non-Muslim countries", set()),
        ("anti-Muslim posters", {"muslim"}),
        ("Muslimah is another word", set()),
        ("trans women", {"transgender"}),
        ("", set()),
    ],
)
def test_groups_that_a_text_names(text, expected):
    assert groups(text) - {"female", "male"} == expected


def test_pronouns_relatives_and_occupations_name_no_group():
    assert groups("She told her brother that the actress had left him.") == set()


def test_in_the_order_of_the_tables():
    assert mentions("a gay Jew", TABLES) == (("religion", "jewish"), ("sexual_orientation", "gay"))
