"""Text that people must give in a policy or a file of waivers: something to be read, and names that fit on a line."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from probes.core.unseen import BLANK

LONGEST_NAME = 100
"""Characters of the name and of the version of a policy: they stand in one line with others."""

_BREAKING = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Categories of what ends a line, steers a terminal or cannot be seen."""


def has_visible(text: str) -> bool:
    """Is there a character to be seen. What is only white space, control, format or combining characters is empty."""
    return any(unicodedata.category(c)[0] not in "CMZ" and c not in BLANK for c in text)


def _seen(text: str) -> str:
    if not has_visible(text):
        raise ValueError("there is nothing to be read: write at least one visible character")
    return text


def _on_one_line(text: str) -> str:
    found = next((c for c in text if unicodedata.category(c) in _BREAKING), None)
    if found:
        raise ValueError(f"it stands in one line: the character U+{ord(found):04X} is not allowed")
    return text


Said = Annotated[str, Field(min_length=1), AfterValidator(_seen)]
"""Text that says something."""
Name = Annotated[str, Field(min_length=1), AfterValidator(_seen), AfterValidator(_on_one_line)]
"""What something is called: text that says something, without line breaks, control and format characters."""
ShortName = Annotated[Name, Field(max_length=LONGEST_NAME)]
"""Likewise, and not longer than a line."""
