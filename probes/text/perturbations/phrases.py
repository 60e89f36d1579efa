"""Replacing whole words and phrases in running text: where one begins and ends, what may be a name, and its case.

A phrase is never replaced inside another word, a domain, a path or a hyphenated compound. A capitalised phrase counts
only where a sentence begins and no capitalised word follows: elsewhere it is likely to be a name (the Labor Party, Mr
Wright). A phrase in capitals of fewer than five letters counts only in a text all in capitals: elsewhere it is likely
to be an acronym (IT, US, WHO).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from probes.text.perturbations.perturbation import edit_share

BEFORE = r"(?<![\w.@#$/\\=\u0300-\u036f-])(?<!\w['’])"
AFTER = r"(?![\w@/\\=\u0300-\u036f-]|['’]\w|\.\w)"
SENTENCE_START = (
    r"(?:\A|(?<=[\n\"“(])|(?<=[.!?…]\s)|(?<=[.!?][\"”’')]\s))"
    r"(?<!Mr\.\s)(?<!Mrs\.\s)(?<!Ms\.\s)(?<!Dr\.\s)(?<!St\.\s)(?<!Prof\.\s)(?<!\b[A-Z]\.\s)"
)
CLAUSE_WORDS = [
    "and",
    "but",
    "or",
    "so",
    "because",
    "if",
    "when",
    "since",
    "although",
    "though",
    "while",
    "unless",
    "until",
    "think",
    "know",
    "say",
    "says",
    "said",
    "feel",
    "believe",
    "hope",
    "sure",
    "guess",
]
CLAUSE_START = (
    "(?:" + SENTENCE_START + r"|(?<=[,;:–—]\s)|" + "|".join(rf"(?<=\b(?i:{word}) )" for word in CLAUSE_WORDS) + ")"
)
"""Where a clause of its own is likely to begin: nothing is fronted out of it ("what it is", "how good it is")."""

SHORTEST_SHOUT = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Phrases that share a context.

    Attributes:
        phrases: each phrase, in the case it has in the middle of a sentence, with what may replace it.
        before, after: regular expressions of no width (lookarounds) that must hold there.
    """

    phrases: Mapping[str, tuple[str, ...]]
    before: str = ""
    after: str = ""

    def expression(self, *, shouted: bool) -> str:
        """A regular expression for the phrases in the cases that count."""
        capitals = {phrase.upper() for phrase in self.phrases}
        if shouted:
            return self.before + _alternatives(capitals) + self.after
        small = set(self.phrases) | {phrase.lower() for phrase in self.phrases}
        loud = {phrase for phrase in capitals if len(phrase) >= SHORTEST_SHOUT}
        titles = {phrase[0].upper() + phrase[1:] for phrase in self.phrases} - small
        cases = [_alternatives(small | loud)]
        if titles:
            cases.append(f"{SENTENCE_START}{_alternatives(titles)}(?! [A-Z])")
        return f"{self.before}(?:{'|'.join(cases)}){self.after}"


@dataclass(frozen=True, slots=True)
class PhraseTable:
    """Phrases, what may replace them, and the expressions that find them."""

    replacements: dict[str, tuple[str, ...]]
    spoken: re.Pattern[str]
    shouted: re.Pattern[str]

    @classmethod
    def of(cls, *groups: Group) -> PhraseTable:
        """Compile; earlier groups win where two match at one place."""
        spoken, shouted = (
            re.compile(BEFORE + "(?:" + "|".join(g.expression(shouted=loud) for g in groups) + ")" + AFTER)
            for loud in (False, True)
        )
        replacements = {phrase.lower(): new for group in groups for phrase, new in group.phrases.items()}
        return cls(replacements, spoken, shouted)

    def edit(self, text: str, rng: random.Random, *, share: float) -> str:
        """Replace about `share` of the phrases found, at least one of them, keeping case and style of apostrophe."""
        curly = "’" in text

        def replace(found: str, own: random.Random) -> str:
            options = self._options(found)
            return _written(found, options[0] if len(options) == 1 else own.choice(options), curly=curly)

        return edit_share(text, rng, pattern=self._pattern(text), edit=replace, share=share)

    def found(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Start and end of each phrase in a text, and what may stand there, keeping case and style of apostrophe."""
        curly = "’" in text
        for match in self._pattern(text).finditer(text):
            for new in self._options(match.group()):
                yield *match.span(), _written(match.group(), new, curly=curly)

    def _pattern(self, text: str) -> re.Pattern[str]:
        return self.shouted if text.isupper() else self.spoken

    def _options(self, found: str) -> tuple[str, ...]:
        return self.replacements[found.replace("’", "'").lower()]


def like_case(found: str, new: str) -> str:
    """`new` in the case of `found`: capitals, a capital first letter, or a small one."""
    if found.isupper() and sum(map(str.isalpha, found)) > 1:
        return new.upper()
    first = new[:1].upper() if found[:1].isupper() else new[:1].lower()
    return first + new[1:]


def _written(found: str, new: str, *, curly: bool) -> str:
    cased = like_case(found, new)
    return cased.replace("'", "’") if curly else cased


def _alternatives(phrases: Iterable[str]) -> str:
    """One expression for many phrases, longest first, grouped by first letter: far faster than a flat list."""
    by_letter: dict[str, list[str]] = {}
    for phrase in sorted(phrases, key=lambda p: (-len(p), p)):
        by_letter.setdefault(phrase[0], []).append(re.escape(phrase[1:]).replace("'", "['’]").replace(r"\ ", " "))
    return "(?:" + "|".join(f"{re.escape(letter)}(?:{'|'.join(rest)})" for letter, rest in by_letter.items()) + ")"
