from __future__ import annotations

import random

import pytest

from probes.text.perturbations.punctuation import STRAY, punctuation_added, punctuation_stripped


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Well, it works!", "Well it works"),
        ('He said: "no (never)..."', "He said no never"),
        ("a well-known man, don't", "a well-known man don't"),
        ("at 3.5% or -5 degrees", "at 3.5% or -5 degrees"),
        ("fine :) really :D yes ;-)", "fine :) really :D yes ;-)"),
        ("see http://a.b/c.d?e, now.", "see http://a.b/c.d?e, now"),
        ("“Quoted”, she said…", "Quoted she said"),
        ("word", "word"),
        ("!!!", ""),
    ],
)
def test_all_marks_at_word_edges_go_at_severity_five(before: str, after: str) -> None:
    assert punctuation_stripped(before, 5, random.Random(0)) == after


def test_a_share_of_the_marks_goes() -> None:
    text = "word, " * 50
    assert [punctuation_stripped(text, s, random.Random(0)).count(",") for s in range(1, 6)] == [40, 30, 20, 10, 0]


def test_stray_marks_stand_behind_words_and_carry_no_tone() -> None:
    text = "one two three, four 5 six seven eight"
    seen = set()
    for seed in range(100):
        after = punctuation_added(text, 5, random.Random(seed))
        assert after.replace(",,", ",").translate({ord(mark): None for mark in STRAY}) == text.replace(",", "")
        assert "three,," not in after
        assert not after.endswith(tuple(STRAY))
        seen.update(set(after) - set(text))
    assert seen <= set(STRAY)
    assert len(seen) >= 3
