"""Which groups of people a text names, in the words of a term table.

Only words that speak of the group itself count: not pronouns, relatives, occupations, names or places. Words with other
meanings ("black", "old", "blind") count where a person is near: before a word for a person, after "I am", "you are" and
the like, or without a noun of their own in "is an old" and "the blind". Upper and lower case are the same, because
posts are careless with them.

This finds more than `probes.text.mentions`, which passes over what cannot be replaced with correct grammar ("murder
jewish", "is a vile hispanic"): here a text need only name a group, not read well with another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from probes.text.grammar import word_class
from probes.text.identity import TermTable

PLAIN = frozenset({"adjective", "person", "persons", "belief", "clergy"})
DESCRIPTOR, COLLECTIVE = "descriptor", "collective"

_AFTER_PERSON = re.compile(
    r"\b(?:i\s+am|i'?m|(?:you|we|they|who)(?:\s+are|'re|\s+were)|(?:he|she|who)(?:\s+is|'s|\s+was)|being|born)"
    r"(?:\s+(?:an?|the|so|very|not|just|both|also))*\s+$",
    re.IGNORECASE,
)
_AS_NOUN = re.compile(r"\b(?:am|is|are|was|were|be|['’](?:m|s|re))\s+an?\s+(?:[\w'-]+\s+)?$", re.IGNORECASE)
_NO_NOUN = re.compile(
    r"\s*(?:$|[^\w\s]|\s(?:are|were|is|was|and|or|who|in|of|to|should|can|will|would|must|may|have|had|do|don't|did"
    r"|need|deserve|get|from|with|as|by|on|for|at)\b)",
    re.IGNORECASE,
)
_COMPOUND = {
    "american": re.compile(r"\b(?:african|asian|native|latin|arab|hispanic)[\s-]$", re.IGNORECASE),
    "indian": re.compile(r"\bamerican[\s-]$", re.IGNORECASE),
    "old": re.compile(r"\byears?[\s-]$", re.IGNORECASE),
}
"""What makes another group's name, or a plain age, of the word that follows."""
_CAPITAL = frozenset({"polish", "pole", "poles"})
"""Everyday words without their capital."""
_WORD = re.compile(r"\w+")
_REACH = 40
"""Characters before a word in which its context is looked for."""


@dataclass(frozen=True, slots=True)
class _Finder:
    """How the forms of a table are found; `last` are their last words, for passing over most texts quickly."""

    pattern: re.Pattern[str]
    meaning: dict[str, tuple[str, frozenset[str]]]
    """Form in lower case -> its group and kinds."""
    last: frozenset[str]


def mentions(text: str, tables: Iterable[TermTable]) -> tuple[tuple[str, str], ...]:
    """(axis, group) for each group of the tables that the text names, in the order of the tables."""
    words = frozenset(_WORD.findall(text.lower()))
    found = []
    for table in tables:
        finder = _finder(table)
        if not finder.last.isdisjoint(words):
            named = _named(text, finder)
            found += [(table.axis, group) for group in table.groups if group in named]
    return tuple(found)


def _named(text: str, finder: _Finder) -> set[str]:
    found, match = set(), finder.pattern.search(text)
    while match:
        group, kinds = finder.meaning[_folded(match[0])]
        counted = _counts(text, match, kinds)
        if counted:
            found.add(group)
        # What does not count may hide what does: "the blind" in "the blind man".
        match = finder.pattern.search(text, match.end() if counted else match.start() + 1)
    return found


def _counts(text: str, match: re.Match[str], kinds: frozenset[str]) -> bool:
    before, word = text[max(0, match.start() - _REACH) : match.start()], match[0].lower()
    compound = _COMPOUND.get(word.removesuffix("s"))
    if compound and compound.search(before):
        return False
    if kinds & PLAIN:
        return word not in _CAPITAL or match[0][0].isupper()
    alone = _NO_NOUN.match(text, match.end()) is not None
    if DESCRIPTOR in kinds and (_AFTER_PERSON.search(before) or _before_person().match(text, match.end())):
        return True
    return alone and (COLLECTIVE in kinds or bool(DESCRIPTOR in kinds and _AS_NOUN.search(before)))


@cache
def _before_person() -> re.Pattern[str]:
    nouns = "|".join(sorted(map(re.escape, word_class("person_noun"))))
    return re.compile(rf"\s+(?:[\w'-]+\s+)?(?:{nouns})\b", re.IGNORECASE)


@lru_cache(maxsize=64)
def _finder(table: TermTable) -> _Finder:
    # A name made an adjective (Asian) has no everyday meaning; "black" has, however it is written in the list.
    meaning: dict[str, tuple[str, frozenset[str]]] = {}
    for row in table.rows:
        for group, forms in row.forms.items() if row.kind in PLAIN | {DESCRIPTOR, COLLECTIVE} else ():
            for form in forms:
                owner, kinds = meaning.get(_folded(form), (group, frozenset()))
                proper = row.kind == DESCRIPTOR and form[0].isupper() and _folded(form) != "black"
                meaning[_folded(form)] = (owner, kinds | {"adjective" if proper else row.kind})
    words = "|".join(re.escape(form).replace(r"\ ", r"\s+") for form in sorted(meaning, key=lambda f: (-len(f), f)))
    # "non-Muslim" is about other people; an empty table must match nothing.
    pattern = re.compile(rf"(?<!\w)(?<!non-)(?<!non )(?:{words or '(?!)'})(?!\w)", re.IGNORECASE)
    return _Finder(pattern, meaning, frozenset(_WORD.findall(form)[-1] for form in meaning))


def _folded(form: str) -> str:
    return " ".join(form.lower().split())
