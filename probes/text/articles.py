"""Which indefinite article a phrase takes. It goes by sound, so spelling needs exceptions."""

from __future__ import annotations

import re

_LETTERS_AS_VOWELS = "AEFHILMNORSX"
"""Letters whose own names begin with a vowel: an MP, an HIV test, but a US citizen."""
_SPELLED = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z](?=-)")
_SILENT_H = re.compile(r"heir|honest|honou?r|hour", re.IGNORECASE)
_LIKE_YOU = re.compile(r"uni(?!n|m[a-z])|u[st][aeiu]|u[bk]|ugand|uru|eu|ewe|one\b|once\b|one-", re.IGNORECASE)


def article(phrase: str) -> str:
    """ "a" or "an", in small letters."""
    if spelled := _SPELLED.match(phrase):
        return "an" if spelled[0][0] in _LETTERS_AS_VOWELS else "a"
    vowel = phrase[:1].lower() in "aeiou" and not _LIKE_YOU.match(phrase)
    return "an" if vowel or _SILENT_H.match(phrase) else "a"
