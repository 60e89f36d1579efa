"""Letters in another case: shouting, no capitals, headlines, and case without a rule."""

from __future__ import annotations

import random

from probes.text.perturbations.perturbation import WORD, Family, Perturbation, edit_share

CASE_SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Share of the words that change case at each severity; at 5 the whole text does, as people write it."""


def upper_case(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive words in capitals?

    Measures: how often and how far the answer moves when words are written in capital letters.

    Why it matters: people shout, forms and old systems print capitals only, and a model with a case-sensitive
        vocabulary may never have seen the words in this shape.

    Method: 10, 25, 50, 75 or 100 % of the words that are not in capitals (severity 1 to 5) are put in capitals. Links,
        handles and placeholders stay.

    Limits: capitals can carry emphasis or anger, which a label of tone may rightly follow. Models that lower-case their
        input cannot fail.

    References: Mayhew, Tsygankova and Roth 2019, ner and pos when nothing is capitalized, EMNLP; Ribeiro et al. 2020,
        Beyond Accuracy: Behavioral Testing of NLP Models with CheckList, ACL.
    """
    return edit_share(text, rng, pattern=WORD, edit=_upper, share=CASE_SHARES[severity - 1])


def lower_case(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive missing capitals?

    Measures: how often and how far the answer moves when words lose their capital letters.

    Why it matters: most text typed on phones and in chats has none, and names are recognised by them.

    Method: of the words with a capital letter, 10, 25, 50, 75 or 100 % (severity 1 to 5, at least one) are put in small
        letters. Links, handles and placeholders stay.

    Limits: texts without capitals are not exercised, and short ones lose their only capital at severity 1. Some
        abbreviations become words (US, us).

    References: Mayhew, Tsygankova and Roth 2019, ner and pos when nothing is capitalized, EMNLP; Bodapati, Yun and
        Al-Onaizan 2019, Robustness to Capitalization Errors in Named Entity Recognition, W-NUT.
    """
    return edit_share(text, rng, pattern=WORD, edit=_lower, share=CASE_SHARES[severity - 1])


def title_case(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive headline capitals?

    Measures: how often and how far the answer moves when words begin with a capital letter, as in headlines.

    Why it matters: titles, subjects and product names are written like this, and every word then looks like a name.

    Method: 10, 25, 50, 75 or 100 % of the words that begin with a small letter (severity 1 to 5) get a capital first
        letter. Links, handles and placeholders stay.

    Limits: editors leave articles and prepositions small; here they change as well.

    References: Mayhew, Tsygankova and Roth 2019, ner and pos when nothing is capitalized, EMNLP; Bodapati, Yun and
        Al-Onaizan 2019, Robustness to Capitalization Errors in Named Entity Recognition, W-NUT.
    """
    return edit_share(text, rng, pattern=WORD, edit=_title, share=CASE_SHARES[severity - 1])


def random_case(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive capitals without a rule?

    Measures: how often and how far the answer moves when the case of each letter of some words is thrown at random.

    Why it matters: mocking spelling and the evasion of filters look like this, and it breaks words into single letters
        for a case-sensitive tokenizer: the hardest change of case there is.

    Method: in 10, 25, 50, 75 or 100 % of the words (severity 1 to 5) every letter is put in upper or lower case with
        equal chance. Links, handles and placeholders stay.

    Limits: rare in ordinary writing, where it signals mockery; read it as a bound on what case can do.

    References: Gröndahl et al. 2018, All You Need is "Love": Evading Hate Speech Detection, AISec; Mayhew, Tsygankova
        and Roth 2019, ner and pos when nothing is capitalized, EMNLP.
    """
    return edit_share(text, rng, pattern=WORD, edit=_random, share=CASE_SHARES[severity - 1])


def _upper(word: str, _rng: random.Random) -> str:
    return word.upper()


def _lower(word: str, _rng: random.Random) -> str:
    return word.lower()


def _title(word: str, _rng: random.Random) -> str:
    return word[0].upper() + word[1:]


def _random(word: str, rng: random.Random) -> str:
    bits = rng.getrandbits(len(word))
    return "".join(letter.upper() if bits >> place & 1 else letter.lower() for place, letter in enumerate(word))


PERTURBATIONS: tuple[Perturbation, ...] = tuple(
    Perturbation(name=apply.__name__, title=title, family=Family.CASING, apply=apply, meaning="kept")
    for apply, title in (
        (upper_case, "Capital letters"),
        (lower_case, "No capitals"),
        (title_case, "Headline capitals"),
        (random_case, "Random capitals"),
    )
)
