"""WordNet, where it is on the machine: synonyms, antonyms and base forms, as nltk or the package wn reads it."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Protocol

_READERS = ("wordnet_nltk", "wordnet_wn")
"""Modules beside this one, the first that has a database is taken; each imports its package when it is asked."""


class WordNet(Protocol):
    """The database, whoever reads it; words are asked about in any form."""

    @property
    def parameter(self) -> str:
        """What it is, for the record."""
        ...

    def synonyms(self, word: str) -> tuple[str, ...]:
        """Single words that share a sense with a word or its base form, the commonest senses first."""
        ...

    def antonyms(self, word: str) -> frozenset[str]:
        """The opposites of a word in any sense, and those of the words its senses are like, in small letters."""
        ...

    def kinds(self, word: str) -> frozenset[str]:
        """The parts of speech that a word, or its base form, can be: of "n", "v", "a" and "r"."""
        ...

    def base(self, word: str, kind: str) -> str | None:
        """The base form of a word as a noun, verb or adjective ("n", "v", "a"); None where it is none."""
        ...

    def irregular(self, base: str, kind: str) -> frozenset[str]:
        """The forms of a base form that no rule gives, single words only."""
        ...


@cache
def find() -> WordNet | None:
    """WordNet, if nltk or wn has it among its data; nothing is fetched."""
    for name in _READERS:
        found: WordNet | None = import_module(f"{__package__}.{name}").find()
        if found is not None:
            return found
    return None
