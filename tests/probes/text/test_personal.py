"""Personal data in shown texts: what is masked, what is left alone, and that nothing moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.registry import load_registry
from probes.text.masking import MASK
from probes.text.personal import CHANGED, mask_pair, mask_personal


def hidden(text: str) -> str:
    return mask_personal(text).replace(MASK, "*")


def hidden_pair(before: str, after: str) -> tuple[str, str]:
    left, right = mask_pair(before, after)
    return left.replace(MASK, "*"), right.replace(MASK, "*").replace(CHANGED, "+")


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
        ("my number is AB 12 34 56 C", "my number is A* ** ** ** *"),
        ("DNI 12345678Z, NIE X1234567L", "DNI 1********, NIE X********"),
        (
            "see https://a.example/x?id=7&access_token=se-cr3t.t&v=2 now",
            "see https://a.example/x?id=7&access_token=s*-****.*&v=2 now",
        ),
        ("https://a.example/#code=Ab_9", "https://a.example/#code=A*_*"),
        ("ftp://sam:letmein@files.example/x", "ftp://s**:*******@*****.*******/x"),
        ("call 555-1234 or 612 345 678", "call 5**-**** or 6** *** ***"),
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
        "from 1990-1995 or 2019-2021",
        "on 2026-11-24 11:30 and 24.11.2026 9 o'clock",
        "pi is 3.14159265",
        "10 000 000 people",
        "12345678A is no DNI and AB123456E no NINO",
        "a GB82WEST12345698765433 that is no IBAN",
        "what?token=",
        "",
    ],
)
def test_ordinary_numbers_stay(text):
    assert hidden(text) == text


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        # The same place in both: nothing to tell apart.
        ("call +49 30 1234567", "CALL +49 30 1234567", ("call +4* ** *******", "CALL +4* ** *******")),
        # A change within is still seen, and what it is now is not.
        ("call +49 30 1234567", "call +49 30 1234568", ("call +4* ** *******", "call +4* ** ******+")),
        # A change takes the text out of its form: the other version knows.
        ("ask jane@x.example now", "ask jane@x,example now", ("ask j***@*.******* now", "ask j***@*,******* now")),
        ("ask jane@x,example now", "ask jane@x.example now", ("ask j***@*,******* now", "ask j***@*.******* now")),
        ("ask jane@x.example now", "ask jne@x example now", ("ask j***@*.******* now", "ask j**@* ******* now")),
        ("ask jane@x.example", "ask jaqne@x.exampel", ("ask j***@*.*******", "ask j*+**@*.*****+*")),
        ("nothing here", "nothing there", ("nothing here", "nothing there")),
    ],
)
def test_a_pair_hides_in_both_what_one_of_them_gives_away(before, after, shown):
    assert hidden_pair(before, after) == shown


@given(st.text(alphabet="ja@x.e 0123-+", max_size=30), st.text(alphabet="ja@x.e 0123-+", max_size=30))
def test_a_pair_hides_at_least_what_each_hides_alone(before, after):
    for alone, paired, raw in zip(map(mask_personal, (before, after)), mask_pair(before, after), (before, after),
                                  strict=True):  # fmt: skip
        assert len(paired) == len(raw)
        for one, both, character in zip(alone, paired, raw, strict=True):
            assert both in (character, MASK, CHANGED)
            assert one == character or both != character


def test_our_own_sentences_lose_no_number():
    docs = [probe.info.doc for probe in load_registry().probes.values()]
    sentences = [text for doc in docs for text in doc.texts]
    assert len(sentences) > 300
    for sentence in sentences:
        assert mask_personal(sentence, loose=False) == sentence


@given(st.text(max_size=80))
def test_nothing_moves_and_twice_is_once(text):
    once = mask_personal(text)
    assert len(once) == len(text)
    assert mask_personal(once) == once


def test_a_long_text_takes_no_time():
    long = "1" * 100_000 + " @" * 50_000 + "a@" * 50_000 + ":" * 100_000 + "?a-token" * 20_000 + "://a" * 20_000
    assert mask_personal(long)
    assert mask_pair(long, long[1:])
