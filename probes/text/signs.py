"""Signs that a text holds or does not hold, and that a reader can check at a glance."""

from __future__ import annotations

import re
from collections.abc import Mapping

SIGNS: Mapping[str, re.Pattern[str]] = {
    "an exclamation mark": re.compile(r"!"),
    "a question mark": re.compile(r"\?"),
    "quotation marks": re.compile(r'["“”«»]'),
    "brackets": re.compile(r"[()\[\]]"),
    "a digit": re.compile(r"\d"),
    "a web address": re.compile(r"https?://|www\.", re.IGNORECASE),
    "an @handle": re.compile(r"(?<!\w)@\w"),
    "a #hashtag": re.compile(r"(?<!\w)#\w"),
    "a word in capitals": re.compile(r"\b[A-Z]{3,}\b"),
    "letters outside ASCII": re.compile(r"[^\W\d_](?<![A-Za-z])"),
    "an emoji": re.compile(r"[\U0001F300-\U0001FAFF\u2600-\u27BF]"),
}
"""Name, to be read after "with", -> where it is in a text."""


def shows(text: str, *names: str) -> bool:
    """Whether the text holds any of these signs.

    Raises:
        KeyError: for a name that is not in SIGNS.
    """
    return any(SIGNS[name].search(text) is not None for name in names)
