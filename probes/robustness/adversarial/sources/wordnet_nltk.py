"""WordNet as nltk reads it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

_FILES = {"n": "noun", "v": "verb", "a": "adj"}


@dataclass(frozen=True)
class NltkWordNet:
    """What `probes.robustness.adversarial.sources.wordnet.WordNet` says, from the corpus of nltk.

    Attributes:
        version: of the database ("3.0").
    """

    version: str

    @property
    def parameter(self) -> str:
        """What it is, for the record."""
        return f"WordNet {self.version}"

    def synonyms(self, word: str) -> tuple[str, ...]:
        """In the order of nltk."""
        return _synonyms(word)

    def antonyms(self, word: str) -> frozenset[str]:
        """Also of the head words that adjectives are like."""
        return _antonyms(word.lower())

    def kinds(self, word: str) -> frozenset[str]:
        """Those of all its senses."""
        return frozenset("a" if sense.pos() == "s" else sense.pos() for sense in _reader().synsets(word))

    def base(self, word: str, kind: str) -> str | None:
        """By Morphy."""
        found: str | None = _reader().morphy(word, kind)
        return found

    def irregular(self, base: str, kind: str) -> frozenset[str]:
        """As the lists of exceptions have them."""
        return _exceptions(kind).get(base, frozenset())


def find() -> NltkWordNet | None:
    """WordNet, if nltk has it among its data; nothing is fetched."""
    try:
        return NltkWordNet(str(_reader().get_version()))
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


@cache
def _exceptions(kind: str) -> Mapping[str, frozenset[str]]:
    """Base form -> its irregular forms."""
    forms: defaultdict[str, set[str]] = defaultdict(set)
    with _reader().open(f"{_FILES[kind]}.exc") as lines:
        for line in lines:
            form, *bases = line.split()
            for base in bases:
                if form.isalpha():
                    forms[base].add(form)
    return {base: frozenset(found) for base, found in forms.items()}
