"""Blanks: more of them, other ones, or at another place."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Literal

from probes.text.perturbations.characters import editable
from probes.text.perturbations.perturbation import WORD, Apply, Family, Perturbation, edit_share, share_of

BLANK_SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Share of the blanks that change at each severity where the change is invisible to a reader of running text."""
SURROUNDING = (1, 2, 4, 8, 16)
"""Blanks added before and after the text at each severity."""

SPACE = re.compile(r"(?<=\S) (?=\S)")
BEFORE_MARK = re.compile(r"(?<=\w)(?=[.,;:!?]+(?:\s|$))")
BETWEEN_WORDS = re.compile(r"(?<=[^\W\d_]) (?=[^\W\d_])")


def doubled_spaces(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive doubled spaces?

    Measures: how often and how far the answer moves when single spaces between words become double.

    Why it matters: copied text, justified text and typing habits bring them; no reader sees a difference.

    Method: 10, 25, 50, 75 or 100 % of the single spaces (severity 1 to 5) are doubled.

    Limits: tokenizers that split on any whitespace cannot see it, so no change is then proof of the tokenizer only.

    References: Bast, Hertel and Mohamed 2021, Tokenization Repair in the Presence of Spelling Errors, CoNLL; Rychalska
        et al. 2019, Models in the Wild: On Corruption Robustness of Neural NLP Systems, ICONIP.
    """
    return edit_share(text, rng, pattern=SPACE, edit=_to("  "), share=BLANK_SHARES[severity - 1])


def tabs(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive tabs between words?

    Measures: how often and how far the answer moves when spaces between words become tab characters.

    Why it matters: text taken from tables, spreadsheets and logs is separated by tabs.

    Method: 10, 25, 50, 75 or 100 % of the single spaces (severity 1 to 5) become a tab.

    Limits: tokenizers that split on any whitespace cannot see it, so no change is then proof of the tokenizer only.

    References: Bast, Hertel and Mohamed 2021, Tokenization Repair in the Presence of Spelling Errors, CoNLL; Rychalska
        et al. 2019, Models in the Wild: On Corruption Robustness of Neural NLP Systems, ICONIP.
    """
    return edit_share(text, rng, pattern=SPACE, edit=_to("\t"), share=BLANK_SHARES[severity - 1])


def line_breaks(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive line breaks inside sentences?

    Measures: how often and how far the answer moves when spaces between words become line breaks.

    Why it matters: e-mails, PDF files and subtitles are broken into lines wherever the width ends.

    Method: 10, 25, 50, 75 or 100 % of the single spaces (severity 1 to 5) become a line break.

    Limits: tokenizers that split on any whitespace cannot see it. Where a line break ends an item (verse, lists), a
        reader may see another structure.

    References: Bast, Hertel and Mohamed 2021, Tokenization Repair in the Presence of Spelling Errors, CoNLL; Rychalska
        et al. 2019, Models in the Wild: On Corruption Robustness of Neural NLP Systems, ICONIP.
    """
    return edit_share(text, rng, pattern=SPACE, edit=_to("\n"), share=BLANK_SHARES[severity - 1])


def spaced_punctuation(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive a space before punctuation?

    Measures: how often and how far the answer moves when a space stands before commas, full stops and other marks.

    Why it matters: tokenised corpora, French habits and careless typing look like this ; it is also how many training
        sets were prepared, so the untouched text may be the unfamiliar one.

    Method: before 10, 25, 50, 75 or 100 % of the marks that end a word (severity 1 to 5) a space is put in.

    Limits: tokenizers that split off punctuation themselves cannot see it. Texts without marks are not exercised.

    References: Ek, Bernardy and Chatzikyriakidis 2020, How does Punctuation Affect Neural Models in Natural Language
        Inference, PaM; Bast, Hertel and Mohamed 2021, Tokenization Repair in the Presence of Spelling Errors, CoNLL.
    """
    return edit_share(text, rng, pattern=BEFORE_MARK, edit=_to(" "), share=BLANK_SHARES[severity - 1])


def surrounding_whitespace(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive blanks before and after the text?

    Measures: how often and how far the answer moves when the text begins and ends with spaces, tabs or line breaks.

    Why it matters: form fields, templates and copied selections carry such margins, and a caller seldom trims them.

    Method: 1, 2, 4, 8 or 16 random blanks (space, tab, line break; severity 1 to 5) are put before and after the text.

    Limits: tokenizers that strip whitespace cannot see it, so no change is then proof of the tokenizer only.

    References: Ribeiro et al. 2020, Beyond Accuracy: Behavioral Testing of NLP Models with CheckList, ACL; Rychalska et
        al. 2019, Models in the Wild: On Corruption Robustness of Neural NLP Systems, ICONIP.
    """
    if not text.strip():
        return text
    longest = SURROUNDING[-1]
    blanks = rng.choices(" \t\n", k=2 * longest)
    width = SURROUNDING[severity - 1]
    return "".join((*blanks[longest - width : longest], text, *blanks[longest : longest + width]))


def split_words(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive words broken in two?

    Measures: how often and how far the answer moves when a space falls inside some words.

    Why it matters: bad scans, hyphenation gone wrong and slips of the thumb break words, and spaces inside words are a
        known way around filters.

    Method: in 5, 10, 20, 35 or 50 % of the words of four letters or more (severity 1 to 5) one space is put at a random
        place with at least two letters on either side.

    Limits: halves can be words of their own (the rapist), so a reader may stumble, and the answer may rightly change in
        a few cases.

    References: Gröndahl et al. 2018, All You Need is "Love": Evading Hate Speech Detection, AISec; Bast, Hertel and
        Mohamed 2021, Tokenization Repair in the Presence of Spelling Errors, CoNLL.
    """
    return edit_share(text, rng, pattern=WORD, edit=_split, share=share_of(severity))


def joined_words(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive missing spaces?

    Measures: how often and how far the answer moves when some words run into the next one.

    Why it matters: missing spaces are common on phones and in extracted text, and removing them is the strongest simple
        attack known on hate-speech classifiers, since readers cope and word-based models do not.

    Method: 5, 10, 20, 35 or 50 % of the single spaces between two words (severity 1 to 5) are removed.

    Limits: a few joins can be read in two ways; at severity 5 reading is slow.

    References: Gröndahl et al. 2018, All You Need is "Love": Evading Hate Speech Detection, AISec; Bast, Hertel and
        Mohamed 2021, Tokenization Repair in the Presence of Spelling Errors, CoNLL.
    """
    return edit_share(text, rng, pattern=BETWEEN_WORDS, edit=_to(""), share=share_of(severity))


def _to(new: str) -> Callable[[str, random.Random], str]:
    """An edit that puts the same text at every place."""
    return lambda _old, _rng: new


def _split(word: str, rng: random.Random) -> str:
    if not editable(word):
        return word
    place = rng.randrange(2, len(word) - 1)
    return f"{word[:place]} {word[place:]}"


_CATALOGUED: tuple[tuple[Apply, str, Literal["kept", "mostly_kept"]], ...] = (
    (doubled_spaces, "Doubled spaces", "kept"),
    (tabs, "Tabs", "kept"),
    (line_breaks, "Line breaks", "kept"),
    (spaced_punctuation, "Space before punctuation", "kept"),
    (surrounding_whitespace, "Blanks around the text", "kept"),
    (split_words, "Words broken in two", "mostly_kept"),
    (joined_words, "Missing spaces", "mostly_kept"),
)
PERTURBATIONS: tuple[Perturbation, ...] = tuple(
    Perturbation(name=apply.__name__, title=title, family=Family.WHITESPACE, apply=apply, meaning=meaning)
    for apply, title, meaning in _CATALOGUED
)
