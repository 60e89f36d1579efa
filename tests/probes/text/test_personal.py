"""Personal data in shown texts: what is masked, what is left alone, and that nothing moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.text.masking import MASK
from probes.text.personal import mask_personal


def hidden(text: str) -> str:
    return mask_personal(text).replace(MASK, "*")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to jane.doe+x@mail.example.org now", "write to j***.***+*@****.*******.*** now"),
        ("thanks @sam_b for this", "thanks @s**_* for this"),
        ("call +49 30 1234567 today", "call +4* ** ******* today"),
        ("call (020) 7946 0958", "call (0**) **** ****"),
        ("0301234567 is mine", "0********* is mine"),
        ("pay GB82 WEST 1234 5698 7654 32 please", "pay G*** **** **** **** **** ** please"),
        ("DE89370400440532013000", "D" + "*" * 21),
        ("card 4111 1111 1111 1111, thanks", "card 4*** **** **** ****, thanks"),
        ("my number is 078-05-1120", "my number is 0**-**-****"),
        ("from 192.168.10.25 at night", "from 1**.***.**.** at night"),
        ("from 2001:db8::8a2e:370:7334 too", "from 2***:***::****:***:**** too"),
    ],
)
def test_what_has_a_form_is_masked(text, masked):
    assert hidden(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "on 2026-11-24 at 12:30:45",
        "24.11.2026 and 11/24/2026",
        "it cost 1250000 or 1,250,000.00 or 12.50",
        "version 1.2.3 of 2024",
        "order 4471 from 1999 to 2004",
        "email me @ home",
        "a ratio of 3:2:1",
        "std::vector and a::b",
        "chapter 3.1.4",
        "",
    ],
)
def test_ordinary_numbers_stay(text):
    assert hidden(text) == text


@given(st.text(max_size=80))
def test_nothing_moves_and_twice_is_once(text):
    once = mask_personal(text)
    assert len(once) == len(text)
    assert mask_personal(once) == once


def test_a_long_text_takes_no_time():
    assert mask_personal("1" * 100_000 + " @" * 50_000 + "a@" * 50_000 + ":" * 100_000)
