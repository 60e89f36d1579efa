"""Signs in a text."""

from __future__ import annotations

import pytest

from probes.text.signs import SIGNS, shows


@pytest.mark.parametrize(
    ("name", "yes", "no"),
    [
        ("an exclamation mark", "Oh!", "Oh."),
        ("a question mark", "Oh?", "Oh."),
        ("quotation marks", "a “fine” day", "a fine day, isn't it"),
        ("brackets", "so (they say)", "so they say"),
        ("a digit", "2 days", "two days"),
        ("a web address", "see WWW.example.org", "see the web"),
        ("an @handle", "ask @somebody", "mail me@example.org"),
        ("a #hashtag", "#sunny", "C# is a language"),
        ("a word in capitals", "so GOOD", "the UK"),
        ("letters outside ASCII", "café", "cafe 3_4"),
        ("an emoji", "fine \U0001f600", "fine :)"),
    ],
)
def test_a_sign_is_seen_where_it_is_and_only_there(name, yes, no):
    assert shows(yes, name)
    assert not shows(no, name)


def test_any_of_several_and_no_unknown_one():
    assert shows("ask @somebody", "a digit", "an @handle")
    assert not shows("ask somebody", *SIGNS)
    with pytest.raises(KeyError):
        shows("text", "a smell")
