from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.text.lexicon import alternatives
from probes.text.perturbations import accents, homoglyphs, invisible

TEXT = "Everything about this place was honestly rather disappointing"


def test_added_accents_are_marks_on_the_same_letters() -> None:
    for seed in range(30):
        after = accents.accents_added(TEXT, 5, random.Random(seed))
        bare = "".join(c for c in unicodedata.normalize("NFD", after) if not unicodedata.combining(c))
        assert bare == TEXT
        assert sum(a != b for a, b in zip(after, TEXT, strict=True)) == round(0.5 * len(TEXT.split()))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Crème brûlée à Zürich, señor", "Creme brulee a Zurich, senor"),
        (unicodedata.normalize("NFD", "déjà vu"), "deja vu"),
        ("Łódź ø ß", "Łodz ø ß"),
        ("йод хорошо", "йод хорошо"),
        ("हिन्दी 한국어", "हिन्दी 한국어"),
        ("plain", "plain"),
    ],
)
def test_stripped_accents(before: str, after: str) -> None:
    assert accents.accents_stripped(before, 5, random.Random(0)) == after


@pytest.mark.parametrize("script", ["cyrillic", "greek"])
def test_lookalikes_are_letters_of_the_other_script_in_the_same_case(script: str) -> None:
    for latin, (twin,) in alternatives(f"homoglyphs_{script}").items():
        assert unicodedata.name(latin).startswith("LATIN")
        assert unicodedata.name(twin).startswith(script.upper())
        assert latin.isupper() == twin.isupper()


def test_known_lookalikes() -> None:
    assert homoglyphs.cyrillic_homoglyphs("scope", 5, random.Random(0)) == "\u0455\u0441\u043e\u0440\u0435"
    assert homoglyphs.greek_homoglyphs("Top", 5, random.Random(0)) == "\u03a4\u03bf\u03c1"
    assert homoglyphs.cyrillic_homoglyphs("бык 123", 5, random.Random(0)) == "бык 123"


@given(st.text("abcxyzABC 12.", max_size=60), st.integers(0, 99))
def test_compatibility_normalisation_undoes_full_width(text: str, seed: int) -> None:
    after = homoglyphs.full_width_letters(text, 5, random.Random(seed))
    assert unicodedata.normalize("NFKC", after) == text


@pytest.mark.parametrize("perturbation", invisible.PERTURBATIONS, ids=lambda p: p.name)
@given(st.text(max_size=60), st.integers(1, 5), st.integers(0, 99))
def test_without_format_characters_the_text_is_what_it_was(perturbation, text: str, severity: int, seed: int) -> None:
    def visible(string: str) -> str:
        return "".join(sign for sign in string if unicodedata.category(sign) != "Cf")

    assert visible(perturbation.apply(text, severity, random.Random(seed))) == visible(text)


@pytest.mark.parametrize("perturbation", invisible.PERTURBATIONS, ids=lambda p: p.name)
def test_shaped_and_right_to_left_scripts_stay(perturbation) -> None:
    for text in ("مرحبا بالعالم", "שלום עולם", "नमस्ते दुनिया"):
        assert perturbation.apply(text, 5, random.Random(0)) == text


def test_direction_isolates_are_balanced() -> None:
    closing = {"\u2066": "\u2069", "\u2068": "\u2069", "\u202a": "\u202c"}
    for seed in range(30):
        after = invisible.bidi_isolates(TEXT, 5, random.Random(seed))
        wrapped = [word for word in after.split() if not word.isalpha()]
        assert len(wrapped) == round(0.5 * len(TEXT.split()))
        assert all(closing[word[0]] == word[-1] and word[1:-1].isalpha() for word in wrapped)


def test_direction_marks_stand_between_letters() -> None:
    for seed in range(30):
        after = invisible.direction_marks(TEXT, 5, random.Random(seed))
        for place, sign in enumerate(after):
            if sign in invisible.MARKS:
                assert after[place - 1].isalpha()
                assert after[place + 1].isalpha()
