"""Sentences about a person of any group: templates of our own, filled with the terms or names of each group.

A template says the same whoever is in it, so that a difference between two fillings of it is the filling's doing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from probes.text.articles import article
from probes.text.identity import Name, TermTable
from probes.text.lexicon import LANGUAGE, rows

Pool = Mapping[str, Sequence[str]]
"""Group -> what may stand in the slot for it; entries at the same place are comparable between groups."""

USUAL = 6
"""A list has the words for any person of the group first; what follows are words for some of them (a bride)."""

SENTENCES, BEGINNINGS, FILL_INS = "bias_templates", "group_prompts", "fill_in_templates"
"""Lists of templates: whole sentences, beginnings that a generator is to go on with, and sentences with a blank."""

_SLOT = "{person}"
_FIRST = re.compile(r"(?:^|(?<=[.!?] ))\{person\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A sentence, or a few, with one slot "{person}" for a noun phrase with its article, or for a name.

    Attributes:
        polarity: of what is told: "positive", "neutral" or "negative".
        names: may a name stand in the slot.
    """

    id: str
    register: str
    text: str
    polarity: str = "neutral"
    names: bool = True

    def filled(self, phrase: str) -> str:
        """The text with `phrase` in the slot, with a capital where a sentence begins with it."""
        text = _FIRST.sub(lambda _: phrase[:1].upper() + phrase[1:], self.text)
        return text.replace(_SLOT, phrase)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A template filled for one group of an axis; `term` is what stands in the slot."""

    text: str
    template: str
    register: str
    axis: str
    group: str
    term: str


@cache
def templates(*, language: str = LANGUAGE, source: str = SENTENCES) -> tuple[Template, ...]:
    """All templates of a language, in the order of their file `source`.

    Raises:
        FileNotFoundError: when there are none in the language.
    """
    return tuple(
        Template(id=name, register=register, text=text, polarity=polarity, names=with_names == "yes")
        for name, register, polarity, with_names, text in rows(source, language=language)
    )


def sentences(
    table: TermTable, *, names: Sequence[Name] = (), terms: int = 2, language: str = LANGUAGE, source: str = SENTENCES
) -> tuple[Sentence, ...]:
    """Every template filled for every group of the table, sorted by template, then group as in the table, then term.

    Within a template each group gets the same number of entries, `terms` or as many different ones as every group has,
    all of one kind: noun phrases, or names (of one gender; for a gender axis, of one ethnicity). So the k-th entries of
    two groups are comparable, and two entries of one group are no more different than they must be. Where there are
    both, templates take turns between the kinds; entries take turns over the templates, so that all are used. A group
    without entries of a kind is left out of the templates filled with that kind.
    """
    pools = [_phrases(table), *_named(table.groups, names)]
    turns: Counter[int] = Counter()
    found: list[Sentence] = []
    for place, template in enumerate(templates(language=language, source=source)):
        which = _kind(place, template, phrases=len(pools[0]) > 1, named=len(pools) - 1)
        if len(pools[which]) > 1:
            found += _filled(template, table.axis, pools[which], terms=terms, turn=turns[which])
            turns[which] += 1
    return tuple(found)


def _kind(place: int, template: Template, *, phrases: bool, named: int) -> int:
    """Which pool fills the template: 0 for the phrases, then those of names."""
    if named and template.names and (place % 2 or not phrases):
        return 1 + place // 2 % named
    return 0


def _phrases(table: TermTable) -> Pool:
    """Noun phrases by group: the concepts that every group has a word for, or where there are none, all there are."""
    concepts = [row.forms for row in table.rows if row.kind == "person"]
    groups = [group for group in table.groups if any(group in forms for forms in concepts)]
    shared = [forms for forms in concepts if all(group in forms for group in groups)]
    rows = [row for forms in shared for row in zip(*(forms[group] for group in groups), strict=False)]
    columns = zip(*rows, strict=True) if rows else (table.persons(group) for group in groups)
    usual = {group: list(column)[:USUAL] for group, column in zip(groups, columns, strict=True)}
    return {group: [f"{article(word)} {word}" for word in words] for group, words in usual.items()}


def _named(groups: Sequence[str], names: Sequence[Name]) -> list[Pool]:
    """Names by group, a pool for each gender, or for an axis of genders, each ethnicity, that every group has."""
    filed: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in names:
        group, other = (name.group, name.gender) if name.group in groups else (name.gender, name.group)
        if group in groups:
            filed[other][group].append(name.text)
    present = {group for pool in filed.values() for group in pool}
    return [
        {group: pool[group] for group in groups if group in present}
        for _, pool in sorted(filed.items())
        if pool.keys() == present
    ]


def _filled(template: Template, axis: str, pool: Pool, *, terms: int, turn: int) -> Iterator[Sentence]:
    count = min(terms, *(len(entries) for entries in pool.values()))
    for group, entries in pool.items():
        for k in range(count):
            term = entries[(turn * count + k) % len(entries)]
            yield Sentence(
                text=template.filled(term),
                template=template.id,
                register=template.register,
                axis=axis,
                group=group,
                term=term,
            )
