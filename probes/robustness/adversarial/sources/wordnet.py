"""WordNet, as nltk reads it, where both are on the machine: synonyms and antonyms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

HOW = "put the nltk corpus wordnet into a folder that NLTK_DATA names: python -m nltk.downloader wordnet"
"""How to get it."""


@dataclass(frozen=True)
class WordNet:
    """The database; opened by `find`.

    Attributes:
        version: of the database ("3.0").
    """

    version: str

    @property
    def parameter(self) -> str:
        """What it is, for the record."""
        return f"WordNet {self.version}"

    def synonyms(self, word: str) -> tuple[str, ...]:
        """Single words that share a sense with a word or its base form, the commonest senses first."""
        return _synonyms(word)

    def antonyms(self, word: str) -> frozenset[str]:
        """The opposites of a word in any sense, and those of the words its senses are like, in small letters."""
        return _antonyms(word.lower())

    def kinds(self, word: str) -> frozenset[str]:
        """The parts of speech that a word, or its base form, can be: of "n", "v", "a" and "r"."""
        return frozenset("a" if sense.pos() == "s" else sense.pos() for sense in _reader().synsets(word))


@cache
def find() -> WordNet | None:
    """WordNet, if nltk has it among its data; nothing is fetched."""
    try:
        return WordNet(str(_reader().get_version()))
    except (ImportError, LookupError):
        return None


@cache
def _reader() -> Any:
    from nltk.corpus import wordnet

    wordnet.ensure_loaded()
    return wordnet


@cache
def _synonyms(word: str) -> tuple[str, ...]:
    names = (name for sense in _reader().synsets(word) for name in sense.lemma_names())
    return tuple(dict.fromkeys(name for name in names if name != word and "_" not in name and name.isascii()))


@cache
def _antonyms(word: str) -> frozenset[str]:
    """Adjectives are like a head word, which has the opposite ("tiny" is like "small", and so opposed to "large")."""
    senses = _reader().synsets(word)
    lemmas = [lemma for sense in senses for lemma in sense.lemmas() if lemma.name().lower() == word]
    like = [lemma for sense in senses if sense.pos() == "s" for head in sense.similar_tos() for lemma in head.lemmas()]
    return frozenset(opposite.name().lower() for lemma in (*lemmas, *like) for opposite in lemma.antonyms())
