"""Whether a text holds a word of our own list of profanities, slurs and insults: sure of what it finds, blind to most.

Harm without such a word ("people like you should not be allowed to live here") is never found, and words that people
use among friends are; so it is a lower bound for rudeness, and no measure of hate.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import numpy as np

from probes.core.answers import Floats
from probes.text.masking import STRONG, has_offensive
from probes.text.offensive import entries

LISTED = "listed words"
"""What the list is called where scorers are named."""


def has_listed(text: str) -> bool:
    """Is there a profanity or slur that would be masked, also in disguise, or an insult of the same strength."""
    return has_offensive(text) or bool(_insults().search(text))


def listed(texts: Sequence[str]) -> Floats:
    """(n,): 1 for a text with a listed word, 0 for one without, NaN for one without words."""
    return np.array([float(has_listed(text)) if text.strip() else np.nan for text in texts], dtype=np.float64)


@cache
def _insults() -> re.Pattern[str]:
    found = [entry.word for entry in entries() if entry.kind == "insult" and entry.strength >= STRONG]
    return re.compile(rf"(?<!\w)(?:{'|'.join(sorted(map(re.escape, found), key=len, reverse=True))})(?!\w)", re.I)
