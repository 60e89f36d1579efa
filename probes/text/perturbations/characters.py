"""Slips of the finger: one letter of a word struck wrong, swapped, missed, added or doubled.

Words of fewer than four letters are left alone (most are function words, and a slip turns many into another word), and
so are words with an apostrophe, which often carry the negation. First letters stay: writers seldom miss them and
readers depend on them.
"""

from __future__ import annotations

import random

from probes.text.lexicon import alternatives
from probes.text.perturbations.perturbation import WORD, Family, Perturbation, edit_share, share_of

SHORTEST = 4
"""Letters a word needs to be edited."""


def keyboard_typos(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive letters struck on a neighbouring key?

    Measures: how often and how far the answer moves when one letter of some words is replaced by a letter whose key
        touches it on a US QWERTY keyboard.

    Why it matters: substitutions are among the commonest typing errors, and a single one splits a word into unfamiliar
        sub-word tokens, while a reader hardly slows down.

    Method: in 5, 10, 20, 35 or 50 % of the words of four letters or more (severity 1 to 5), one letter after the first
        is replaced by a random neighbour; case is kept. Links, handles, numbers and words with an apostrophe stay.

    Limits: one keyboard layout and letters a to z; real errors are less evenly spread over keys and words. A few edits
        make another real word.

    References: Damerau 1964, A technique for computer detection and correction of spelling errors, CACM 7(3); Pruthi,
        Dhingra and Lipton 2019, Combating Adversarial Misspellings with Robust Word Recognition, ACL.
    """
    return edit_share(text, rng, pattern=WORD, edit=_strike_neighbour, share=share_of(severity))


def swapped_letters(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive two neighbouring letters changing places?

    Measures: how often and how far the answer moves when two adjacent inner letters of some words are transposed.

    Why it matters: transposition is the error of fast typing. Readers recover words with jumbled inner letters at a
        small cost, so a model that does not is worse than the people who write to it.

    Method: in 5, 10, 20, 35 or 50 % of the words of four letters or more (severity 1 to 5), one random pair of
        different adjacent letters, neither the first nor the last of the word, is swapped.

    Limits: one swap per word at most; scripts without letters inside words (Chinese, Thai) are not meaningfully tested.

    References: Rayner, White, Johnson and Liversedge 2006, Raeding wrods with jubmled lettres: there is a cost,
        Psychological Science 17(3); Belinkov and Bisk 2018, Synthetic and Natural Noise Both Break NMT, ICLR.
    """
    return edit_share(text, rng, pattern=WORD, edit=_swap, share=share_of(severity))


def dropped_letters(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive a missing letter?

    Measures: how often and how far the answer moves when one inner letter of some words is left out.

    Why it matters: omissions are common in typed text, and they are how filters are evaded on purpose.

    Method: in 5, 10, 20, 35 or 50 % of the words of four letters or more (severity 1 to 5), one letter that is neither
        the first nor the last is removed.

    Limits: a few omissions make another real word (through, though); no dictionary guards against it.

    References: Damerau 1964, A technique for computer detection and correction of spelling errors, CACM 7(3); Pruthi,
        Dhingra and Lipton 2019, Combating Adversarial Misspellings with Robust Word Recognition, ACL.
    """
    return edit_share(text, rng, pattern=WORD, edit=_drop, share=share_of(severity))


def inserted_letters(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive a letter too many?

    Measures: how often and how far the answer moves when a letter from a neighbouring key slips into some words.

    Why it matters: a finger that catches two keys is an everyday slip, most of all on touch screens.

    Method: in 5, 10, 20, 35 or 50 % of the words of four letters or more (severity 1 to 5), a random neighbour (US
        QWERTY) of a letter after the first is inserted behind it.

    Limits: one keyboard layout and letters a to z; autocorrection, which turns such slips into other words, is not
        imitated.

    References: Damerau 1964, A technique for computer detection and correction of spelling errors, CACM 7(3); Pruthi,
        Dhingra and Lipton 2019, Combating Adversarial Misspellings with Robust Word Recognition, ACL.
    """
    return edit_share(text, rng, pattern=WORD, edit=_insert_neighbour, share=share_of(severity))


def repeated_letters(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive a letter typed twice?

    Measures: how often and how far the answer moves when one letter of some words is doubled.

    Why it matters: doubled letters come from keys held too long, from uncertain spelling and from emphasis ("sooo").

    Method: in 5, 10, 20, 35 or 50 % of the words of four letters or more (severity 1 to 5), one letter after the first
        is written twice.

    Limits: long emphatic runs are not imitated, since they add feeling that a label may rightly follow.

    References: Brody and Diakopoulos 2011, Cooooooooooooooollllllllllllll!!!!!!!!!!!!!! Using Word Lengthening to
        Detect Sentiment in Microblogs, EMNLP; Damerau 1964, CACM 7(3).
    """
    return edit_share(text, rng, pattern=WORD, edit=_double, share=share_of(severity))


def editable(word: str) -> bool:
    """Whether a word may be misspelt: long enough, and without an apostrophe."""
    return len(word) >= SHORTEST and word.isalpha()


def _strike_neighbour(word: str, rng: random.Random) -> str:
    return _neighbour_at(word, rng, keep=False)


def _insert_neighbour(word: str, rng: random.Random) -> str:
    return _neighbour_at(word, rng, keep=True)


def _neighbour_at(word: str, rng: random.Random, *, keep: bool) -> str:
    keys = alternatives("keyboard")
    places = [place for place, letter in enumerate(word) if place and letter.lower() in keys] if editable(word) else []
    if not places:
        return word
    place = rng.choice(places)
    letter = word[place]
    struck = rng.choice(keys[letter.lower()])
    if letter.isupper():
        struck = struck.upper()
    return word[: place + keep] + struck + word[place + 1 :]


def _swap(word: str, rng: random.Random) -> str:
    if not editable(word):
        return word
    places = [place for place in range(1, len(word) - 2) if word[place] != word[place + 1]]
    if not places:
        return word
    place = rng.choice(places)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def _drop(word: str, rng: random.Random) -> str:
    if not editable(word):
        return word
    place = rng.randrange(1, len(word) - 1)
    return word[:place] + word[place + 1 :]


def _double(word: str, rng: random.Random) -> str:
    if not editable(word):
        return word
    place = rng.randrange(1, len(word))
    return word[:place] + word[place] + word[place:]


PERTURBATIONS: tuple[Perturbation, ...] = tuple(
    Perturbation(name=apply.__name__, title=title, family=Family.CHARACTERS, apply=apply, meaning="kept")
    for apply, title in (
        (keyboard_typos, "Neighbouring keys"),
        (swapped_letters, "Swapped letters"),
        (dropped_letters, "Missing letters"),
        (inserted_letters, "Extra letters"),
        (repeated_letters, "Doubled letters"),
    )
)
