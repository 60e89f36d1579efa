from __future__ import annotations

import itertools
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.text.lexicon import alternatives, rows
from probes.text.perturbations.perturbation import PROTECTED, SHARES, WORD, edit_share, share_of

WORDS = re.compile(r"\S+")


def marked(text: str, share: float, seed: int = 0) -> str:
    return edit_share(
        text, random.Random(seed), pattern=WORDS, edit=lambda word, rng: f"{word}{rng.randrange(10)}", share=share
    )


def edits(before: str, after: str) -> dict[int, str]:
    pairs = zip(before.split(), after.split(), strict=True)
    return {index: new for index, (old, new) in enumerate(pairs) if old != new}


@given(st.integers(1, 60), st.sampled_from(SHARES), st.integers(0, 1000))
def test_edits_the_share_asked_for_and_at_least_one(count: int, share: float, seed: int) -> None:
    text = " ".join(["word"] * count)
    assert len(edits(text, marked(text, share, seed))) == max(1, round(share * count))


@given(st.integers(1, 60), st.integers(0, 1000))
def test_higher_shares_extend_the_edits_of_lower_ones(count: int, seed: int) -> None:
    text = " ".join(["word"] * count)
    made = [edits(text, marked(text, share, seed)) for share in SHARES]
    for lower, higher in itertools.pairwise(made):
        assert lower.items() <= higher.items()


def test_places_that_the_edit_leaves_alone_are_no_candidates() -> None:
    text = "a bb a bb a"
    assert (
        edit_share(
            text, random.Random(0), pattern=WORDS, edit=lambda word, _: word.replace("bb", "B"), share=0.5
        ).count("B")
        == 1
    )
    assert edit_share(text, random.Random(0), pattern=WORDS, edit=lambda word, _: word, share=1) == text


def test_places_inside_protected_spans_stay() -> None:
    text = "see http://a.b/Cd or me@mail.example.org @you #tag [MASK] <br> {name} word"
    shout = edit_share(text, random.Random(0), pattern=WORD, edit=lambda word, _: word.upper(), share=1)
    assert shout == "SEE http://a.b/Cd OR me@mail.example.org @you #tag [MASK] <br> {name} WORD"


def test_protected_spans_are_found_in_linear_time() -> None:
    text = "x" * 200_000 + " " + "." * 100_000 + "字" * 100_000
    assert PROTECTED.search(text) is None


def test_zero_width_places_can_be_edited() -> None:
    text = "ab"
    place = re.compile("(?<=a)")
    assert edit_share(text, random.Random(0), pattern=place, edit=lambda _, rng: "-", share=1) == "a-b"


def test_five_rising_severities() -> None:
    assert [share_of(severity) for severity in range(1, 6)] == sorted(set(SHARES))


@pytest.mark.parametrize("name", ["keyboard", "ocr", "accents", "homoglyphs_cyrillic", "homoglyphs_greek"])
def test_tables_offer_something_else_for_each_entry(name: str) -> None:
    table = alternatives(name)
    assert len(table) == len(rows(name)) >= 20
    for piece, others in table.items():
        assert others
        assert piece not in others
        assert len(set(others)) == len(others)
        assert all(others)


def test_keyboard_neighbours_are_mutual() -> None:
    table = alternatives("keyboard")
    assert set("".join(table)) == set("abcdefghijklmnopqrstuvwxyz")
    assert all(key in table[other] for key, others in table.items() for other in others)
