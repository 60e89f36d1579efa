"""The same content from another region: sentences in another language, other forms of dates, numbers and amounts."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from probes.shift.synthetic.sentences import sentences
from probes.text.lexicon import rows
from probes.text.perturbations.perturbation import Family, Perturbation, edit_share

SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Share of the dates, times, numbers and amounts rewritten at each severity; a writer follows one convention."""

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR"}
_BLANK = "\u00a0"
"""Groups digits in the style of the International System of Units, and keeps an amount with its currency."""

_START, _END = rf"(?<![\w.,/:{_BLANK}-])", r"(?![\w%]|[.,/:-]\w)"
_AMOUNT = r"(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<part>\d{1,2}))?"
_SLASHED = rf"{_START}(?P<month>0?[1-9]|1[0-2])/(?P<day>0?[1-9]|[12]\d|3[01])/(?P<year>\d{{4}}){_END}"
_NAMED = rf"{_START}(?P<name>{'|'.join(_MONTHS)}) (?P<nth>\d{{1,2}})(?:st|nd|rd|th)?, (?P<in>\d{{4}}){_END}"
_CLOCK = rf"{_START}(?P<hour>1[0-2]|0?[1-9])(?::(?P<minute>[0-5]\d))? ?(?P<half>[ap]m|[ap]\.m\.)(?!\w)"
_MONEY = rf"(?<![\w.,])(?P<sign>[{''.join(_CURRENCIES)}]){_AMOUNT}{_END}"
_NUMBER = rf"{_START}{_AMOUNT}{_END}"


@dataclass(frozen=True)
class _Region:
    """How dates, numbers and amounts are written; each takes the parts of what was found."""

    date: Callable[[int, int, str], str]
    decimal: str
    money: Callable[[str, str], str]


_REGIONS = (
    _Region(
        date=lambda day, month, year: f"{day:02}.{month:02}.{year}",
        decimal=",",
        money=lambda amount, sign: f"{amount}{_BLANK}{sign}",
    ),
    _Region(
        date=lambda day, month, year: f"{day} {_MONTHS[month - 1]} {year}",
        decimal=",",
        money=lambda amount, sign: f"{amount}{_BLANK}{_CURRENCIES[sign]}",
    ),
    _Region(
        date=lambda day, month, year: f"{year}-{month:02}-{day:02}",
        decimal=".",
        money=lambda amount, sign: f"{_CURRENCIES[sign]}{_BLANK}{amount}",
    ),
)


def mixed_language(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive sentences in another language?

    Measures: how often and how far the answer moves when sentences in one other language stand between the sentences of
        the text.

    Why it matters: people who live in two languages mix them, and mails and posts quote other languages.

    Method: as many sentences as the severity (1 to 5) from our list ("Hoy es martes.": Today is Tuesday), all in one of
        Spanish, French, German, Portuguese, Russian and Chinese, are put before, behind or between the sentences of the
        text. They say nothing about it. Higher severities add to the lower ones; line breaks become blanks.

    Limits: the text itself stays in its language, and speakers who mix languages do so within sentences as well. Not
        for a task whose answer is the language.

    References: Solorio et al. 2014, Overview for the First Shared Task on Language Identification in Code-Switched
        Data, EMNLP workshop; Aguilar, Kar and Solorio 2020, LinCE: A Centralized Benchmark for Linguistic
        Code-switching Evaluation, LREC.
    """
    own = sentences(text)
    if not own:
        return text
    inserted = rng.sample(_foreign()[rng.choice(sorted(_foreign()))], 5)
    places = [rng.randrange(len(own) + 1) for _ in inserted][:severity]
    pieces = []
    for place in range(len(own) + 1):
        pieces += [sentence for sentence, at in zip(inserted, places, strict=False) if at == place]
        pieces += own[place : place + 1]
    return " ".join(pieces)


def regional_formats(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive dates, numbers and amounts as other regions write them?

    Measures: how often and how far the answer moves when dates, times, numbers and amounts of money in the form usual
        in the United States are written in another one (03/14/2026 as 14.03.2026, $1,250.50 as 1 250,50 USD).

    Why it matters: the same model reads texts from many countries, and what is written differently means the same.

    Method: 20, 40, 60, 80 or 100 % of the places (severity 1 to 5) are rewritten in one of three conventions for each
        text: day first with points, decimal comma, currency behind; day first with the month's name, decimal comma,
        code of the currency behind; year first, decimal point, code before. Times become those of the 24-hour clock.
        No amount is converted.

    Limits: dates with slashes are read month first, which is wrong for texts that put the day first. A number with
        three decimals and a year of two digits stay; a version number with a point counts as a decimal. Texts without
        such places are returned as they are.

    References: ISO 8601 (dates and times); Unicode Common Locale Data Repository (conventions by region); BIPM 2019,
        The International System of Units, section 5.4.4 (digits in groups).
    """
    region = rng.choice(_REGIONS)
    return edit_share(
        text, rng, pattern=_PLACES, edit=lambda found, _rng: _rewritten(found, region), share=SHARES[severity - 1]
    )


def _rewritten(found: str, region: _Region) -> str:
    for pattern, rewrite in _REWRITES:
        match = pattern.fullmatch(found)
        if match:
            return rewrite(match, region)
    return found


def _slashed(match: re.Match[str], region: _Region) -> str:
    return region.date(int(match["day"]), int(match["month"]), match["year"])


def _named(match: re.Match[str], region: _Region) -> str:
    return region.date(int(match["nth"]), _MONTHS.index(match["name"]) + 1, match["in"])


def _clock(match: re.Match[str], _region: _Region) -> str:
    hour = int(match["hour"]) % 12 + (12 if match["half"][0] == "p" else 0)
    return f"{hour:02}:{match['minute'] or '00'}"


def _money(match: re.Match[str], region: _Region) -> str:
    return region.money(_number(match, region), match["sign"])


def _number(match: re.Match[str], region: _Region) -> str:
    whole = match["whole"].replace(",", _BLANK)
    return f"{whole}{region.decimal}{match['part']}" if match["part"] else whole


_REWRITES = tuple(
    (re.compile(pattern), rewrite)
    for pattern, rewrite in (
        (_SLASHED, _slashed),
        (_NAMED, _named),
        (_CLOCK, _clock),
        (_MONEY, _money),
        (_NUMBER, _number),
    )
)
_PLACES = re.compile("|".join(re.sub(r"\(\?P<\w+>", "(?:", pattern.pattern) for pattern, _ in _REWRITES))


@cache
def _foreign() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for language, sentence, _ in rows("foreign_sentences"):
        found.setdefault(language, []).append(sentence)
    return found


REGIONS: tuple[Perturbation, ...] = (
    Perturbation(
        name="mixed_language",
        title="Sentences in another language",
        family=Family.CONTEXT,
        apply=mixed_language,
        meaning="kept",
    ),
    Perturbation(
        name="regional_formats",
        title="Dates, numbers and amounts of other regions",
        family=Family.REGISTER,
        apply=regional_formats,
        meaning="kept",
    ),
)
