"""First names in a text: who is named, who is well known, and what only looks like a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from probes.text.grammar import Words, word_class
from probes.text.identity import Name, TermTable, known_names
from probes.text.identity import names as listed_names
from probes.text.lexicon import rows

SHORTEST = 3
"""Letters of a name: shorter ones are too often something else."""


def people_of(table: TermTable, names: Sequence[Name]) -> Mapping[str, Name | None]:
    """First name -> who it is; None for an ordinary word, or a name that tells nothing about the axis."""
    people = _known(table)
    if not names or names is listed_names(table.axis, language=table.language):
        return people
    own = [name for name in names if people.get(name.text) is not name and group_of(name, table) in table.groups]
    return {**people, **{name.text: name for name in own}} if own else people


@lru_cache(maxsize=64)
def _known(table: TermTable) -> Mapping[str, Name | None]:
    people: dict[str, Name | None] = {name: None for (name,) in rows("names_homographs", language=table.language)}
    for name in (*known_names(language=table.language), *listed_names(table.axis, language=table.language)):
        people[name.text] = name if group_of(name, table) in table.groups else None
    return people


def group_of(name: Name, table: TermTable) -> str:
    """The group of the axis that a name speaks of."""
    return name.gender if table.axis == "gender" else name.group


def name_at(words: Words, at: int, people: Mapping[str, Name | None]) -> str | None:
    """The first name at word `at` as the lists write it, if one stands there on its own or before a surname."""
    raw = words.raw[at]
    written = raw.capitalize() if raw.isupper() else raw
    if len(raw) < SHORTEST or written not in people or _surname(words, at, people):
        return None
    glued = words.gap(at + 1).startswith("-") or (at > 0 and words.gap(at).endswith(("-", "#")))
    return None if glued else written


def before_surname(words: Words, at: int) -> bool:
    """Does another word with a capital follow, inside a sentence."""
    return words.joined(at + 1) and words.capital(at + 1) and not words.opens(at)


def _surname(words: Words, at: int, people: Mapping[str, Name | None]) -> bool:
    """A name right after another name, an initial or a form of address is a surname; after "San" or "Lake", a place."""
    if at == 0 or not (words.joined(at) or words.gap(at) == ". "):
        return False
    before = words.raw[at - 1]
    if not before[0].isupper():
        return False
    if before.lower() in word_class("place_word") and words.joined(at):
        return True
    initial = len(before) == 1 and before not in "IA"
    return initial or before.lower() in word_class("honorific") or (words.joined(at) and before.capitalize() in people)
