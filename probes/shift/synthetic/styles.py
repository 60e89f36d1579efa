"""The same content in another style and at another length: letter, telegram, much text around it, its end cut off."""

from __future__ import annotations

import math
import random
import re
from functools import cache

from probes.shift.synthetic.sentences import drawn
from probes.text.lexicon import rows
from probes.text.perturbations.contractions import expansions
from probes.text.perturbations.perturbation import Family, Perturbation, edit_share
from probes.text.perturbations.phrases import SENTENCE_START

SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Share of the small words that go at each severity; at 5 all do, as in a telegram."""
KEPT = (0.9, 0.8, 0.7, 0.6, 0.5)
"""Share of the words that a truncated text keeps at each severity, from its beginning."""
ADDED = (1, 2, 5, 10, 20)
"""Sentences around a long text at each severity."""

_WORDS = re.compile(r"\S+")


def formal_letter(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive the text in a formal letter?

    Measures: how often and how far the answer moves when contractions are written out and the text stands between the
        formulas of a letter.

    Why it matters: authorities, insurers and courts receive letters, and models for them are often tuned on reviews
        and posts.

    Method: 20, 40, 60, 80 or 100 % of the contractions are written out (severity 1 to 5), between a salutation and a
        farewell; severity 2 adds an opening sentence, 3 a subject line, 4 a closing sentence, 5 a made-up signature.
        The phrases are ours and without sentiment.

    Limits: choice of words and length of sentences stay those of the writer. Formulas of politeness are friendly by
        nature, which a task of tone could count.

    References: Heylighen and Dewaele 1999, Formality of Language, Free University of Brussels; Rao and Tetreault 2018,
        Dear Sir or Madam, May I Introduce the GYAFC Dataset, NAACL.
    """
    if not text.strip():
        return text
    own = random.Random(rng.getrandbits(64))
    letter = drawn("letter_phrases", rng)
    opening = f"{letter['opening']} " if severity >= 2 else ""
    closing = [letter["closing"]] if severity >= 4 else []
    above = ([letter["subject"]] if severity >= 3 else []) + [letter["salutation"]]
    farewell = f"{letter['farewell']}\nA. B." if severity >= 5 else letter["farewell"]
    return "\n\n".join((*above, f"{opening}{expansions(text, severity, own)}", *closing, farewell))


def telegraphic(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive the style of notes and telegrams?

    Measures: how often and how far the answer moves when articles, forms of "to be" and the subjects I, we and it are
        left out.

    Why it matters: notes of doctors, technicians and call centres are written like this.

    Method: 20, 40, 60, 80 or 100 % of such words (severity 1 to 5) are left out where another word follows. A
        capitalised one counts only where a sentence begins. Negations, words that grade and all other words stay.

    Limits: English, by a list of words and without a parser; a sentence without its subject can read as a command, and
        a question without its verb as a statement.

    References: Barton 1998, The grammar of telegraphic structures, Journal of English Linguistics 26(1); Haegeman 2013,
        The syntax of registers: diary subject omission and the privilege of the root, Lingua 130.
    """
    return edit_share(text, rng, pattern=_small_words(), edit=_left_out, share=SHARES[severity - 1])


def long_text(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive a long document around the text?

    Measures: how often and how far the answer moves when many neutral sentences stand before and behind the text.

    Why it matters: models tuned on short texts are given whole documents, in which the part that counts is small and
        may lie beyond the length to which the model cuts.

    Method: 1, 2, 5, 10 or 20 sentences of our own without sentiment or topic (severity 1 to 5), about half of them
        before the text and half behind it. Higher severities add to the lower ones. The text itself is unchanged.

    Limits: all sentences are about an archive. Twenty of them hold about 250 words, half of which come first: a model
        that reads few tokens, or is given a long text, loses part of the text itself, and a lost answer is then a
        finding about length.

    References: Naik et al. 2018, Stress Test Evaluation for Natural Language Inference, COLING; Shi et al. 2023, Large
        Language Models Can Be Easily Distracted by Irrelevant Context, ICML.
    """
    if not text.strip():
        return text
    order = rng.sample([sentence for (sentence,) in rows("framing_sentences")], max(ADDED))[: ADDED[severity - 1]]
    pieces = (" ".join(order[::2]), text, " ".join(order[1::2]))
    return "\n\n".join(piece for piece in pieces if piece)


def truncated(text: str, severity: int, _rng: random.Random) -> str:
    """Does the answer survive a text whose end is cut off?

    Measures: how often and how far the answer moves when the end of the text is missing.

    Why it matters: previews, limits of messages and of database fields cut texts, and what is cut is not marked.

    Method: the first 90, 80, 70, 60 or 50 % of the words (severity 1 to 5) are kept, always one word fewer than there
        are; a text of one word stays as it is.

    Limits: the words that decide may be among those cut, and then the right answer is no longer to be had from what is
        left: a loss here is the cost of cutting, and only partly a weakness of the model.

    References: Sun et al. 2019, How to Fine-Tune BERT for Text Classification?, CCL (which compares ways of cutting).
    """
    words = list(_WORDS.finditer(text))
    if len(words) < 2:
        return text
    kept = min(len(words) - 1, math.ceil(KEPT[severity - 1] * len(words)))
    return text[: words[kept - 1].end()]


def _left_out(_found: str, _rng: random.Random) -> str:
    return ""


@cache
def _small_words() -> re.Pattern[str]:
    words = [word for (word,) in rows("telegraphic_words")]
    small = "|".join(word for word in words if word == "I" or word.islower())
    first = "|".join(word[0].upper() + word[1:] for word in words if word.islower())
    return re.compile(
        rf"(?<![\w'’.@#/-])(?:(?:{small})|{SENTENCE_START}(?:{first}))[^\S\n]+(?=\w)(?!(?i:and|or)\b)",
    )


STYLES: tuple[Perturbation, ...] = (
    Perturbation(
        name="formal_letter", title="Formal letter", family=Family.CONTEXT, apply=formal_letter, meaning="kept"
    ),
    Perturbation(
        name="telegraphic", title="Telegraphic notes", family=Family.REGISTER, apply=telegraphic, meaning="mostly_kept"
    ),
    Perturbation(name="long_text", title="Long document", family=Family.CONTEXT, apply=long_text, meaning="kept"),
    Perturbation(
        name="truncated", title="Truncated text", family=Family.CONTEXT, apply=truncated, meaning="may_change"
    ),
)
