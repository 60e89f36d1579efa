"""Other ways of writing the same word: words that sound the same, and British or American spelling."""

from __future__ import annotations

import random
from functools import cache

from probes.text.lexicon import alternatives, rows
from probes.text.perturbations.contractions import contractions, expansions
from probes.text.perturbations.number_words import number_words
from probes.text.perturbations.perturbation import Family, Perturbation, share_of
from probes.text.perturbations.phrases import Group, PhraseTable

CONVENTION_SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""A writer who follows a spelling convention follows it nearly everywhere."""


def homophones(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive words written as another word that sounds the same?

    Measures: how often and how far the answer moves when words are replaced by homophones (their and there, its and
        it's, week and weak), as dictation and hurried writers do.

    Why it matters: transcripts of speech and everyday writing are full of them; a spelling checker does not mark
        them, and readers hear the intended word.

    Method: in 5, 10, 20, 35 or 50 % of the words with an entry in our list of sets (severity 1 to 5), the word is
        replaced by another of its set. Case is kept; capitalised words inside a sentence (likely names), links and
        hyphenated words stay. No set contains a negation or a vulgar word.

    Limits: English, mostly as pronounced in the southern half of England and in North America; the sets do not say
        how likely each confusion is, and a replaced content word (mail, male) can mislead where the context is
        thin.

    References: Ravichander et al. 2021, NoiseQA: Challenge Set Evaluation for User-Centric Question Answering,
        EACL; Wang et al. 2021, TextFlint: Unified Multilingual Robustness Evaluation Toolkit, ACL (demonstrations).
    """
    return _homophones().edit(text, rng, share=share_of(severity))


def british_spelling(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive British spelling?

    Measures: how often and how far the answer moves when American spellings become British ones (color to colour,
        organize to organise, traveled to travelled).

    Why it matters: training data lean to one convention; a model should not treat the writers of the other
        differently.

    Method: 20, 40, 60, 80 or 100 % of the words spelt the American way (severity 1 to 5) are respelt. Case is kept;
        capitalised words inside a sentence (Pearl Harbor) stay. Words whose other spelling is another word
        (practice, meter, tire, check) are not in the list. A text without such a word is returned as it is.

    Limits: our list of about 1,200 pairs; -ize is also used in Britain; vocabulary (lift, elevator) is not touched.

    References: Nguyen and Grieve 2020, Do Word Embeddings Capture Spelling Variation?, COLING.
    """
    return _respelling("british").edit(text, rng, share=CONVENTION_SHARES[severity - 1])


def american_spelling(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive American spelling?

    Measures: how often and how far the answer moves when British spellings become American ones (colour to color,
        organise to organize, travelled to traveled).

    Why it matters: training data lean to one convention; a model should not treat the writers of the other
        differently.

    Method: 20, 40, 60, 80 or 100 % of the words spelt the British way (severity 1 to 5) are respelt. Case is kept;
        capitalised words inside a sentence (the Labour Party) stay. Words whose other spelling is another word
        (practise, metre, tyre, cheque) are not in the list. A text without such a word is returned as it is.

    Limits: our list of about 1,200 pairs; a few of the British forms are also in use in America; vocabulary is not
        touched.

    References: Nguyen and Grieve 2020, Do Word Embeddings Capture Spelling Variation?, COLING.
    """
    return _respelling("american").edit(text, rng, share=CONVENTION_SHARES[severity - 1])


@cache
def _homophones() -> PhraseTable:
    return PhraseTable.of(
        Group(
            {word: tuple(other for other in words if other != word) for words in rows("homophones") for word in words}
        )
    )


@cache
def _respelling(to: str) -> PhraseTable:
    to_american = alternatives("spelling")
    if to == "american":
        return PhraseTable.of(Group(to_american))
    return PhraseTable.of(Group({american: (british,) for british, (american,) in to_american.items()}))


PERTURBATIONS: tuple[Perturbation, ...] = (
    Perturbation(name="homophones", title="Homophones", family=Family.LEXICAL, apply=homophones, meaning="mostly_kept"),
    Perturbation(name="contractions", title="Contractions", family=Family.LEXICAL, apply=contractions, meaning="kept"),
    Perturbation(
        name="expansions", title="Contractions written out", family=Family.LEXICAL, apply=expansions, meaning="kept"
    ),
    Perturbation(
        name="number_words",
        title="Numbers as words or digits",
        family=Family.LEXICAL,
        apply=number_words,
        meaning="kept",
    ),
    Perturbation(
        name="british_spelling",
        title="British spelling",
        family=Family.LEXICAL,
        apply=british_spelling,
        meaning="kept",
    ),
    Perturbation(
        name="american_spelling",
        title="American spelling",
        family=Family.LEXICAL,
        apply=american_spelling,
        meaning="kept",
    ),
)
