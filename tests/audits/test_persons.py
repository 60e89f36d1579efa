"""One person under two spellings is one person; two people stay two."""

from __future__ import annotations

import pytest

from audits.persons import person, same_person


@pytest.mark.parametrize(
    "other",
    [
        "ROSA MEYER",
        "  rosa \t meyer ",
        "Meyer, Rosa",
        "Rosa.Meyer",
        "Rosa  Meyer.",
        "ＲＯＳＡ Meyer",
        "Rosa\u00a0Meyer",
        "Rosa\u200b Meyer",
        "Rosa (Meyer)",
        "Rosa Meyer <rosa@example.org>",
    ],
)
def test_spellings_of_one_name(other):
    assert same_person("Rosa Meyer", other)
    assert same_person(other, "Rosa Meyer")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("R. Meyer <rosa@example.org>", "Rosa Meyer <ROSA@example.ORG>"),
        ("rosa@example.org", "Somebody Else (rosa@example.org)"),
        ("mailto:rosa@example.org", "rosa@example.org"),
        ("Pat O'Brien", "pat o’brien"),
        ("Anne-Marie Li", "Li, Anne Marie"),
        ("Jürgen Groß", "JU\u0308RGEN GROSS"),
        ("a.lopez@example.org", "\u0430.lopez@example.org"),
        ("A. Lopez", "\u0410. L\u03bfp\u0435z"),
        ("Rosa MEYER", "rosa \u041cEYER"),
        ("J\u00d8RN Lie", "Jorn Lie"),
        ("\u0412\u0435\u0440\u0430 \u0418\u0432", "\u0412\u0415\u0420\u0410 \u0418\u0412"),
    ],
)
def test_addresses_and_letters(one, other):
    assert same_person(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Rosa Meyer", "Rosa Maier"),
        ("Rosa Meyer", "Rosa Anna Meyer"),
        ("rosa@example.org", "rosa@example.com"),
        ("Rosa Meyer <a@x.org>", "Ann Meyer <b@x.org>"),
        ("李雷", "韩梅梅"),
        ("\u0412\u0435\u0440\u0430", "\u041d\u0438\u043d\u0430"),
        ("", ""),
        ("...", "..."),
    ],
)
def test_two_people_and_nobody(one, other):
    assert not same_person(one, other)


def test_what_is_no_name_is_nobody():
    assert person(" .,-\u200b ") == ""
    assert person("rosa@example.org") == "rosa@example.org"
