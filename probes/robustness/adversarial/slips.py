"""Every slip of one letter: what a hurried writer might have typed."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass

from probes.robustness.adversarial.characters import places
from probes.robustness.adversarial.parts import Situation
from probes.robustness.adversarial.pure import WordSwap

SHORTEST = 3
"""Letters of a word that is changed; shorter ones become other words."""


@dataclass(frozen=True)
class Slips(WordSwap):
    """All words at one letter left out, put in, replaced, or exchanged with its neighbour; only letters change.

    Of a very long word, at one of some `places` of it.

    Args:
        letters: which are put in.
    """

    letters: str = string.ascii_lowercase

    def swaps(self, word: str, situation: Situation) -> Iterator[str]:
        """Of words of letters alone; in capitals where the word is."""
        if len(word) < SHORTEST or not word.isalpha():
            return
        letters = self.letters.upper() if word.isupper() else self.letters
        for at in places(0, len(word)):
            before, behind = word[:at], word[at + 1 :]
            yield before + behind
            if behind:
                yield before + behind[0] + word[at] + behind[1:]
            for letter in letters:
                yield before + letter + behind
                yield before + letter + word[at:]
