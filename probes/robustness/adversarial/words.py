"""Changes of whole words: synonyms, neighbours among vectors, what a masked model fills in, what a gradient points to.

Words are proposed in small letters and put in as the word they replace is written, with a capital or in capitals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from probes.robustness.adversarial.attacked import Attacked, Change, Edit
from probes.robustness.adversarial.guide import FLIPS
from probes.robustness.adversarial.parts import Situation
from probes.robustness.adversarial.pure import WordSwap
from probes.robustness.adversarial.sources.assistants import FILLINGS
from probes.robustness.adversarial.sources.own import NEIGHBOURS
from probes.robustness.adversarial.sources.vectors import Vectors
from probes.robustness.adversarial.sources.wordnet import WordNet
from probes.robustness.search import Request, Steps

Scored = Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Synonyms(WordSwap):
    """Words that share a sense in WordNet (Ren et al. 2019), as WordNet writes them."""

    wordnet: WordNet

    def swaps(self, word: str, situation: Situation) -> Iterator[str]:
        """All of them."""
        yield from self.wordnet.synonyms(word)


@dataclass(frozen=True)
class NearVectors(WordSwap):
    """The nearest words among word vectors (Jin et al. 2020).

    Args:
        count: of them.
        least: cosine.
    """

    vectors: Vectors = field(repr=False)
    count: int = 50
    least: float = 0.0

    def swaps(self, word: str, situation: Situation) -> Iterator[str]:
        """The nearest first."""
        (found,) = self.vectors.nearest.of([word], count=self.count)
        yield from (written_as(word, other) for other, cosine in found if cosine >= self.least)


@dataclass(frozen=True)
class NearOwnWords:
    """The nearest words in the model's own table of embeddings.

    Args:
        count: of them.
        least: cosine.
    """

    count: int = 50
    least: float = 0.3

    def propose(self, text: Attacked, places: Sequence[int], situation: Situation) -> Steps[list[Change]]:
        """The nearest first."""
        if not places:
            return []
        words = [text.words[place] for place in places]
        found: list[Scored] = yield Request(NEIGHBOURS, situation.item, [word.lower() for word in words])
        near = [[word for word, cosine in each[: self.count] if cosine >= self.least] for each in found]
        return list(_changes(places, words, near))


@dataclass(frozen=True)
class Filled:
    """What a masked language model finds likeliest in the place of a word (Li et al. 2020; Garg and Ramakrishnan 2020).

    Args:
        count: of words.
        least: probability.
        beside: words are also put in before a word that stays; otherwise only in its place.
    """

    count: int = 50
    least: float = 0.0
    beside: bool = False

    def propose(self, text: Attacked, places: Sequence[int], situation: Situation) -> Steps[list[Change]]:
        """The likeliest first."""
        if not places:
            return []
        words = [text.words[place] for place in places]
        spans = [text.span(place) for place in places]
        asked = [(text.text[:start], text.text[end:], self.count) for start, end in spans]
        if self.beside:
            asked += [(text.text[:start], f" {text.text[start:]}", self.count) for start, _ in spans]
        found: list[Scored] = yield Request(FILLINGS, situation.item, asked)
        likely = [[word for word, probability in each if probability >= self.least] for each in found]
        swaps = list(_changes(places, words, likely[: len(places)]))
        if not self.beside:
            return swaps
        return swaps + [
            (Edit(place, f"{other} {word}"),)
            for place, word, others in zip(places, words, likely[len(places) :], strict=True)
            for other in others
        ]


@dataclass(frozen=True)
class Flipped:
    """The words that the gradient expects to lead nearest to the goal (Ebrahimi et al. 2018).

    Args:
        count: of words.
    """

    count: int = 10

    def propose(self, text: Attacked, places: Sequence[int], situation: Situation) -> Steps[list[Change]]:
        """The most promising first."""
        if not places:
            return []
        (found,) = yield Request(FLIPS, situation.item, [(text, tuple(places), self.count)])
        words = [text.words[place] for place in places]
        return list(_changes(places, words, [[word for word, _ in each] for each in found]))


def written_as(word: str, other: str) -> str:
    """Another word with the capitals of a word: all of them, the first one, or as it is."""
    if len(word) > 1 and word.isupper():
        return other.upper()
    return other[:1].upper() + other[1:] if word[:1].isupper() else other


def _changes(places: Sequence[int], words: Sequence[str], others: Sequence[Sequence[str]]) -> Iterator[Change]:
    for place, word, each in zip(places, words, others, strict=True):
        for other in dict.fromkeys(written_as(word, other) for other in each):
            if other.lower() != word.lower():
                yield (Edit(place, other),)
