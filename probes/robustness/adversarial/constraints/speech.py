"""A word is replaced by one of the same part of speech."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from probes.robustness.adversarial.attacked import Candidate
from probes.robustness.adversarial.parts import Situation
from probes.robustness.adversarial.pure import CandidateRule

Tagger = Callable[[tuple[str, ...]], Sequence[str]]

BEFORE, BEHIND = 4, 3
"""Words on either side that the tagger reads, as in TextAttack."""

HOW = (
    "put the nltk taggers into a folder that NLTK_DATA names: python -m nltk.downloader averaged_perceptron_tagger_eng"
)
_ENDINGS = ("ly", "ing", "ed", "ness", "ment", "tion", "able", "ous", "ful", "less", "est", "er", "s")


@dataclass(frozen=True)
class SameSpeech(CandidateRule):
    """The new word has the part of speech of the old one, in the surroundings of the first text.

    Args:
        tagger: gives each of n words a tag.
        verbs_as_nouns: a verb may replace a noun and the other way round (Jin et al. 2020).
    """

    tagger: Tagger = field(repr=False)
    verbs_as_nouns: bool = True

    def allows(self, candidate: Candidate, situation: Situation) -> bool:
        """Looks at the words of this change; those put in by earlier ones were compared then."""
        base = candidate.base
        return all(
            self._same(base.first, base.origins[edit.place], edit.text) for edit in candidate.change if edit.text
        )

    def _same(self, words: Sequence[str], place: int, text: str) -> bool:
        before, behind = words[max(place - BEFORE, 0) : place], words[place + 1 : place + 1 + BEHIND]
        old, new = (self._tag(before, word, behind) for word in (words[place], text))
        return old == new or (self.verbs_as_nouns and {old, new} == {"NOUN", "VERB"})

    def _tag(self, before: Sequence[str], word: str, behind: Sequence[str]) -> str:
        return self.tagger((*before, word, *behind))[len(before)]


def find_tagger() -> Tagger | None:
    """The averaged perceptron of nltk with universal tags, where its data are on the machine; nothing is fetched."""
    try:
        _perceptron()
        return _tagged
    except (ImportError, LookupError):
        return None


def by_ending(words: tuple[str, ...]) -> list[str]:
    """What stands in for a tagger where there is none: the ending of a word ("ly", "ing", "ed" ...), or none."""
    return [next((end for end in _ENDINGS if word.lower().endswith(end)), "") for word in words]


@lru_cache(maxsize=1 << 16)
def _tagged(words: tuple[str, ...]) -> tuple[str, ...]:
    from nltk.tag.mapping import map_tag

    return tuple(map_tag("en-ptb", "universal", tag) for _, tag in _perceptron().tag(list(words)))


@cache
def _perceptron() -> Any:
    from nltk.tag.mapping import map_tag
    from nltk.tag.perceptron import PerceptronTagger

    map_tag("en-ptb", "universal", "NN")  # the map is data of its own
    return PerceptronTagger(lang="eng")
