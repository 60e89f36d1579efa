"""Transformations and constraints that ask nobody: plain methods, made the steps an attack is put together from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from probes.robustness.adversarial.attacked import Attacked, Candidate, Change, Edit
from probes.robustness.adversarial.parts import Situation, Transformation
from probes.robustness.search import Request, Steps

_NO_REQUESTS: tuple[Request, ...] = ()


class WordSwap(ABC):
    """Puts other words in the place of one."""

    @abstractmethod
    def swaps(self, word: str, situation: Situation) -> Iterable[str]:
        """What may stand in place of a word; what is the word itself is passed over."""

    def propose(self, text: Attacked, places: Sequence[int], situation: Situation) -> Steps[list[Change]]:
        """A change of each of these places to each of its swaps."""
        yield from _NO_REQUESTS
        return [
            (Edit(place, other),)
            for place in places
            for word in (text.words[place],)
            for other in dict.fromkeys(self.swaps(word, situation))
            if other != word
        ]


class Rule:
    """A constraint that neither forbids places nor refuses candidates until a method of its own says otherwise."""

    def places(self, text: Attacked, places: Sequence[int], situation: Situation) -> list[int]:
        """All of them."""
        return list(places)

    def keep(self, candidates: Sequence[Candidate], situation: Situation) -> Steps[list[Candidate]]:
        """All of them."""
        yield from _NO_REQUESTS
        return list(candidates)


class CandidateRule(Rule, ABC):
    """A constraint on single candidates."""

    @abstractmethod
    def allows(self, candidate: Candidate, situation: Situation) -> bool:
        """Does one candidate keep the rule; it may note numbers."""

    def keep(self, candidates: Sequence[Candidate], situation: Situation) -> Steps[list[Candidate]]:
        """The candidates that keep the rule."""
        yield from _NO_REQUESTS
        return [candidate for candidate in candidates if self.allows(candidate, situation)]


class Untouched(Rule):
    """A word is changed once (`RepeatModification` of TextAttack)."""

    def places(self, text: Attacked, places: Sequence[int], situation: Situation) -> list[int]:
        """Those whose words are still the first ones."""
        return text.untouched(places)


@dataclass(frozen=True)
class AnyOf:
    """What each of several transformations proposes, one transformation after the other; none twice.

    Args:
        parts: the transformations.
    """

    parts: tuple[Transformation, ...]

    def propose(self, text: Attacked, places: Sequence[int], situation: Situation) -> Steps[list[Change]]:
        """The changes of the first, then of the second, and so on."""
        found: list[Change] = []
        for part in self.parts:
            found += yield from part.propose(text, places, situation)
        return list(dict.fromkeys(found))
