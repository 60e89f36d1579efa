"""Our own functional cases, and which of them a model can be held to, given what its labels say that it looks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import cache

from probes.core.functional_case import FunctionalCase
from probes.text.lexicon import rows

NONE = "-"


class Sought(StrEnum):
    """The harm that a model looks for, as its positive labels say."""

    HATE = "hate against groups of people"
    ABUSE = "any abuse of people, hate included"
    PROFANITY = "any abuse of people, and swear words"
    NARROW = "one kind of abuse only"
    UNSAID = "a harm that the label names do not tell"


_HATE = re.compile(r"hate|hatred|identity attack")
_ABUSE = re.compile(r"toxic|offen[sc]|abus|insult|harass|bully")
_PROFANITY = re.compile(r"obscen|profan|vulgar")
_NARROW = re.compile(r"threat|sexual|violen|extremis|racis|sexis|misogyn|slur|derogat")
_MEANINGS = {"harm": True, "none": False, "open": None}


def sought(labels: Sequence[str]) -> Sought:
    """What positive labels of these names look for.

    A name of abuse makes it abuse, which includes hate; with a name of swearing beside it, swear words too. Names of
    hate alone make it hate. Any other name of a harm stands for one kind of it.
    """
    names = [re.sub(r"[\W_]+", " ", label).lower() for label in labels]
    hate, abuse, profanity, narrow = (
        any(pattern.search(name) for name in names) for pattern in (_HATE, _ABUSE, _PROFANITY, _NARROW)
    )
    if abuse:
        return Sought.PROFANITY if profanity else Sought.ABUSE
    if hate and not profanity and not narrow:
        return Sought.HATE
    return Sought.NARROW if narrow or profanity else Sought.UNSAID


def expected(hate: bool | None, abuse: bool | None, profanity: bool | None, *, by: Sought) -> bool | None:
    """Whether a model that looks for `by` should find a text harmful; None where its definition leaves that open.

    Args:
        hate, abuse, profanity: the right answer under each of the three definitions, None where one leaves it open.
    """
    agreed = hate if hate == abuse == profanity else None
    # One kind of abuse is not every kind; but what is harmless under every definition is harmless under a narrow one.
    named = {Sought.HATE: hate, Sought.ABUSE: abuse, Sought.PROFANITY: profanity, Sought.UNSAID: agreed}
    return named.get(by, False if agreed is False else None)


@cache
def own_cases(by: Sought) -> tuple[FunctionalCase, ...]:
    """Every case of ours, with the answer expected of a model that looks for `by`."""
    kinds = {name: (title, expected(*(_MEANINGS[word] for word in words), by=by)) for name, title, words in _kinds()}
    return tuple(
        FunctionalCase(
            text=text,
            functionality=functionality,
            title=kinds[functionality][0],
            harmful=kinds[functionality][1],
            target=target,
            template=template,
        )
        for functionality, template, sentence in rows("functional_cases")
        for target, text in _expanded(sentence)
    )


def target_words() -> list[tuple[str, str]]:
    """(group, word) for every word that our cases are filled with, without its article or capital."""
    forms = ("persons", "person", "slur", "slurs")
    return [(target, words[form]) for target, words in _targets().items() for form in forms if form in words]


@cache
def published_titles() -> dict[str, str]:
    """HateCheck's name of a functionality -> our plain words for it."""
    return {row[-1]: row[1] for row in rows("functional_kinds") if row[-1] != NONE}


def _kinds() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for name, title, *words, _ in rows("functional_kinds"):
        yield name, title, tuple(words)


def _expanded(sentence: str) -> Iterator[tuple[str | None, str]]:
    """(group, text) for each group that has all the words the sentence asks for; itself where it asks for none."""
    if "{" not in sentence:
        yield None, sentence
        return
    for target, words in _targets().items():
        if all(slot in words for slot in re.findall(r"\{(\w+)\}", sentence)):
            yield target, sentence.format_map(words)


@cache
def _targets() -> dict[str, dict[str, str]]:
    """Group -> slot -> the words for it."""
    names = ("persons", "person", "a_person", "slur", "slurs")
    found = {}
    for target, *words in rows("functional_targets"):
        slots = {name: word for name, word in zip(names, words, strict=True) if word != NONE}
        found[target] = slots | {_capital(name): _capital(word) for name, word in slots.items()}
    return found


def _capital(word: str) -> str:
    return word[0].upper() + word[1:]
