from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.text.perturbations import whitespace

TEXT = "One small step, then a leap."


def test_every_blank_changes_at_severity_five() -> None:
    rng = random.Random(0)
    assert whitespace.doubled_spaces(TEXT, 5, rng) == "One  small  step,  then  a  leap."
    assert whitespace.tabs(TEXT, 5, rng) == "One\tsmall\tstep,\tthen\ta\tleap."
    assert whitespace.line_breaks(TEXT, 5, rng) == "One\nsmall\nstep,\nthen\na\nleap."
    assert whitespace.spaced_punctuation(TEXT, 5, rng) == "One small step , then a leap ."


def test_joined_words_lose_half_of_the_spaces_between_words() -> None:
    assert whitespace.joined_words(TEXT, 5, random.Random(0)).count(" ") == 3
    assert "step, then" in whitespace.joined_words(TEXT, 5, random.Random(0))


@pytest.mark.parametrize("perturbation", whitespace.PERTURBATIONS, ids=lambda p: p.name)
@given(st.text("abcd .,\n", max_size=60), st.integers(0, 99))
def test_nothing_but_blanks_changes_and_more_at_higher_severity(perturbation, text: str, seed: int) -> None:
    before = 0
    for severity in range(1, 6):
        after = perturbation.apply(text, severity, random.Random(seed))
        assert "".join(after.split()) == "".join(text.split())
        differing = abs(len(after) - len(text)) or sum(a != b for a, b in zip(after, text, strict=True))
        assert differing >= before
        before = differing


@given(st.integers(0, 99))
def test_margins_are_nested(seed: int) -> None:
    texts = [whitespace.surrounding_whitespace("word", severity, random.Random(seed)) for severity in range(1, 6)]
    assert [len(text) for text in texts] == [6, 8, 12, 20, 36]
    assert all(inner in outer for inner, outer in itertools.pairwise(texts))


def test_a_blank_text_has_no_margins() -> None:
    assert whitespace.surrounding_whitespace("  ", 5, random.Random(0)) == "  "
