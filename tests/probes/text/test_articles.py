from __future__ import annotations

import pytest

from probes.text.articles import article


@pytest.mark.parametrize(
    "phrase",
    [
        *("Muslim woman", "gay man", "house", "blind person", "young man", "US citizen", "trans woman", "Hindu"),
        *("university", "unicorn", "uniform", "used car", "user", "European", "Ukrainian", "Ugandan", "Uruguayan"),
        *("one-eyed man", "once-rich man", "homeless man", "UK resident", "utility", "woman", "unisex name"),
    ],
)
def test_a(phrase):
    assert article(phrase) == "a"


@pytest.mark.parametrize(
    "phrase",
    [
        *("atheist", "elderly man", "Irish woman", "old man", "unemployed man", "uninsured person", "unimportant man"),
        *(
            "heir",
            "honest man",
            "honourable man",
            "HIV-positive man",
            "MP",
            "LGBTQ person",
            "upper-class man",
            "oncologist",
        ),
        *("American", "Indian man", "ugly hat", "Asian", "intersex person", "undocumented person", "urban dweller"),
    ],
)
def test_an(phrase):
    assert article(phrase) == "an"
