"""Marks between words: left out, or put where none belongs."""

from __future__ import annotations

import random
import re

from probes.text.perturbations.perturbation import Family, Perturbation, edit_share, share_of

STRIP_SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Share of the runs of marks that go at each severity; at 5 all do, as people write it."""

_MARKS = r".,;:!?…\"“”„«»()\[\]–—-"
BESIDE_WORDS = re.compile(rf"(?<![{_MARKS}])(?:(?<!\w)(?![:;]-?[^\W\d_]\b)[{_MARKS}]++(?!\d)|[{_MARKS}]++(?!\w))")
"""Runs of marks at the edge of words: not those inside a word or number (well-known, 3.5), nor signs before digits, nor
the eyes of an emoticon whose mouth is a letter."""
EMOTICON = re.compile(r"[:;]-?[()\[\]]")
AFTER_WORD = re.compile(r"(?<=[^\W\d_])(?=\s)")

STRAY = ",.;:"


def punctuation_stripped(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive missing punctuation?

    Measures: how often and how far the answer moves when marks at the edges of words are left out.

    Why it matters: chats, search boxes and transcribed speech come with little punctuation or none.

    Method: 20, 40, 60, 80 or 100 % of the runs of marks at the edge of words (severity 1 to 5) are removed.
        Apostrophes, hyphens inside words, decimal points, signs, emoticons, links and placeholders stay.

    Limits: question and exclamation marks go as well, and with them some tone; a comma can decide between two readings.
        For a task that tells questions from statements the answer may rightly change.

    References: Ek, Bernardy and Chatzikyriakidis 2020, How does Punctuation Affect Neural Models in Natural Language
        Inference, PaM; Ribeiro et al. 2020, Beyond Accuracy: Behavioral Testing of NLP Models with CheckList, ACL.
    """
    return edit_share(text, rng, pattern=BESIDE_WORDS, edit=_strip, share=STRIP_SHARES[severity - 1])


def punctuation_added(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive stray punctuation?

    Measures: how often and how far the answer moves when commas, full stops, colons and semicolons stand after words
        where none belongs.

    Why it matters: slips, bad scans and careless writing put marks anywhere; they carry no content, so an answer that
        follows them rests on noise.

    Method: behind 5, 10, 20, 35 or 50 % of the words that have no mark after them and are not the last (severity 1 to
        5), one of , . ; : is added. Exclamation and question marks are never added, since they have a tone.

    Limits: placed evenly at random, which real slips are not; at high severity the text reads as broken.

    References: Ek, Bernardy and Chatzikyriakidis 2020, How does Punctuation Affect Neural Models in Natural Language
        Inference, PaM; Formento et al. 2023, Using Punctuation as an Adversarial Attack on Deep Learning-Based NLP
        Systems: An Empirical Study, Findings of EACL.
    """
    return edit_share(text, rng, pattern=AFTER_WORD, edit=_add, share=share_of(severity))


def _strip(run: str, _rng: random.Random) -> str:
    return run if EMOTICON.search(run) else ""


def _add(_gap: str, rng: random.Random) -> str:
    return rng.choice(STRAY)


PERTURBATIONS: tuple[Perturbation, ...] = (
    Perturbation(
        name="punctuation_stripped",
        title="Missing punctuation",
        family=Family.PUNCTUATION,
        apply=punctuation_stripped,
        meaning="mostly_kept",
    ),
    Perturbation(
        name="punctuation_added",
        title="Stray punctuation",
        family=Family.PUNCTUATION,
        apply=punctuation_added,
        meaning="kept",
    ),
)
