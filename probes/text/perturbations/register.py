"""The same content in the register of private messages: abbreviations, slang, emoji; and in other dialects."""

from __future__ import annotations

import random
import re
from functools import cache

from probes.text.lexicon import rows
from probes.text.perturbations.dialects import DIALECTS
from probes.text.perturbations.perturbation import Family, Perturbation, edit_share, share_of
from probes.text.perturbations.phrases import Group, PhraseTable

NEUTRAL_EMOJI = ("📌", "📎", "🔖", "🔹", "🔸", "📍", "📄", "📋", "🔁", "🕒", "📁", "🔢")
"""Stationery, signs and clocks: they say nothing about how the writer feels."""

_BASE_VERB = (
    r"(?= (?:"
    r"be|have|do|get|go|come|make|take|see|say|tell|ask|know|think|find|give|use|try|"
    r"call|keep|let|put|leave|start|stop|help|show|talk|play|run|move|live|pay|meet|eat|drink|"
    r"sleep|read|write|watch|listen|learn|buy|sell|send|wait|win|lose|stay|happen|add|change|"
    r"feel|look|need|want|like|love|miss|visit|return|cancel|order|check|spend|break|bring|"
    r"build|cut|drive|end|fix|hit|hold|hurt|join|open|remember|forget|share|sit|stand|turn|"
    r"understand"
    r")\b)"
)
_AFTER_BE = (
    "(?:" + "|".join(rf"(?<=\b{word} )" for word in ("is", "was", "are", "were", "am", "feel", "felt", "I")) + ")"
)
_PLACES = {"anywhere": ("", ""), "before_verb": ("", f"(?i:{_BASE_VERB})"), "after_be": (f"(?i:{_AFTER_BE})", "")}
"""What must precede and follow, for each place named in the lexicon."""

_GAP = re.compile(r"(?<=\S)[^\S\n]+(?=\S)")
_JOINER = "[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]"
"""Next to these a picture is part of a longer sequence."""
_OPENING, _CLOSING = r"(?<!\S)", r"(?=[\s.,!?]|\Z)(?![^\s\w]*\w)"


def slang(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive the abbreviations and slang of text messages?

    Measures: how often and how far the answer moves when words and phrases are written as in chats (you to u,
        because to cuz, going to to gonna, by the way to btw).

    Why it matters: much of the text that reaches a deployed model is written this way, most often by younger
        people; test sets are mostly edited prose.

    Method: in 5, 10, 20, 35 or 50 % of the places with an entry in our list (severity 1 to 5), the informal form is
        written. "Going to" and the like change only before a verb ("gonna be", never "gonna the shop"), "kind of"
        only as an adverb. Case is kept; capitalised words inside a sentence, links and handles stay. No entry holds
        a negation, a vulgar word or a word for a group of people.

    Limits: English, some 240 entries, fashions change; abbreviations differ in how widely they are understood.

    References: Eisenstein 2013, What to do about bad language on the internet, NAACL; Baldwin et al. 2015, Shared
        Tasks of the 2015 Workshop on Noisy User-generated Text: Twitter Lexical Normalization, W-NUT.
    """
    return _slang().edit(text, rng, share=share_of(severity))


def emoji(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive emoji that add nothing?

    Measures: how often and how far the answer moves when emoticons are written as emoji (and emoji as emoticons)
        and when emoji without sentiment are added.

    Why it matters: emoji are common in messages and reviews; many tokenizers split them into bytes or map them all
        to one unknown token, which should not move an answer.

    Method: 5, 10, 20, 35 or 50 % of the emoticons and emoji in our table (severity 1 to 5), at least one, change
        form with their meaning kept, and as many neutral emoji as the severity are added between words or at the
        end. The added ones show stationery, signs and clocks only.

    Limits: faces look different on every platform; a task about such things as clocks or paper may find the added
        emoji informative.

    References: Kralj Novak et al. 2015, Sentiment of Emojis, PLOS ONE 10(12); Kirk et al. 2022, Hatemoji: A Test
        Suite and Adversarially-Generated Dataset for Benchmarking and Detecting Emoji-based Hate, NAACL.
    """
    if not text.strip():
        return text
    order = random.Random(rng.getrandbits(64))
    swapped = edit_share(text, rng, pattern=_faces(), edit=_other_face, share=share_of(severity))
    return _with_emoji(swapped, severity, order)


def _with_emoji(text: str, count: int, rng: random.Random) -> str:
    gaps = [match.start() for match in _GAP.finditer(text)]
    rng.shuffle(gaps)
    pictures = rng.sample(NEUTRAL_EMOJI, 5)
    end = len(text.rstrip())
    places = sorted(zip([end, *gaps][:count], pictures, strict=False), reverse=True)
    for place, picture in places:
        text = f"{text[:place]} {picture}{text[place:]}"
    return text


def _other_face(face: str, _rng: random.Random) -> str:
    return _face_pairs()[face]


@cache
def _face_pairs() -> dict[str, str]:
    return {face: other for pair in rows("emoticons") for face, other in (pair, pair[::-1])}


@cache
def _faces() -> re.Pattern[str]:
    emoticons, pictures = (
        "|".join(map(re.escape, sorted(column, key=len, reverse=True)))
        for column in zip(*rows("emoticons"), strict=True)
    )
    return re.compile(f"{_OPENING}(?:{emoticons}){_CLOSING}|(?<!\u200d)(?:{pictures})(?!{_JOINER})")


@cache
def _slang() -> PhraseTable:
    groups = []
    for place, (before, after) in _PLACES.items():
        phrases = {standard: (informal,) for standard, informal, where in rows("slang") if where == place}
        groups.append(Group(phrases, before=before, after=after))
    return PhraseTable.of(*groups)


PERTURBATIONS: tuple[Perturbation, ...] = (
    Perturbation(name="slang", title="Slang and abbreviations", family=Family.REGISTER, apply=slang, meaning="kept"),
    Perturbation(name="emoji", title="Neutral emoji", family=Family.REGISTER, apply=emoji, meaning="kept"),
    *DIALECTS,
)
