"""Numbers written as digits, and numbers written as words."""

from __future__ import annotations

import random
import re

from probes.text.perturbations.perturbation import edit_share
from probes.text.perturbations.phrases import AFTER, BEFORE, SENTENCE_START

SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)

_SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_VALUES = {word: value for value, word in enumerate(_SMALL)} | {word: 20 + 10 * i for i, word in enumerate(_TENS)}
_IRREGULAR_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}

_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december|"
    "jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec"
)
_NAMING = (
    f"{_MONTHS}|version|v|chapter|page|pages|room|number|no|flight|route|gate|line|step|level|season|episode|part|track|"
    "channel|apartment|apt|unit|suite|section|article|figure|fig|table|question|item|items|code|pin|order|ticket|ref|"
    "reference|id|account|ending|extension|ext|dial|call|text|phone|highway|bus|platform|seat|row|box|area|model|type|"
    "iphone|ipad|windows|android|ios|galaxy|xbox|playstation|covid|formula|python|year|error|point|option|grade|volume|"
    "vol|x"
)
"""A number after these names a thing instead of counting things."""

_CODES = "911|999|112|404|101|247|420|666|69"
_COUNT = rf"(?!0\d)(?!(?:1[1-9]|20)\d\d\b)(?!(?:{_CODES})\b)(?:\d{{1,3}}(?!\d)|\d{{4}}(?= [a-z]))"
"""0 to 9999 without years (1100 to 2099), leading zeros and well-known codes; four digits only before a noun."""

_NEXT = rf"(?! (?:{_MONTHS}|x|bc|bce|ad|st|nd|rd|th)\b)"
_DIGITS = (
    rf"{BEFORE}(?!(?:{_NAMING})\b)(?:[a-z]+,? |I ){_COUNT}(?= [a-z]|[.!?;,)]*(?:\n|\Z)|[.!?;,)]+ [^\d\s]){_NEXT}"
    rf"|{SENTENCE_START}{_COUNT}(?= [a-z]){_NEXT}"
)
_ORDINAL = (
    rf"{BEFORE}(?:the|my|your|his|her|its|our|their|a|this) (?!0)\d{{1,2}}(?:st|nd|rd|th)(?= [a-z])"
    rf"(?! (?:{_MONTHS}|of|and|or|to|at|in|is|was|for|so|if|but)\b)"
)
_ATOM = "(?:" + "|".join(sorted([*_VALUES, "hundred", "thousand"], key=len, reverse=True)) + ")"
_TITLED = "(?:" + "|".join(word.capitalize() for word in _VALUES) + ")"
_WORDS = (
    rf"{BEFORE}(?<!\bpoint )(?<!\bor )(?<!\bto )(?:{_ATOM}|{SENTENCE_START}{_TITLED}(?! [A-Z]))"
    rf"(?:[ -]{_ATOM}\b|(?:(?<=hundred)|(?<=thousand)) and {_ATOM}\b)*"
    rf"{AFTER}(?! point\b| and a (?:half|quarter)\b| (?:or|to|and) {_ATOM}\b)"
)
"""Not "two or three hundred" and "two to three thousand": half of such a pair in digits says another number."""

_NUMBER = re.compile(f"{_ORDINAL}|{_DIGITS}|{_WORDS}")
_COUNTED = re.compile(r"(\d+)(st|nd|rd|th)?\Z")


def number_words(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive numbers written the other way (5 to five, twenty to 20)?

    Measures: how often and how far the answer moves when a count in digits is written in words, or the other way
        round.

    Why it matters: both are correct and say the same; house styles differ, and tokenizers treat them very
        differently.

    Method: 20, 40, 60, 80 or 100 % of the counts from 0 to 9999 (severity 1 to 5) are written the other way;
        ordinals in digits before a noun become words. Left alone: years, dates, prices, percentages, times,
        decimals, versions, codes, ranges, numbers that name a thing (Windows 10, page 5, 911), hyphenated ones
        (5-star), and the words "one" and "zero", which are mostly no counts.

    Limits: English; counts after a capitalised word stay even where they are counts; ordinals in words stay, since
        "first" and "second" have other senses.

    References: Wallace et al. 2019, Do NLP Models Know Numbers? Probing Numeracy in Embeddings, EMNLP; Wang et al.
        2021, TextFlint: Unified Multilingual Robustness Evaluation Toolkit, ACL (demonstrations).
    """
    return edit_share(text, rng, pattern=_NUMBER, edit=_other_way, share=SHARES[severity - 1])


def in_words(number: int) -> str:
    """A number from 0 to 9999 in American English words: 1234 is "one thousand two hundred thirty-four"."""
    if number < 20:
        return _SMALL[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens - 2] + (f"-{_SMALL[ones]}" if ones else "")
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    head, rest = divmod(number, size)
    return f"{in_words(head)} {name}" + (f" {in_words(rest)}" if rest else "")


def in_digits(words: str) -> int | None:
    """The number that words like "two hundred and five" say; None when they are no single number from 0 to 9999."""
    plain = words.lower().replace("-", " ").replace(" and ", " ")
    total, group = 0, 0
    for word in plain.split():
        if word == "thousand":
            total, group = group * 1000, 0
        elif word == "hundred":
            group *= 100
        else:
            group += _VALUES[word]
    number = total + group
    # words that do not say a number in its usual form ("five five", "twenty twenty") do not come back the same
    return number if 0 <= number <= 9999 and in_words(number).replace("-", " ") == plain else None


def _other_way(found: str, _rng: random.Random) -> str:
    counted = _COUNTED.search(found)
    if counted:
        before, ordinal = found[: counted.start()], counted.group(2)
        words = in_words(int(counted.group(1)))
        words = _ordinal(words) if ordinal else words
        return before + words if before else words[0].upper() + words[1:]
    if found.lower() in ("zero", "one"):
        return found
    number = in_digits(found)
    return found if number is None else str(number)


def _ordinal(words: str) -> str:
    start, _, last = words.rpartition("-")
    ordinal = _IRREGULAR_ORDINALS.get(last) or (last[:-1] + "ieth" if last.endswith("y") else last + "th")
    return f"{start}-{ordinal}" if start else ordinal
