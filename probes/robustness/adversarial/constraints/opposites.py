"""The guard against opposites: the neighbours of a word among vectors are often what it is not ("cheap", "dear")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from probes.robustness.adversarial.attacked import Candidate
from probes.robustness.adversarial.constraints.words import replaced
from probes.robustness.adversarial.parts import Situation
from probes.robustness.adversarial.pure import CandidateRule
from probes.robustness.adversarial.sources.wordnet import WordNet
from probes.text.lexicon import rows

ANTONYM = "doubt.antonym"
"""Note: 1 where a word was replaced by its opposite, 0 where this was looked for and not found."""

_DENIALS = frozenset(
    {"no", "not", "never", "none", "nothing", "nobody", "without", "neither", "nor", "hardly", "cannot"}
)
_PREFIXES = ("un", "in", "im", "dis", "non", "ir", "il", "mis")


@dataclass(frozen=True)
class Opposites(CandidateRule):
    """No word is replaced by its opposite, and none that denies is put in or taken out.

    Opposites are those of our own list, of WordNet where it is there, and words that differ by a prefix of denial.

    Args:
        wordnet: None to do without.
        refuse: such candidates are dropped; otherwise they are kept and noted as doubtful.
    """

    wordnet: WordNet | None = None
    refuse: bool = True

    def allows(self, candidate: Candidate, situation: Situation) -> bool:
        """Looks at all that was changed since the first text."""
        opposed = any(self.opposed(first, other) for first, other in replaced(candidate))
        candidate.notes[ANTONYM] = float(opposed)
        return not (opposed and self.refuse)

    def opposed(self, first: str, other: str) -> bool:
        """Is one word the opposite of the other, or does exactly one of them deny."""
        one, two = first.lower(), other.lower()
        if denies(one) != denies(two):
            return True
        if two in _listed().get(one, frozenset()) or _prefixed(one, two):
            return True
        return self.wordnet is not None and (two in self.wordnet.antonyms(one) or one in self.wordnet.antonyms(two))


def denies(word: str) -> bool:
    """Does a word turn what is said into its opposite."""
    return word in _DENIALS or word.endswith("n't")


@cache
def _listed() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for one, other in rows("antonyms"):
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in found.items()}


def _prefixed(one: str, other: str) -> bool:
    """ "happy" and "unhappy"; three letters at least must be left."""
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) > 2 and any(longer == prefix + shorter for prefix in _PREFIXES)
