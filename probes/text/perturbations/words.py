"""Words left out, said twice, or out of order; negations always stay where they are."""

from __future__ import annotations

import random
import re
from functools import cache

from probes.text.lexicon import rows
from probes.text.perturbations.perturbation import WORD, Family, Perturbation, edit_share, share_of

WORD_AND_SPACE = re.compile(rf"(?<!\S){WORD.pattern}[^\S\n]+(?=\S)")
_EMPHATIC = ("very", "really", "so", "too", "much")


def word_drop(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive missing words?

    Measures: how often and how far the answer moves when words of any kind, other than negations, are left out.

    Why it matters: transmission, scanning and haste lose words. An answer that hangs on a single word among many is
        a fragile one.

    Method: in 5, 10, 20, 35 or 50 % of the places that fit (severity 1 to 5), a word and the space behind it are
        left out. Negations, near negations (hardly, few), exceptions and contrasts (unless, but), links, words with
        punctuation and the last word of the text stay.

    Limits: the word left out may be the one that decides, so a changed answer can be right; read the shown cases.
        `function_word_drop` removes only words that seldom decide.

    References: Wei and Zou 2019, EDA: Easy Data Augmentation Techniques, EMNLP-IJCNLP; Feng et al. 2018,
        Pathologies of Neural Models Make Interpretations Difficult, EMNLP.
    """
    return edit_share(text, rng, pattern=WORD_AND_SPACE, edit=_drop, share=share_of(severity))


def function_word_drop(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive missing articles, auxiliaries and other small words?

    Measures: how often and how far the answer moves when function words are left out, as in notes, headlines and
        the writing of learners.

    Why it matters: readers fill these words in without noticing; writers who leave them out, often people who write
        in their second language, should get the same answer.

    Method: in 5, 10, 20, 35 or 50 % of the places that fit (severity 1 to 5), an article, auxiliary, preposition or
        pronoun from our list and the space behind it are left out. Negations and contrasts are not on the list.

    Limits: English; a missing preposition or pronoun is now and then ambiguous; the first word of a sentence may
        go, and the next one is not capitalised.

    References: Lee and Seneff 2008, An Analysis of Grammatical Errors in Non-Native Speech in English, IEEE SLT;
        Ribeiro et al. 2020, Beyond Accuracy: Behavioral Testing of NLP Models with CheckList, ACL.
    """
    return edit_share(text, rng, pattern=WORD_AND_SPACE, edit=_drop_function_word, share=share_of(severity))


def word_duplicate(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive words written twice?

    Measures: how often and how far the answer moves when words are repeated ("the the film").

    Why it matters: repetition comes from editing, speech and stuttering keys; readers hardly notice it, and it adds
        no information.

    Method: 5, 10, 20, 35 or 50 % of the words (severity 1 to 5) are written twice. Negations are never doubled, and
        neither are words that gain force by it (very, really, so, too).

    Limits: a doubled content word can be read as emphasis.

    References: Wang et al. 2021, TextFlint: Unified Multilingual Robustness Evaluation Toolkit, ACL
        (demonstrations); Shriberg 1994, Preliminaries to a Theory of Speech Disfluencies, University of California,
        Berkeley.
    """
    return edit_share(text, rng, pattern=WORD_AND_SPACE, edit=_double, share=share_of(severity))


def word_shuffle(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer follow the words when their order is disturbed a little?

    Measures: how often and how far the answer moves when words change places with near neighbours.

    Why it matters: learners, translations and speech disturb the order of words; a model that reads a bag of words
        does not move at all, which is as telling as one that moves at once.

    Method: each word gets a new position, its old one plus a random number between 0 and severity + 1, and words
        are sorted by it, so none moves further than the severity. Words do not cross a negation, the word after it,
        punctuation, links or line ends. Where nothing would move, two neighbours change places.

    Limits: order carries sense ("dog bites man"), so a changed answer can be right; no interval on this probe says
        by itself that a model is wrong.

    References: Lample, Conneau, Denoyer and Ranzato 2018, Unsupervised Machine Translation Using Monolingual
        Corpora Only, ICLR; Pham et al. 2021, Out of Order: How Important Is the Sequential Order of Words in a
        Sentence in Natural Language Understanding Tasks?, Findings of ACL; Sinha et al. 2021, UnNatural Language
        Inference, ACL.
    """
    pieces = re.split(r"(\s+)", text)
    runs = _runs(pieces)
    moved = [_jittered(run, severity, rng) for run in runs]
    if moved == runs and runs:
        moved = _one_swap(runs, rng)
    shuffled = list(pieces)
    for run, order in zip(runs, moved, strict=True):
        for place, source in zip(run, order, strict=True):
            shuffled[place] = pieces[source]
    return "".join(shuffled)


def is_negation(word: str) -> bool:
    """Whether a word negates, restricts or contrasts, in any case and with either apostrophe."""
    plain = word.lower().replace("’", "'")
    return plain in _listed("negations") or plain.endswith("n't")


@cache
def _listed(lexicon: str) -> frozenset[str]:
    return frozenset(word for (word,) in rows(lexicon))


def _runs(pieces: list[str]) -> list[list[int]]:
    """Indices of words that may change places with one another: two or more in a row without a barrier."""
    runs: list[list[int]] = [[]]
    after_negation = False
    for place, piece in enumerate(pieces):
        if piece.isspace():
            if "\n" in piece:
                runs.append([])
        elif WORD.fullmatch(piece) and not is_negation(piece) and not after_negation:
            runs[-1].append(place)
        else:
            after_negation = is_negation(piece)
            runs.append([])
    return [run for run in runs if len(run) > 1]


def _jittered(run: list[int], severity: int, rng: random.Random) -> list[int]:
    targets = [place + (severity + 1) * rng.random() for place in range(len(run))]
    return [run[place] for place in sorted(range(len(run)), key=targets.__getitem__)]


def _one_swap(runs: list[list[int]], rng: random.Random) -> list[list[int]]:
    chosen = rng.randrange(len(runs))
    run = list(runs[chosen])
    first = rng.randrange(len(run) - 1)
    run[first], run[first + 1] = run[first + 1], run[first]
    return [*runs[:chosen], run, *runs[chosen + 1 :]]


def _drop(found: str, _rng: random.Random) -> str:
    return found if is_negation(found.rstrip()) else ""


def _drop_function_word(found: str, _rng: random.Random) -> str:
    return "" if found.rstrip().lower() in _listed("function_words") else found


def _double(found: str, _rng: random.Random) -> str:
    word = found.rstrip()
    return found if is_negation(word) or word.lower() in _EMPHATIC else f"{word} {found}"


PERTURBATIONS: tuple[Perturbation, ...] = (
    Perturbation(name="word_drop", title="Missing words", family=Family.WORDS, apply=word_drop, meaning="may_change"),
    Perturbation(
        name="function_word_drop",
        title="Missing small words",
        family=Family.WORDS,
        apply=function_word_drop,
        meaning="mostly_kept",
    ),
    Perturbation(
        name="word_duplicate", title="Words written twice", family=Family.WORDS, apply=word_duplicate, meaning="kept"
    ),
    Perturbation(
        name="word_shuffle",
        title="Words out of order",
        family=Family.WORDS,
        apply=word_shuffle,
        meaning="may_change",
    ),
)
