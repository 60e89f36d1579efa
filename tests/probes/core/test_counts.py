"""Counts with their nouns."""

from __future__ import annotations

import pytest

from probes.core.counts import plural


@pytest.mark.parametrize(
    ("number", "words", "told"),
    [
        (0, ("item",), "0 items"),
        (1, ("independent item",), "1 independent item"),
        (1_234, ("item",), "1,234 items"),
        (1, ("canary", "canaries"), "1 canary"),
        (2, ("canary", "canaries"), "2 canaries"),
    ],
)
def test_a_noun_agrees_with_its_count(number, words, told):
    assert plural(number, *words) == told
