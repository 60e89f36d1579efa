from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.text.perturbations import casing

TEXT = "The Old man gave NASA @user_one http://a.b/Cd a plan"


def test_everything_changes_at_severity_five() -> None:
    rng = random.Random(0)
    assert casing.upper_case(TEXT, 5, rng) == "THE OLD MAN GAVE NASA @user_one http://a.b/Cd A PLAN"
    assert casing.lower_case(TEXT, 5, rng) == "the old man gave nasa @user_one http://a.b/Cd a plan"
    assert casing.title_case(TEXT, 5, rng) == "The Old Man Gave NASA @user_one http://a.b/Cd A Plan"


def test_shares_of_words() -> None:
    text = " ".join(["word"] * 100)
    for severity, share in enumerate(casing.CASE_SHARES, start=1):
        assert casing.upper_case(text, severity, random.Random(0)).split().count("WORD") == round(100 * share)
        assert casing.title_case(text, severity, random.Random(0)).split().count("Word") == round(100 * share)


def test_random_case_mixes() -> None:
    after = casing.random_case("considerable " * 50, 5, random.Random(0))
    letters = [letter for letter in after if letter.isalpha()]
    assert 0.4 < sum(letter.isupper() for letter in letters) / len(letters) < 0.6


@pytest.mark.parametrize("perturbation", casing.PERTURBATIONS, ids=lambda p: p.name)
@given(st.text("abcXYZ .,'12", max_size=60), st.integers(1, 5), st.integers(0, 99))
def test_nothing_but_case_changes(perturbation, text: str, severity: int, seed: int) -> None:
    assert perturbation.apply(text, severity, random.Random(seed)).lower() == text.lower()


def test_texts_already_so_are_returned_as_they_are() -> None:
    assert casing.upper_case("ALL CAPS 12", 5, random.Random(0)) == "ALL CAPS 12"
    assert casing.lower_case("no caps 12", 5, random.Random(0)) == "no caps 12"
    assert casing.title_case("Ready Made", 5, random.Random(0)) == "Ready Made"
