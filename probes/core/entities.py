"""From tags to entities: the schemes in which labels of words say where a name, a place or a product begins and ends.

Two readings of the same tags are in use. The usual one, of the CoNLL shared tasks, repairs what breaks the scheme: an
I- after nothing begins an entity. The strict one counts an entity only where the scheme is kept to the letter. Both are
those of seqeval, so that numbers can be compared.

References: Tjong Kim Sang and De Meulder 2003, CoNLL (conlleval, IOB1 and IOB2); Ratinov and Roth 2009, CoNLL (BILOU,
here with the letters of IOBES); Nakayama 2018, seqeval 1.2 (default and strict mode).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

OUTSIDE = "O"
_PREFIXED = re.compile(r"([BIESLUMW])(?:[-_](.+))?", re.DOTALL)
_SAME_AS = {"L": "E", "M": "I", "U": "S", "W": "S"}
"""BILOU and BMEWO in the letters of IOBES."""


class Scheme(StrEnum):
    """How labels mark where an entity begins and ends."""

    IOB1 = "IOB1"
    """I- everywhere; B- only where an entity follows one of its own kind at once."""
    IOB2 = "IOB2"
    """B- at every beginning; also called BIO."""
    IOBES = "IOBES"
    """IOB2 with E- at the end and S- for a single word; also called BILOU or BMEWO."""
    RUNS = "runs of equal labels"
    """Labels without prefixes, and O: neighbours with the same label are one entity."""
    WORDS = "single words"
    """Labels without prefixes and without O, such as parts of speech: every word is an entity of its own."""


class Entity(NamedTuple):
    """The words `start` to `end` (not included) of a text, and what they are together."""

    start: int
    end: int
    kind: str

    def overlaps(self, other: Entity) -> bool:
        """Do they share a word."""
        return self.start < other.end and other.start < self.end


class Tag(NamedTuple):
    """A label, taken apart: a letter of B I E S O, and the kind of entity."""

    letter: str
    kind: str


_NOTHING = Tag(OUTSIDE, "")


@dataclass(frozen=True)
class Tagset:
    """The labels of a tagger, and how to read them.

    Attributes:
        scheme: see `Scheme`.
        tags: label -> what it means.
    """

    scheme: Scheme
    tags: Mapping[str, Tag]

    @classmethod
    def of(cls, labels: Iterable[str], golds: Iterable[Sequence[str]] = ()) -> Tagset:
        """Read the scheme off the label names; IOB1, whose labels are named like those of IOB2, off the golds."""
        labels = tuple(labels)
        inside = [label for label in labels if label != OUTSIDE]
        parts = {label: match for label in inside if (match := _PREFIXED.fullmatch(label))}
        if inside and len(parts) == len(inside) and OUTSIDE in labels:
            tags = {label: _tag(letter=match[1], kind=match[2]) for label, match in parts.items()}
            tags[OUTSIDE] = _NOTHING
            return cls(_scheme(tags, golds), tags)
        letter, scheme = ("I", Scheme.RUNS) if OUTSIDE in labels else ("S", Scheme.WORDS)
        return cls(scheme, {label: _NOTHING if label == OUTSIDE else Tag(letter, label) for label in labels})

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of entities there can be, in the order of the labels."""
        return tuple(dict.fromkeys(tag.kind for tag in self.tags.values() if tag.letter != OUTSIDE))

    def entities(self, tags: Sequence[str | None], *, strict: bool = False) -> list[Entity]:
        """The entities in the tags of one text, in reading order.

        Args:
            tags: a label for each word; words with None are passed over, as if they were not there.
            strict: only those that keep to the scheme.
        """
        places = [place for place, tag in enumerate(tags) if tag is not None]
        found = [self.tags[tag] for tag in tags if tag is not None]
        read = _strict(found, self.scheme) if strict and self.scheme in _RULES else _lenient(found)
        return [Entity(places[start], places[end - 1] + 1, kind) for start, end, kind in read]

    def label(self, kind: str, *, first: bool, last: bool) -> str:
        """The label of the first, a middle or the last word of an entity.

        Raises:
            KeyError: where the labels have none.
        """
        wanted = _letter(self.scheme, first=first, last=last)
        found = {tag: label for label, tag in self.tags.items()}
        return found[Tag(wanted, kind)]


def _tag(*, letter: str, kind: str | None) -> Tag:
    return Tag(_SAME_AS.get(letter, letter), kind or "entity")


def _letter(scheme: Scheme, *, first: bool, last: bool) -> str:
    if scheme is Scheme.IOBES:
        return {(True, True): "S", (True, False): "B", (False, True): "E"}.get((first, last), "I")
    if scheme is Scheme.WORDS:
        return "S"
    return "B" if first and scheme is Scheme.IOB2 else "I"


def _scheme(tags: Mapping[str, Tag], golds: Iterable[Sequence[str]]) -> Scheme:
    letters = {tag.letter for tag in tags.values()}
    if letters & {"E", "S"}:
        return Scheme.IOBES
    if "B" not in letters:
        return Scheme.RUNS
    pairs = [pair for gold in golds for pair in pairwise([_NOTHING, *(tags[label] for label in gold)])]
    bare = any(tag.letter == "I" and before.kind != tag.kind for before, tag in pairs)
    needless = any(tag.letter == "B" and before.kind != tag.kind for before, tag in pairs)
    return Scheme.IOB1 if bare and not needless else Scheme.IOB2


def _lenient(tags: Sequence[Tag]) -> Iterator[tuple[int, int, str]]:
    """Begins wherever a tag cannot belong to the entity before it."""
    start: int | None = None
    for place, (before, tag) in enumerate(pairwise([_NOTHING, *tags, _NOTHING])):
        breaks = tag.kind != before.kind or tag.letter in "BSO" or before.letter in "ESO"
        if start is not None and breaks:
            yield start, place, before.kind
            start = None
        if breaks and tag.letter != OUTSIDE:
            start = place


@dataclass(frozen=True)
class _Rule:
    """What the strict reading asks of a scheme: the letters that begin, go on and end an entity."""

    begins: str
    goes_on: str
    ends: str


_RULES = {
    Scheme.IOB1: _Rule("IB", "I", "IB"),
    Scheme.IOB2: _Rule("B", "I", "IB"),
    Scheme.IOBES: _Rule("BS", "IE", "ES"),
}


def _strict(tags: Sequence[Tag], scheme: Scheme) -> Iterator[tuple[int, int, str]]:
    rule, padded, place = _RULES[scheme], [*tags, _NOTHING], 0
    while place < len(tags):
        first, before = tags[place], tags[place - 1] if place else _NOTHING
        if not _begins(before, first, scheme):
            place += 1
            continue
        end = place + 1
        while padded[end].letter in rule.goes_on and padded[end].kind == first.kind and padded[end - 1].letter in "BI":
            end += 1
        last, following = padded[end - 1], padded[end]
        if last.letter in rule.ends and not (scheme is Scheme.IOB1 and _breaks(last, following)):
            yield place, end, first.kind
        place = end


def _begins(before: Tag, tag: Tag, scheme: Scheme) -> bool:
    """In IOB1, B- is right only straight after an entity of the same kind, and I- anywhere else."""
    if scheme is not Scheme.IOB1 or tag.letter == OUTSIDE:
        return tag.letter in _RULES[scheme].begins
    if tag.letter == "B":
        return before.letter != OUTSIDE and before.kind == tag.kind
    return before.letter != "I" or before.kind != tag.kind


def _breaks(last: Tag, following: Tag) -> bool:
    """A B- straight after the B- of another kind: seqeval then counts neither."""
    return last.letter == following.letter == "B" and last.kind != following.kind
