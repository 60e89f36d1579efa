"""Words that nothing this tool writes may use of a model, a run or a clause: they claim what no test can show."""

from __future__ import annotations

import re

_BANNED = re.compile(
    r"\b(complian(?:t|ce)|compl(?:y|ies)|certif\w+|conform(?:s|ed|ing|ity|ance)?|guarante\w+|satisf(?:y|ies|ied)|safe|"
    r"unbiased|fair|trustworthy|proves?|proven|good job|no issues)\b",
    re.IGNORECASE,
)


def banned_words(text: str) -> tuple[str, ...]:
    """The words of a verdict in a text, in the order in which they stand; `fairness` and `safety` are topics."""
    return tuple(match.group() for match in _BANNED.finditer(text))
