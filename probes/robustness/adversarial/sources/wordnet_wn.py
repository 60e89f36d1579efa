"""An English wordnet as the package wn reads it (`pip install wn`, then `python -m wn download oewn:2024`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

_PREFERRED = ("oewn", "ewn", "omw-en", "omw-en31")
"""Of the lexicons that are there: Open English WordNet first, which lists irregular forms."""
_KINDS = ("n", "v", "a", "r")


@dataclass(frozen=True)
class WnWordNet:
    """What `probes.robustness.adversarial.sources.wordnet.WordNet` says, from a lexicon of wn.

    Attributes:
        lexicon: its name and version ("oewn:2024").
    """

    lexicon: str

    @property
    def parameter(self) -> str:
        """What it is, for the record."""
        return f"WordNet {self.lexicon}, read by wn"

    def synonyms(self, word: str) -> tuple[str, ...]:
        """Nouns, verbs, adjectives, adverbs, each in the order of the senses of the word."""
        return _synonyms(self.lexicon, word)

    def antonyms(self, word: str) -> frozenset[str]:
        """Also of the head words that adjectives are like."""
        return _antonyms(self.lexicon, word.lower())

    def kinds(self, word: str) -> frozenset[str]:
        """Those of all words it may be a form of."""
        return frozenset(kind for kind in _KINDS if next(_words(self.lexicon, word, kind), None) is not None)

    def base(self, word: str, kind: str) -> str | None:
        """The word itself where it is one, else the first by the spelling of those that rules or the lexicon give."""
        found = sorted({each.lemma() for each in _words(self.lexicon, word, kind)})
        return word if word in found else next(iter(found), None)

    def irregular(self, base: str, kind: str) -> frozenset[str]:
        """As the lexicon lists them."""
        words = (each for each in _words(self.lexicon, base, kind) if each.lemma() == base)
        return frozenset(form for each in words for form in each.forms() if form != base and form.isalpha())


def find() -> WnWordNet | None:
    """A wordnet of English, if wn has one in its database; nothing is fetched, and no database made."""
    try:
        import wn
    except ImportError:
        return None
    if not wn.config.database_path.is_file():
        return None
    wn.config.allow_multithreading = True  # a search asks from more than one thread, though never at once
    found = [lexicon for lexicon in wn.lexicons() if lexicon.language == "en" and lexicon.extends() is None]
    best = max(found, key=lambda lexicon: (-_rank(lexicon.id), lexicon.version, lexicon.id), default=None)
    return None if best is None else WnWordNet(best.specifier())


def _rank(name: str) -> int:
    return _PREFERRED.index(name) if name in _PREFERRED else len(_PREFERRED)


@cache
def _reader(lexicon: str) -> Any:
    import wn
    from wn.morphy import Morphy

    # Morphy with the wordnet would read all its words first; without it, it guesses, and the lookup drops what is none.
    return wn.Wordnet(lexicon, lemmatizer=Morphy())


def _words(lexicon: str, word: str, kind: str) -> Iterator[Any]:
    """The words that a form may belong to; some lexicons keep adjectives that are like another one apart."""
    kinds = ("a", "s") if kind == "a" else (kind,)
    found = [each for own in kinds for each in _reader(lexicon).words(word, pos=own)]
    yield from sorted(found, key=lambda each: (each.lemma() != word, each.lemma(), each.id))


def _synsets(lexicon: str, word: str) -> list[Any]:
    return [sense.synset() for kind in _KINDS for each in _words(lexicon, word, kind) for sense in each.senses()]


@cache
def _synonyms(lexicon: str, word: str) -> tuple[str, ...]:
    names = (name for synset in _synsets(lexicon, word) for name in synset.lemmas())
    return tuple(dict.fromkeys(name for name in names if name != word and " " not in name and name.isascii()))


@cache
def _antonyms(lexicon: str, word: str) -> frozenset[str]:
    """As nltk's WordNet is asked: of the senses of the word itself, and of those that its adjectives are like."""
    synsets = _synsets(lexicon, word)
    own = [sense for synset in synsets for sense in synset.senses() if sense.word().lemma().lower() == word]
    like = [
        sense
        for synset in synsets
        if synset.pos in ("a", "s")
        for head in synset.get_related("similar")
        for sense in head.senses()
    ]
    return frozenset(each.word().lemma().lower() for sense in (*own, *like) for each in sense.get_related("antonym"))
