"""Characters without a shape: the text on the screen stays exactly as it was, the text a model reads does not.

They go into words of the Latin, Greek and Cyrillic alphabets only: elsewhere joiners shape letters, and direction
matters.
"""

from __future__ import annotations

import random

from probes.text.perturbations.perturbation import WORD, Family, Perturbation, edit_share, share_of

LATIN_GREEK_CYRILLIC_END = "\u0530"
ZERO_WIDTH = "\u200b\u200c\u2060"
"""Zero-width space, zero-width non-joiner, word joiner."""
SOFT_HYPHEN = "\u00ad"
MARKS = "\u200e\u200f"
"""Left-to-right mark, right-to-left mark. Between two letters of one word neither moves anything on the screen."""
WRAPPINGS = (("\u2066", "\u2069"), ("\u2068", "\u2069"), ("\u202a", "\u202c"))
"""Left-to-right isolate, first-strong isolate and left-to-right embedding, each with what closes it."""


def zero_width_characters(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive invisible characters inside words?

    Measures: how often and how far the answer moves when zero-width spaces, non-joiners or word joiners are put into
        some words.

    Why it matters: web pages and word processors leave them in copied text, and they hide words from filters without a
        trace on the screen.

    Method: in 5, 10, 20, 35 or 50 % of the words of two letters or more (severity 1 to 5) one such character (U+200B,
        U+200C, U+2060) is put between two letters.

    Limits: tokenizers that delete control and format characters cannot see it. Alphabets other than Latin, Greek and
        Cyrillic are left alone.

    References: Boucher et al. 2022, Bad Characters: Imperceptible NLP Attacks, IEEE S&P; Unicode Technical Report 36,
        Unicode Security Considerations.
    """
    return edit_share(text, rng, pattern=WORD, edit=_zero_width, share=share_of(severity))


def soft_hyphens(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive soft hyphens?

    Measures: how often and how far the answer moves when soft hyphens, which show only at the end of a line, are put
        into some words.

    Why it matters: typeset web pages and PDF files are full of them, and copying brings them along.

    Method: in 5, 10, 20, 35 or 50 % of the words of two letters or more (severity 1 to 5) one U+00AD is put between two
        letters.

    Limits: placed anywhere, not at syllables as typesetting does. Tokenizers that delete format characters cannot see
    it.

    References: Boucher et al. 2022, Bad Characters: Imperceptible NLP Attacks, IEEE S&P; Unicode Standard Annex 14,
        Unicode Line Breaking Algorithm.
    """
    return edit_share(text, rng, pattern=WORD, edit=_soft_hyphen, share=share_of(severity))


def direction_marks(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive invisible direction marks?

    Measures: how often and how far the answer moves when left-to-right or right-to-left marks are put into some words.

    Why it matters: editors for Arabic and Hebrew insert them, copied text keeps them, and they hide words from filters.

    Method: in 5, 10, 20, 35 or 50 % of the words of two letters or more (severity 1 to 5) one U+200E or U+200F is put
        between two letters, where neither changes the order on the screen.

    Limits: reordering attacks, which show other text than is stored, are not tried: there a reader would not agree with
        the model's input. Alphabets other than Latin, Greek and Cyrillic are left alone.

    References: Boucher and Anderson 2023, Trojan Source: Invisible Vulnerabilities, USENIX Security; Unicode Standard
        Annex 9, Unicode Bidirectional Algorithm.
    """
    return edit_share(text, rng, pattern=WORD, edit=_direction_mark, share=share_of(severity))


def bidi_isolates(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive invisible direction brackets around words?

    Measures: how often and how far the answer moves when some words are wrapped in the control characters that set the
        direction of writing, opened and closed properly, so that the text reads as before.

    Why it matters: messaging systems and templates wrap names and inserted values like this, and it costs an attacker
        nothing.

    Method: 5, 10, 20, 35 or 50 % of the words (severity 1 to 5) are put between a left-to-right isolate, a first-strong
        isolate or a left-to-right embedding and the character that closes it.

    Limits: reordering attacks are not tried. In text written from right to left nothing is wrapped but Latin, Greek and
        Cyrillic words.

    References: Boucher and Anderson 2023, Trojan Source: Invisible Vulnerabilities, USENIX Security; Unicode Standard
        Annex 9, Unicode Bidirectional Algorithm.
    """
    return edit_share(text, rng, pattern=WORD, edit=_wrap, share=share_of(severity))


def _zero_width(word: str, rng: random.Random) -> str:
    return _between_letters(word, rng, any_of=ZERO_WIDTH)


def _soft_hyphen(word: str, rng: random.Random) -> str:
    return _between_letters(word, rng, any_of=SOFT_HYPHEN)


def _direction_mark(word: str, rng: random.Random) -> str:
    return _between_letters(word, rng, any_of=MARKS)


def _between_letters(word: str, rng: random.Random, *, any_of: str) -> str:
    if len(word) < 2 or not _joins_nothing(word):
        return word
    place = rng.randrange(1, len(word))
    return word[:place] + rng.choice(any_of) + word[place:]


def _wrap(word: str, rng: random.Random) -> str:
    if not _joins_nothing(word):
        return word
    opened, closed = rng.choice(WRAPPINGS)
    return opened + word + closed


def _joins_nothing(word: str) -> bool:
    return max(word.replace("’", "'")) < LATIN_GREEK_CYRILLIC_END


PERTURBATIONS: tuple[Perturbation, ...] = tuple(
    Perturbation(name=apply.__name__, title=title, family=Family.UNICODE, apply=apply, meaning="kept")
    for apply, title in (
        (zero_width_characters, "Zero-width characters"),
        (soft_hyphens, "Soft hyphens"),
        (direction_marks, "Direction marks"),
        (bidi_isolates, "Direction isolates"),
    )
)
