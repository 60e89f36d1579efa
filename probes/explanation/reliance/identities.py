"""Where a text speaks of an identity, and where it names a person."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain
from typing import NamedTuple

from probes.text.grammar import Words, in_words, word_class
from probes.text.identity import AXES, names, table
from probes.text.lexicon import rows
from probes.text.mentions import Mention, find

_PLAIN = frozenset({"adjective", "person", "persons", "belief", "clergy"})
"""Kinds of words that speak of the group wherever they stand."""
_EVERYDAY = frozenset({"black"})
"""Has other meanings, however the list writes it."""


class Named(NamedTuple):
    """`text[start:end]` is a word for the groups of an axis, or a first name: then the axis is ""."""

    start: int
    end: int
    axis: str


def named(text: str) -> Iterator[Named]:
    """Every mention of a group of people, and every first name; a word may speak of several axes.

    What can be swapped with correct grammar is found by `probes.text.mentions`. That passes over unclear grammar
    ("murder jewish"), so words without another meaning count besides, wherever they stand.
    """
    words = in_words(text)
    for axis in AXES:
        people = names(axis) if axis == "gender" else ()
        for mention in find(words, table(axis), names=people, public_figures=True).mentions:
            if mention.name:
                yield Named(mention.start, mention.end, "")
            else:
                yield from _telling(words, mention, axis)
    yield from _wherever_they_stand(text)


def _telling(words: Words, mention: Mention, axis: str) -> Iterator[Named]:
    """Of "young woman" the first word tells an age and the second a gender, of "the United States" all but "the"."""
    last = bisect_left(words.starts, mention.end)
    found = [at for at in range(mention.word, last) if words.low[at] not in _function_words()]
    telling = [at for at in found if words.low[at] in _single_words(axis)]
    for at in telling or found:
        yield Named(words.starts[at], words.ends[at], axis)


@cache
def _function_words() -> frozenset[str]:
    return frozenset(word for (word,) in rows("function_words"))


@cache
def _single_words(axis: str) -> frozenset[str]:
    forms = chain.from_iterable(chain.from_iterable(row.forms.values()) for row in table(axis).rows)
    return frozenset(form.lower() for form in forms if form.isalpha())


def _wherever_they_stand(text: str) -> Iterator[Named]:
    for match in _pattern().finditer(text):
        form = " ".join(match.group().lower().split())
        if form in word_class("capital_only") and not match.group()[0].isupper():
            continue
        compound = "-" in (text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1])
        for axis, proper in _unambiguous()[form].items():
            if proper or not compound:  # "Muslim-owned" is about Muslims, "man-made" is not about men
                yield Named(*match.span(), axis)


@cache
def _pattern() -> re.Pattern[str]:
    """The longest first: "African American" names no nationality."""
    forms = sorted(_unambiguous(), key=lambda form: (-len(form), form))
    spaced = (r"\s+".join(map(re.escape, form.split())) for form in forms)
    return re.compile(rf"(?<!\w)(?:{'|'.join(spaced)})(?!\w)", re.IGNORECASE)


@cache
def _unambiguous() -> Mapping[str, Mapping[str, bool]]:
    """Form in lower case -> axis -> does the list write it with a capital."""
    found: dict[str, dict[str, bool]] = defaultdict(dict)
    for axis in AXES:
        for row in table(axis).rows:
            for form in chain.from_iterable(row.forms.values()):
                low = form.lower()
                proper = form[0].isupper() and low not in _EVERYDAY
                telling = form.isalpha() or _single_words(axis).isdisjoint(low.split())
                if telling and (row.kind in _PLAIN or (row.kind == "descriptor" and proper)):
                    found[low][axis] = found[low].get(axis, False) or proper
    return dict(found)
