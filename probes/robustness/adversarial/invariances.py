"""Changes that a label seldom depends on: other names, numbers and places, contractions (Ribeiro et al. 2020)."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from probes.robustness.adversarial.attacked import Attacked, Change, Edit
from probes.robustness.adversarial.parts import Situation
from probes.robustness.search import Steps
from probes.text.grammar import in_words
from probes.text.identity import names, table
from probes.text.lexicon import alternatives
from probes.text.people import name_at, people_of
from probes.text.perturbations.contractions import contracting, expanding

OTHERS = 3
"""Other names, numbers or places that are tried for each, as in TextAttack."""
_COUNT = re.compile(r"[1-9]\d{0,3}")
_YEAR = re.compile(r"1[1-9]\d\d|20\d\d")
_AXIS = "gender"


class InPlace(ABC):
    """Puts something else of its kind in the place of a word, seen in its text."""

    @abstractmethod
    def others(self, text: Attacked, place: int, situation: Situation) -> Iterator[str]:
        """What may stand in the place of the word."""

    def propose(self, text: Attacked, places: Sequence[int], situation: Situation) -> Steps[list[Change]]:
        """A change of each of these places to each of the others."""
        yield from ()
        return [
            (Edit(place, other),)
            for place in places
            for other in dict.fromkeys(self.others(text, place, situation))
            if other != text.words[place]
        ]


@dataclass(frozen=True)
class OtherNames(InPlace):
    """Another first name of the same gender, out of our lists; what follows the name ("'s") stays."""

    def others(self, text: Attacked, place: int, situation: Situation) -> Iterator[str]:
        """Drawn; where a name begins that our lists know."""
        words = in_words(text.text)
        people = people_of(table(_AXIS), ())
        at = words.starts.index(text.starts[place]) if text.starts[place] in words.starts else None
        name = None if at is None else name_at(words, at, people)
        known = None if name is None else people[name]
        if name is not None and known is not None:
            rest = text.words[place][len(name) :]
            for other in _drawn(_names_of(known.gender), situation):
                yield other + rest


@dataclass(frozen=True)
class OtherNumbers(InPlace):
    """Another number of as many digits; years and numbers of five digits or more stay."""

    def others(self, text: Attacked, place: int, situation: Situation) -> Iterator[str]:
        """Drawn."""
        word = text.words[place]
        if _COUNT.fullmatch(word) and not _YEAR.fullmatch(word):
            low = 10 ** (len(word) - 1)
            yield from (str(situation.draws.integer(low, 10 * low)) for _ in range(OTHERS))


@dataclass(frozen=True)
class OtherPlaces(InPlace):
    """Another country for a country, another city for a city.

    Args:
        kinds: the places of each kind, of one word.
    """

    kinds: Mapping[str, Sequence[str]] = field(default_factory=lambda: alternatives("places"), repr=False)

    def others(self, text: Attacked, place: int, situation: Situation) -> Iterator[str]:
        """Drawn; what follows the name ("'s") stays."""
        name, mark, rest = text.words[place].partition("'")
        for listed in self.kinds.values():
            if name in listed:
                yield from (other + mark + rest for other in _drawn(listed, situation))


@dataclass(frozen=True)
class Contractions:
    """What is written out contracted, and what is contracted written out, where both are grammatical."""

    def propose(self, text: Attacked, places: Sequence[int], situation: Situation) -> Steps[list[Change]]:
        """A change of each form of which all words may be changed."""
        yield from ()
        allowed = set(places)
        found: list[Change] = []
        for phrases in (contracting(), expanding()):
            for start, end, new in phrases.found(text.text):
                inside = [place for place, (a, b) in enumerate(text.spans) if start <= a and b <= end]
                if inside and allowed.issuperset(inside) and _exactly(text, inside, start, end):
                    found.append((Edit(inside[0], new), *(Edit(place, "") for place in inside[1:])))
        return found


def _exactly(text: Attacked, inside: Sequence[int], start: int, end: int) -> bool:
    return text.starts[inside[0]] == start and text.span(inside[-1])[1] == end


def _drawn(options: Sequence[str], situation: Situation) -> Iterator[str]:
    return (situation.draws.choice(options) for _ in range(OTHERS))


@cache
def _names_of(gender: str) -> tuple[str, ...]:
    return tuple(name.text for name in names(_AXIS) if name.gender == gender)
