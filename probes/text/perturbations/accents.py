"""Marks on letters: added where the language has none, or left out where it has them."""

from __future__ import annotations

import random
import re
import unicodedata

from probes.text.lexicon import alternatives
from probes.text.perturbations.perturbation import WORD, Family, Perturbation, edit_share, share_of

STRIP_SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Share of the accented words that lose their marks at each severity; at 5 all do, as on a plain keyboard."""

ACCENTED_WORD = re.compile(r"[^\W\d_]+(?:[\u0300-\u036f]+[^\W\d_]*)*")
"""A word with its combining marks, which WORD would stop at."""
_MARKED = re.compile(r"([A-Za-z])[\u0300-\u036f]+")


def accents_added(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive accents on plain letters?

    Measures: how often and how far the answer moves when one letter of some words carries a mark it should not have.

    Why it matters: it is a decoration people use and a way around filters that readers hardly notice, while a tokenizer
        that keeps accents no longer knows the word.

    Method: in 5, 10, 20, 35 or 50 % of the words with a plain vowel or c, n, s, y, z (severity 1 to 5) one such letter
        gets a random mark (a becomes á, à, â, ä, ã or å).

    Limits: meant for text in languages without accents; elsewhere another accent can be another word.

    References: Eger et al. 2019, Text Processing Like Humans Do: Visually Attacking and Shielding NLP Systems, NAACL;
        Boucher et al. 2022, Bad Characters: Imperceptible NLP Attacks, IEEE S&P.
    """
    return edit_share(text, rng, pattern=WORD, edit=_mark, share=share_of(severity))


def accents_stripped(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive missing accents?

    Measures: how often and how far the answer moves when words lose their accents and other marks.

    Why it matters: people with a plain keyboard leave them out, and older systems drop them.

    Method: 10, 25, 50, 75 or 100 % of the words with marked Latin letters (severity 1 to 5, at least one word) lose all
        their marks (Unicode canonical decomposition without the marks).

    Limits: texts without accents are not exercised. Marks can tell words apart (Spanish ano, año), and letters that
        have no decomposition (ø, ł, ß) stay.

    References: Náplava, Popel, Straka and Straková 2021, Understanding Model Robustness to User-generated Noisy Texts,
        W-NUT; Unicode Standard Annex 15, Unicode Normalization Forms.
    """
    return edit_share(text, rng, pattern=ACCENTED_WORD, edit=_unmark, share=STRIP_SHARES[severity - 1])


def _mark(word: str, rng: random.Random) -> str:
    marked = alternatives("accents")
    places = [place for place, letter in enumerate(word) if letter in marked]
    if not places:
        return word
    place = rng.choice(places)
    return word[:place] + rng.choice(marked[word[place]]) + word[place + 1 :]


def _unmark(word: str, _rng: random.Random) -> str:
    if word.isascii():
        return word
    bare, stripped = _MARKED.subn(r"\1", unicodedata.normalize("NFD", word))
    return unicodedata.normalize("NFC", bare) if stripped else word


PERTURBATIONS: tuple[Perturbation, ...] = (
    Perturbation(
        name="accents_added", title="Added accents", family=Family.UNICODE, apply=accents_added, meaning="kept"
    ),
    Perturbation(
        name="accents_stripped",
        title="Missing accents",
        family=Family.UNICODE,
        apply=accents_stripped,
        meaning="mostly_kept",
    ),
)
