"""Where a text speaks of the groups of an axis: whole words, and only where the word means the group.

A place that cannot be settled blocks the whole text: a text in which one mention was swapped and another was not
would compare nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from probes.text.grammar import Words, word_class
from probes.text.identity import NAMED_AXES, Name, TermRow, TermTable
from probes.text.lexicon import rows
from probes.text.people import before_surname, group_of, name_at, people_of
from probes.text.senses import AMBIGUOUS_PRONOUN, UNCLEAR_USE, Use, use_of

COMPOUND = "part of a compound word"
OTHER_NAME = "a name that cannot be swapped"
SEXED = "a word for one sex only"
_MENTIONING = frozenset({AMBIGUOUS_PRONOUN, UNCLEAR_USE, COMPOUND})
_GLUE = frozenset({".", "/", "\\", "&", "+"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A place where a group is mentioned.

    Attributes:
        start, end: characters of the text.
        word: position of the first word.
        group: who is meant.
        row, position: the concept, and which of its interchangeable forms was used; None for a name.
        name: the first name, if it is one.
    """

    start: int
    end: int
    word: int
    group: str
    row: TermRow | None = None
    position: int = 0
    name: Name | None = None

    @property
    def form(self) -> str:
        """The mention as the list writes it."""
        if self.name is not None:
            return self.name.text
        return self.row.forms[self.group][self.position] if self.row else ""


@dataclass(slots=True)
class Found:
    """What a text was found to mention, and what stands in the way of swapping it (None if nothing does)."""

    mentions: list[Mention] = field(default_factory=list)
    blocked: str | None = None

    @property
    def speaks(self) -> bool:
        """Is a group mentioned at all, in a way that can be swapped or not."""
        return bool(self.mentions) or self.blocked in _MENTIONING

    def block(self, reason: str) -> None:
        """The first reason counts, but one that is itself a mention goes before one that is not."""
        if self.blocked is None or (reason in _MENTIONING and self.blocked not in _MENTIONING):
            self.blocked = reason


@dataclass(frozen=True, slots=True)
class _Entry:
    """A form, or a phrase to pass over (no uses), or a well-known person."""

    words: tuple[str, ...]
    gaps: tuple[str, ...]
    uses: tuple[Use, ...]
    figure: bool = False


_Index = Mapping[str, Sequence[_Entry]]


def find(words: Words, table: TermTable, *, names: Sequence[Name] = (), public_figures: bool = False) -> Found:
    """All mentions of the groups of a table, in the order of the text."""
    index, people = _index(table), people_of(table, names) if table.axis in NAMED_AXES else {}
    found = Found()
    at, low, keep = 0, words.low, not public_figures
    while at < len(low):
        taken = _term(words, at, index, found, keep_figures=keep) if low[at] in index else 0
        if not taken and people and words.raw[at][0].isupper():
            taken = _name(words, at, people, found, table=table, swapped=bool(names))
        at += taken or 1
    if table.axis == "gender" and found.mentions and not word_class("sexed").isdisjoint(low):
        found.block(SEXED)
    return found


def _term(words: Words, at: int, index: _Index, found: Found, *, keep_figures: bool) -> int:
    """Notes what begins at word `at`; the number of words it takes, 0 if it is nothing to us."""
    for entry in index[words.low[at]]:
        last = at + len(entry.words) - 1
        if not _matches(entry, words, at) or (entry.figure and not (keep_figures and words.raw[at][0].isupper())):
            continue
        if entry.figure:
            found.block(OTHER_NAME)
        if not entry.uses:
            return len(entry.words)
        use = _glued(words, at, last, entry) or use_of(words, at, last, entry.uses)
        if use == COMPOUND and entry.uses[0].row.kind == "descriptor":
            continue
        if isinstance(use, str):
            found.block(use)
        elif use is not None:
            found.mentions.append(_mention(words, at, last, use))
        if use is not None:
            return len(entry.words)
    return 0


def _mention(words: Words, at: int, last: int, use: Use) -> Mention:
    start, end = words.starts[at], words.ends[last]
    return Mention(start=start, end=end, word=at, group=use.group, row=use.row, position=use.position)


def _matches(entry: _Entry, words: Words, at: int) -> bool:
    size = len(entry.words)
    if size == 1:
        return True
    if tuple(words.low[at : at + size]) != entry.words:
        return False
    return all(_same_gap(words.gap(at + place), gap) for place, gap in enumerate(entry.gaps, start=1))


def _same_gap(found: str, wanted: str) -> bool:
    return found.isspace() if wanted == " " else found.replace("’", "'") == wanted


def _glued(words: Words, at: int, last: int, entry: _Entry) -> str | None:
    """A word joined to another by a hyphen, or part of an address, is left alone and blocks the text."""
    before, after = words.gap(at) if at else "", words.gap(last + 1) if last + 1 < len(words) else ""
    if before == "-" and words.low[at - 1] not in word_class("prefix"):
        return COMPOUND
    if after == "-":
        plain = any(use.row.kind == "adjective" for use in entry.uses) and words.raw[last + 1][0].islower()
        return None if plain else COMPOUND
    return COMPOUND if before in _GLUE or after in _GLUE else None


def _name(
    words: Words, at: int, people: Mapping[str, Name | None], found: Found, *, table: TermTable, swapped: bool
) -> int:
    """Notes the first name at word `at`; the number of words it takes, 0 if it is none."""
    written = name_at(words, at, people)
    if written is None:
        return 0
    name = people[written]
    if name is not None and swapped:
        group = group_of(name, table)
        found.mentions.append(Mention(start=words.starts[at], end=words.ends[at], word=at, group=group, name=name))
    elif table.axis == "gender" and (name is not None or before_surname(words, at)):
        found.block(OTHER_NAME)
    return 1


@lru_cache(maxsize=64)
def _index(table: TermTable) -> _Index:
    """First word -> what may begin with it, longest first."""
    language = table.language
    uses: dict[str, list[Use]] = defaultdict(list)
    for row in table.rows:
        for group, forms in row.forms.items():
            for position, form in enumerate(forms):
                uses[form.lower().replace("’", "'")].append(Use(row, group, position))
    entries = [_entry(form, tuple(sorted(found, key=lambda use: use.position))) for form, found in uses.items()]
    entries += [_entry(phrase) for axis, phrase in rows("ordinary_phrases", language=language) if axis == table.axis]
    if table.axis in NAMED_AXES:
        entries += [_entry(name, figure=True) for (name,) in rows("names_public_figures", language=language)]
    index: dict[str, list[_Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: (-len(entry.words), bool(entry.uses))):
        index[entry.words[0]].append(entry)
    return dict(index)


def _entry(form: str, uses: tuple[Use, ...] = (), *, figure: bool = False) -> _Entry:
    words = Words(form)
    return _Entry(tuple(words.low), tuple(words.gap(at) for at in range(1, len(words))), uses, figure)
