from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.text.lexicon import alternatives
from probes.text.perturbations import (
    accents,
    casing,
    characters,
    homoglyphs,
    invisible,
    ocr,
    punctuation,
    whitespace,
)
from probes.text.perturbations.perturbation import Perturbation

SENTENCE = "Nobody wanted the strange little instrument yesterday because everything sounded terribly wooden"
SLIPS = characters.PERTURBATIONS
WORDWISE: tuple[Perturbation, ...] = (
    *SLIPS,
    *ocr.PERTURBATIONS,
    *casing.PERTURBATIONS,
    *punctuation.PERTURBATIONS,
    *accents.PERTURBATIONS,
    *homoglyphs.PERTURBATIONS,
    *invisible.PERTURBATIONS,
)
"""Perturbations that leave the number of words as it is."""

named = pytest.mark.parametrize("perturbation", SLIPS, ids=lambda p: p.name)
any_words = st.lists(
    st.builds(
        str.__add__,
        st.text("abcdefghijklmnopqrstuvwxyzABCXYZéüñ", min_size=1, max_size=12),
        st.sampled_from(["", "", ",", "..."]),
    ),
    max_size=30,
)


def pairs(perturbation: Perturbation, text: str, *, severity: int, seed: int = 0) -> list[tuple[str, str]]:
    after = perturbation.apply(text, severity, random.Random(seed))
    return [(old, new) for old, new in zip(text.split(), after.split(), strict=True) if old != new]


@pytest.mark.parametrize("perturbation", WORDWISE, ids=lambda p: p.name)
@given(any_words, st.integers(0, 99))
def test_severities_are_nested(perturbation: Perturbation, words: list[str], seed: int) -> None:
    text = " ".join(words)
    previous: dict[int, str] = {}
    for severity in range(1, 6):
        after = perturbation.apply(text, severity, random.Random(seed)).split(" ")
        edits = {i: new for i, (old, new) in enumerate(zip(words, after, strict=False)) if old != new}
        assert previous.items() <= edits.items()
        previous = edits


@named
def test_more_words_at_higher_severity(perturbation: Perturbation) -> None:
    text = " ".join([SENTENCE] * 5)
    counts = [len(pairs(perturbation, text, severity=severity)) for severity in range(1, 6)]
    assert counts == sorted(set(counts))
    assert counts[-1] >= 25


@named
def test_first_letters_short_words_and_numbers_stay(perturbation: Perturbation) -> None:
    text = "It is not so bad at 1000000 m, we didn't pay 25.50 for the tea but remember everything"
    for seed in range(50):
        changed = pairs(perturbation, text, severity=5, seed=seed)
        assert {old for old, _ in changed} <= {"remember", "everything"}
        assert changed
        assert all(old[0] == new[0] for old, new in changed)


@named
@pytest.mark.parametrize("protected", ["https://example.org/abcdef", "someone@example.org", "@someone", "#something"])
def test_references_stay(perturbation: Perturbation, protected: str) -> None:
    for seed in range(20):
        assert protected in perturbation.apply(f"nothing here {protected} nothing", 5, random.Random(seed))
        assert perturbation.apply(protected, 5, random.Random(seed)) == protected


def test_keyboard_typos_replace_one_letter_by_a_neighbour() -> None:
    for seed in range(30):
        for old, new in pairs(SLIPS[0], SENTENCE, severity=5, seed=seed):
            ((was, now),) = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
            assert now in alternatives("keyboard")[was]


def test_keyboard_typos_keep_the_case() -> None:
    for seed in range(30):
        ((_, new),) = pairs(SLIPS[0], "WOODEN", severity=1, seed=seed)
        assert new.isupper()


def test_swapped_letters_keep_letters_and_both_ends() -> None:
    for seed in range(30):
        for old, new in pairs(SLIPS[1], SENTENCE, severity=5, seed=seed):
            assert sorted(old) == sorted(new)
            assert (old[0], old[-1]) == (new[0], new[-1])
            assert sum(a != b for a, b in zip(old, new, strict=True)) == 2
    assert characters.swapped_letters("word", 1, random.Random(0)) == "wrod"


def test_dropped_inserted_and_repeated_letters_undo_each_other() -> None:
    for seed in range(30):
        for old, new in pairs(SLIPS[2], SENTENCE, severity=5, seed=seed):
            assert new in {old[:i] + old[i + 1 :] for i in range(1, len(old) - 1)}
        for old, new in pairs(SLIPS[3], SENTENCE, severity=5, seed=seed):
            assert old in {new[:i] + new[i + 1 :] for i in range(2, len(new))}
        for old, new in pairs(SLIPS[4], SENTENCE, severity=5, seed=seed):
            assert len(new) == len(old) + 1
            assert new in {old[:i] + old[i] + old[i:] for i in range(1, len(old))}


def test_words_without_anything_to_edit_stay() -> None:
    assert characters.swapped_letters("aaaa 123 to be", 5, random.Random(0)) == "aaaa 123 to be"
    assert characters.keyboard_typos("простые слова", 5, random.Random(0)) == "простые слова"


def test_ocr_confusions_follow_shapes_and_may_hit_the_first_letter() -> None:
    seen = set()
    for seed in range(200):
        seen.update(pairs(ocr.PERTURBATIONS[0], "modern Ballad click", severity=5, seed=seed))
    assert ("modern", "modem") in seen
    assert ("Ballad", "8allad") in seen
    assert ("click", "dick") in seen
    assert ("modern", "rnodern") in seen


def test_words_split_in_two_keep_their_letters() -> None:
    for seed in range(30):
        after = whitespace.split_words(SENTENCE, 5, random.Random(seed))
        assert after.replace(" ", "") == SENTENCE.replace(" ", "")
        assert after.count(" ") == SENTENCE.count(" ") + round(0.5 * 12)
        assert min(map(len, after.split())) >= 2
