"""Letters of another block of Unicode that are drawn like Latin ones."""

from __future__ import annotations

import random
import string
from functools import cache

from probes.text.lexicon import alternatives
from probes.text.perturbations.perturbation import WORD, Family, Perturbation, edit_share, share_of

_FULL_WIDTH = str.maketrans({letter: chr(ord(letter) + 0xFEE0) for letter in string.ascii_letters})
"""ASCII letters to the block Halfwidth and Fullwidth Forms, which repeats ASCII from U+FF01 on."""


def cyrillic_homoglyphs(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive Cyrillic letters that look Latin?

    Measures: how often and how far the answer moves when letters of some words are replaced by Cyrillic ones drawn
    alike.

    Why it matters: the words look the same to a person and share nothing with the originals for a tokenizer: the
        cheapest way to hide text from a model, in use against spam and abuse filters.

    Method: in 5, 10, 20, 35 or 50 % of the words (severity 1 to 5) every Latin letter with a Cyrillic twin is replaced.

    Limits: an attack or a copying accident, not a writing error. Whether two letters look alike depends on the font.

    References: Boucher et al. 2022, Bad Characters: Imperceptible NLP Attacks, IEEE S&P; Unicode Technical Standard 39,
        Unicode Security Mechanisms (confusables).
    """
    return edit_share(text, rng, pattern=WORD, edit=_to_cyrillic, share=share_of(severity))


def greek_homoglyphs(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive Greek letters that look Latin?

    Measures: how often and how far the answer moves when letters of some words are replaced by Greek ones drawn alike.

    Why it matters: readers cope without effort, while for a tokenizer the word shares nothing with the original.

    Method: in 5, 10, 20, 35 or 50 % of the words (severity 1 to 5) every Latin letter with a Greek twin is replaced.

    Limits: fewer small letters have a twin than in Cyrillic, and some can be told apart on a close look (a, α).

    References: Boucher et al. 2022, Bad Characters: Imperceptible NLP Attacks, IEEE S&P; Unicode Technical Standard 39,
        Unicode Security Mechanisms (confusables).
    """
    return edit_share(text, rng, pattern=WORD, edit=_to_greek, share=share_of(severity))


def full_width_letters(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive full-width letters?

    Measures: how often and how far the answer moves when some words are written in the full-width Latin letters of East
        Asian typography.

    Why it matters: East Asian input methods produce them by accident and writers use them as decoration; compatibility
        normalisation undoes them, so a failure says that the tokenizer leaves it out.

    Method: in 5, 10, 20, 35 or 50 % of the words (severity 1 to 5) every ASCII letter becomes its full-width form.

    Limits: readers see the difference, and only ASCII letters have such forms.

    References: Boucher et al. 2022, Bad Characters: Imperceptible NLP Attacks, IEEE S&P; Unicode Standard Annex 15,
        Unicode Normalization Forms.
    """
    return edit_share(text, rng, pattern=WORD, edit=_to_full_width, share=share_of(severity))


def _to_cyrillic(word: str, _rng: random.Random) -> str:
    return word.translate(_twins("cyrillic"))


def _to_greek(word: str, _rng: random.Random) -> str:
    return word.translate(_twins("greek"))


def _to_full_width(word: str, _rng: random.Random) -> str:
    return word.translate(_FULL_WIDTH)


@cache
def _twins(script: str) -> dict[int, str]:
    return str.maketrans({latin: twin for latin, (twin,) in alternatives(f"homoglyphs_{script}").items()})


PERTURBATIONS: tuple[Perturbation, ...] = tuple(
    Perturbation(name=apply.__name__, title=title, family=Family.UNICODE, apply=apply, meaning="kept")
    for apply, title in (
        (cyrillic_homoglyphs, "Cyrillic lookalikes"),
        (greek_homoglyphs, "Greek lookalikes"),
        (full_width_letters, "Full-width letters"),
    )
)
