"""Texts made visible."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.marks import compared, segments, visible


def text_of(parts, *kinds):
    return "".join(part.text for part in parts if part.kind in kinds)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain text\n\twith ü, 漢字 and emoji 🙂", "plain text\n\twith ü, 漢字 and emoji 🙂"),
        ("a\u200bb", "a⟨U+200B⟩b"),
        ("\u202eevil\u202c", "⟨U+202E⟩evil⟨U+202C⟩"),
        ("\x00\x1b[31m\r", "⟨U+0000⟩⟨U+001B⟩[31m⟨U+000D⟩"),
        ("no\u00a0break", "no⟨U+00A0⟩break"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\u2028", "⟨U+2028⟩"),
        ("z" + "\u0301" * 9, "z\u0301\u0301\u0301⟨+6 marks⟩"),
    ],
)
def test_unseen_characters_are_named(raw, shown):
    assert visible(raw) == shown
    assert visible(shown) == shown


@given(st.text(alphabet=st.characters(codec=None)))
def test_nothing_unseen_is_left(raw):
    shown = visible(raw)
    assert visible(shown) == shown
    shown.encode("utf-8")
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in shown if c not in "\n\t")


def test_long_text_is_cut_with_a_note():
    assert visible("x" * 50, cap=10) == "x" * 10 + " [… 40 more characters]"


def test_changed_characters_are_marked():
    before, after = compared("The refund came", "The refubd came", cap=100)
    assert text_of(before, "del") == "n"
    assert text_of(after, "ins") == "b"
    assert text_of(before, "same", "del") == "The refund came"
    assert text_of(after, "same", "ins") == "The refubd came"


@given(st.text(alphabet="abc \n", max_size=60), st.text(alphabet="abc \n", max_size=60))
def test_both_sides_say_the_whole_text(left, right):
    before, after = compared(left, right, cap=1000)
    assert text_of(before, "same", "del").replace("↵", "") == left
    assert text_of(after, "same", "ins").replace("↵", "") == right
    assert text_of(before, "same") == text_of(after, "same")


def test_inserted_blanks_and_lookalikes_are_told():
    _, after = compared("refund", "r\u0435fund", cap=100)
    assert text_of(after, "ins") == "\u0435⟨U+0435⟩"
    _, after = compared("a b", "a\n\tb", cap=100)
    assert text_of(after, "ins") == "↵\n⇥\t"
    _, after = compared("ab", "a\u200bb", cap=100)
    assert text_of(after, "ins") == "⟨U+200B⟩"


def test_unseen_characters_in_unchanged_text_stand_out():
    parts = segments("a\u200bb", cap=100)
    assert [(part.kind, part.text) for part in parts] == [("same", "a"), ("hidden", "⟨U+200B⟩"), ("same", "b")]


def test_a_change_far_into_a_long_text_stays_in_view():
    left = "word " * 600
    _, after = compared(left, left[:2500] + "CHANGED" + left[2500:], cap=700)
    assert text_of(after, "ins") == "CHANGED"
    assert "unchanged characters" in text_of(after, "cut")
    assert sum(len(part.text) for part in after) < 900


def test_a_text_of_a_megabyte_is_compared_quickly_and_shown_short():
    before, after = compared("A" * 1_000_000, "B" * 1_000_000, cap=700)
    for side in (before, after):
        assert sum(len(part.text) for part in side) < 1000
