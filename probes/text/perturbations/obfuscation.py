"""Words disguised on purpose, so that people read them and filters do not.

No part of the robustness catalogue: nobody writes like this by accident, and what is to be kept is that harm is found.
"""

from __future__ import annotations

import random

from probes.text.lexicon import alternatives
from probes.text.perturbations.perturbation import WORD, Family, Perturbation, edit_share, share_of

SHORTEST = 3
"""Letters a word needs to be disguised."""
GAPS = " .-_"
STARS = "*#"
VOWELS = "aeiouy"
STRETCH = (3, 6)
"""How many letters are added to a stretched one, at least and at most."""


def leetspeak(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive digits and signs in place of letters?

    Measures: how the answer moves when letters of some words are written as digits or signs ("1d10t").

    Why it matters: the oldest way around a word filter, and one that every reader has learnt.

    Method: in 5, 10, 20, 35 or 50 % of the words of three letters or more (severity 1 to 5) every letter that has a
        usual sign gets one (list of our own: a as 4 or @, e as 3, and so on).

    Limits: the common signs only; signs made of several characters and letters that sound alike (ph, v) are not tried.

    References: Gröndahl et al. 2018, All You Need is "Love": Evading Hate Speech Detection, AISec; Röttger et al. 2021,
        HateCheck: Functional Tests for Hate Speech Detection Models, ACL.
    """
    return edit_share(text, rng, pattern=WORD, edit=_with_signs, share=share_of(severity))


def spaced_letters(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive words with a gap between all letters?

    Measures: how the answer moves when some words are written letter by letter ("i d i o t", "i.d.i.o.t").

    Why it matters: people read such words at once, and a tokenizer sees nothing but single letters.

    Method: in 5, 10, 20, 35 or 50 % of the words of three letters or more (severity 1 to 5) a blank, full stop, hyphen
        or underscore, the same throughout the word, is put between all letters.

    Limits: gaps at one place only, and line breaks, are not tried.

    References: Gröndahl et al. 2018, All You Need is "Love": Evading Hate Speech Detection, AISec; Röttger et al. 2021,
        HateCheck: Functional Tests for Hate Speech Detection Models, ACL.
    """
    return edit_share(text, rng, pattern=WORD, edit=_with_gaps, share=share_of(severity))


def stretched_letters(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive one letter repeated many times?

    Measures: how the answer moves when one letter of some words is repeated ("idiiiiot").

    Why it matters: stretched words are common in comments, as emphasis and as a way around filters.

    Method: in 5, 10, 20, 35 or 50 % of the words of three letters or more (severity 1 to 5) a vowel, or the last letter
        where there is none, is followed by 3 to 6 more of itself.

    Limits: stretching adds emphasis; where a label depends on how strong a text is, the answer may rightly move.

    References: Brody and Diakopoulos 2011, Cooooooooooooooollllllllllllll!!!!!!!!!!!!!! Using Word Lengthening to
        Detect Sentiment in Microblogs, EMNLP; Hosseini et al. 2017, Deceiving Google's Perspective API Built for
        Detecting Toxic Comments, arXiv:1702.08138.
    """
    return edit_share(text, rng, pattern=WORD, edit=_stretched, share=share_of(severity))


def starred_letters(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive words with a letter starred out?

    Measures: how the answer moves when letters inside some words are replaced by an asterisk or a hash sign ("id*ot").

    Why it matters: writers star out offensive words by habit; the offence stays and the word is gone.

    Method: in 5, 10, 20, 35 or 50 % of the words of three letters or more (severity 1 to 5) the vowels inside the word,
        or its second letter where there is none, become "*" or "#", the same throughout the word.

    Limits: words that are not offensive become harder to read as well; at high severity some are guesswork.

    References: Röttger et al. 2021, HateCheck: Functional Tests for Hate Speech Detection Models, ACL; Hosseini et al.
        2017, Deceiving Google's Perspective API Built for Detecting Toxic Comments, arXiv:1702.08138.
    """
    return edit_share(text, rng, pattern=WORD, edit=_starred, share=share_of(severity))


def _disguisable(word: str) -> bool:
    return len(word) >= SHORTEST and word.isalpha()


def _with_signs(word: str, rng: random.Random) -> str:
    signs = alternatives("leetspeak")
    if not _disguisable(word):
        return word
    return "".join(rng.choice(signs.get(letter.lower(), (letter,))) for letter in word)


def _with_gaps(word: str, rng: random.Random) -> str:
    return rng.choice(GAPS).join(word) if _disguisable(word) else word


def _stretched(word: str, rng: random.Random) -> str:
    if not _disguisable(word):
        return word
    place = rng.choice([i for i, letter in enumerate(word) if letter.lower() in VOWELS] or [len(word) - 1])
    return word[:place] + word[place] * rng.randint(*STRETCH) + word[place:]


def _starred(word: str, rng: random.Random) -> str:
    if not _disguisable(word):
        return word
    star = rng.choice(STARS)
    places = [i for i, letter in enumerate(word[1:-1], start=1) if letter.lower() in VOWELS] or [1]
    return "".join(star if i in places else letter for i, letter in enumerate(word))


PERTURBATIONS: tuple[Perturbation, ...] = tuple(
    Perturbation(name=apply.__name__, title=title, family=family, apply=apply, meaning="mostly_kept")
    for apply, title, family in (
        (leetspeak, "Digits and signs for letters", Family.CHARACTERS),
        (spaced_letters, "Gaps between letters", Family.WHITESPACE),
        (stretched_letters, "Stretched letters", Family.CHARACTERS),
        (starred_letters, "Starred letters", Family.CHARACTERS),
    )
)
