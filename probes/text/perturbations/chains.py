"""Several changes at once, as they come together in one channel."""

from __future__ import annotations

import random

from probes.text.perturbations.casing import lower_case
from probes.text.perturbations.characters import keyboard_typos
from probes.text.perturbations.contractions import contractions
from probes.text.perturbations.lexical import homophones
from probes.text.perturbations.number_words import number_words
from probes.text.perturbations.ocr import ocr_confusions
from probes.text.perturbations.perturbation import Apply, Family, Perturbation
from probes.text.perturbations.punctuation import punctuation_stripped
from probes.text.perturbations.register import slang
from probes.text.perturbations.whitespace import line_breaks, split_words
from probes.text.perturbations.words import word_duplicate


def chain_phone_message(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive text typed on a phone?

    Measures: how often and how far the answer moves when contractions, chat abbreviations, typing slips, missing
        punctuation and lower case come together.

    Why it matters: single changes are easy to survive; messages have several at once, and their effects can add up
        to more than their sum.

    Method: `contractions`, `slang`, `keyboard_typos`, `punctuation_stripped` and `lower_case`, in this order, each
        at the same severity (1 to 5) with randomness of its own.

    Limits: the mixture is ours and is not fitted to a corpus of messages; automatic correction is not imitated.

    References: Dhole et al. 2023, NL-Augmenter: A Framework for Task-Sensitive Natural Language Augmentation,
        Northern European Journal of Language Technology 9; Eisenstein 2013, What to do about bad language on the
        internet, NAACL.
    """
    return in_turn(text, severity, rng, (contractions, slang, keyboard_typos, punctuation_stripped, lower_case))


def chain_scanned_document(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive a scanned page?

    Measures: how often and how far the answer moves when letters are misread by shape, words are split and lines
        break where the page did.

    Why it matters: claims, contracts and archives are scanned, and layout errors come together with misread
        letters.

    Method: `ocr_confusions`, `split_words` (two severities lower) and `line_breaks`, in this order, at the same
        severity (1 to 5) with randomness of their own.

    Limits: no model of a real scanner or of columns, tables, stamps and handwriting.

    References: van Strien et al. 2020, Assessing the Impact of OCR Quality on Downstream NLP Tasks, ICAART; Nguyen,
        Jatowt, Coustaty and Doucet 2021, Survey of Post-OCR Processing Approaches, ACM Computing Surveys 54(6).
    """
    return in_turn(text, severity, rng, (ocr_confusions, _fewer_split_words, line_breaks))


def chain_voice_transcript(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive an automatic transcript of speech?

    Measures: how often and how far the answer moves when numbers are spelt out, homophones confused, words
        repeated, and punctuation and capitals lost.

    Why it matters: dictation, call centres and voice assistants deliver such text to models that were trained on
        writing.

    Method: `number_words`, `homophones`, `word_duplicate` (two severities lower), `punctuation_stripped` and
        `lower_case`, in this order, at the same severity (1 to 5) with randomness of their own.

    Limits: no model of a real recogniser: its errors depend on the speaker, the noise and its vocabulary, and error
        rates differ between groups of speakers.

    References: Ravichander et al. 2021, NoiseQA: Challenge Set Evaluation for User-Centric Question Answering,
        EACL; Koenecke et al. 2020, Racial disparities in automated speech recognition, PNAS 117(14).
    """
    return in_turn(
        text, severity, rng, (number_words, homophones, _fewer_repeated_words, punctuation_stripped, lower_case)
    )


def in_turn(text: str, severity: int, rng: random.Random, steps: tuple[Apply, ...]) -> str:
    """Each step has a generator of its own, so that what one draws does not depend on how much another changed.

    A step that would leave nothing of the text (a full stop alone, say) is left out.
    """
    for step, seed in [(step, rng.getrandbits(64)) for step in steps]:
        changed = step(text, severity, random.Random(seed))
        text = changed if changed.strip() or not text.strip() else text
    return text


def _fewer_split_words(text: str, severity: int, rng: random.Random) -> str:
    return split_words(text, max(1, severity - 2), rng)


def _fewer_repeated_words(text: str, severity: int, rng: random.Random) -> str:
    return word_duplicate(text, max(1, severity - 2), rng)


PERTURBATIONS: tuple[Perturbation, ...] = (
    Perturbation(
        name="chain_phone_message",
        title="Phone message",
        family=Family.CHAIN,
        apply=chain_phone_message,
        meaning="mostly_kept",
    ),
    Perturbation(
        name="chain_scanned_document",
        title="Scanned document",
        family=Family.CHAIN,
        apply=chain_scanned_document,
        meaning="mostly_kept",
    ),
    Perturbation(
        name="chain_voice_transcript",
        title="Voice transcript",
        family=Family.CHAIN,
        apply=chain_voice_transcript,
        meaning="mostly_kept",
    ),
)
