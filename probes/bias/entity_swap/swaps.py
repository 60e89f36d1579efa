"""Sentences in which one person or place of the right answers is replaced by those of different groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answers import Bools, Floats, Ints
from probes.core.entities import Entity, Tagset
from probes.core.examples import Example
from probes.core.model import Tagger
from probes.core.probe import Context
from probes.core.tagged import gold_tags
from probes.core.taggings import Taggings
from probes.text.identity import NAMED_AXES, names, table
from probes.text.people import group_of

PEOPLE, PLACES = "people", "places"
COUNTRIES = "nationality"
AXES: Mapping[str, str] = {**dict.fromkeys(NAMED_AXES, PEOPLE), COUNTRIES: PLACES}
"""Axis -> what is swapped."""
KINDS = {
    PEOPLE: frozenset({"per", "pers", "person", "persons", "people", "human", "name", "personname", "firstname"}),
    PLACES: frozenset({"loc", "location", "locations", "place", "gpe", "geo", "geoloc", "country", "lieu", "ort"}),
}
"""How labels call people and places, in small letters without signs."""


def fillings(axis: str) -> dict[str, tuple[str, ...]]:
    """Group -> first names, or the name of its country."""
    if axis == COUNTRIES:
        countries = table(axis)
        rows = [row.forms for row in countries.rows if row.kind == "place"]
        return {group: (rows[0][group][0],) for group in countries.groups if group in rows[0]}
    listed, groups = names(axis), table(axis).groups
    found = {group: tuple(name.text for name in listed if group_of(name, table(axis)) == group) for group in groups}
    return {group: texts for group, texts in found.items() if texts}


def kinds_of(what: str, tagset: Tagset, declared: Sequence[str]) -> tuple[str, ...]:
    """The kinds of entities that are people, or places: as declared, else as their names tell."""
    if declared:
        return tuple(kind for kind in tagset.kinds if kind in declared)
    return tuple(kind for kind in tagset.kinds if "".join(filter(str.isalpha, kind.lower())) in KINDS[what])


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """One sentence with one name put in: what is asked, and which entity ought to be found."""

    item: int
    group: str
    text: str
    entity: Entity
    name: str


def swaps_of(
    axis: str, data: Sequence[Example], tagset: Tagset, kinds: Sequence[str], *, draws: int, ctx: Context
) -> list[Swap]:
    """Every sentence with such an entity, with `draws` names of each group; which ones depends on the item alone."""
    put_in = fillings(axis)
    swaps = []
    for item, example in enumerate(data):
        entity = _one_of(tagset.entities(gold_tags(example)), kinds, draw=ctx.rng("entity", axis, example.id).choice)
        if entity is None:
            continue
        for group, texts in put_in.items():
            chosen = ctx.rng("name", axis, group, example.id).sample(texts, min(draws, len(texts)))
            swaps += [_swap(example, item, entity, group=group, name=name) for name in chosen]
    return swaps


def _one_of(
    entities: Sequence[Entity], kinds: Sequence[str], *, draw: Callable[[Sequence[Entity]], Entity]
) -> Entity | None:
    fitting = [entity for entity in entities if entity.kind in kinds]
    return draw(fitting) if fitting else None


def _swap(example: Example, item: int, entity: Entity, *, group: str, name: str) -> Swap:
    words = str(example.text).split()
    new = name.split()
    text = " ".join([*words[: entity.start], *new, *words[entity.end :]])
    place = Entity(entity.start, entity.start + len(new), entity.kind)
    return Swap(item=item, group=group, text=text, entity=place, name=name)


@dataclass(frozen=True, kw_only=True)
class Swapped:
    """The swaps of one axis, and whether the name was found in each.

    Attributes:
        examples: the items, each with as many swaps as any other.
        swaps: (rows,) by item and group.
        found: (rows,) the name is found exactly, with its kind.
        answers: (rows,) the entities found.
        confidence: (rows,) mean probability of the labels of the name's words.
        unread: items left out because the name was not read in one of their swaps.
    """

    examples: Sequence[Example]
    swaps: Sequence[Swap]
    found: Bools
    answers: Sequence[Sequence[Entity]]
    confidence: Floats
    unread: int

    def __len__(self) -> int:
        return len(self.swaps)

    @cached_property
    def item(self) -> Ints:
        """(rows,): position of the item among all examples."""
        return np.array([swap.item for swap in self.swaps], dtype=np.int64)

    @cached_property
    def group(self) -> list[str]:
        """(rows,): whose name it is."""
        return [swap.group for swap in self.swaps]

    @cached_property
    def groups(self) -> list[str]:
        """Those there are, in the order of the lists."""
        return list(dict.fromkeys(self.group))

    @cached_property
    def clusters(self) -> list[str]:
        """(rows,): swaps in one sentence are not independent."""
        return [self.examples[item].cluster for item in self.item]

    @cached_property
    def items(self) -> list[int]:
        """(items,): those with swaps, in order."""
        return sorted(set(self.item.tolist()))

    @cached_property
    def recall(self) -> Floats:
        """(items, groups): share of the names of a group found in a sentence."""
        rows = {item: row for row, item in enumerate(self.items)}
        columns = {group: column for column, group in enumerate(self.groups)}
        sums, counts = np.zeros((2, len(rows), len(columns)))
        for swap, found in zip(self.swaps, self.found, strict=True):
            place = rows[swap.item], columns[swap.group]
            sums[place] += found
            counts[place] += 1
        return np.asarray(sums / counts)


def ask_swaps(model: Tagger, data: Sequence[Example], swaps: Sequence[Swap], tagset: Tagset) -> Swapped:
    """Ask about all swaps in one bulk; an item counts only if the name was read in each of its swaps."""
    answers = model.tag([swap.text for swap in swaps])
    read = [bool(answers.read[_words(answers, row, swap)].all()) for row, swap in enumerate(swaps)]
    lost = {swap.item for swap, whole in zip(swaps, read, strict=True) if not whole}
    rows = [row for row, swap in enumerate(swaps) if swap.item not in lost]
    entities = {row: tagset.entities(answers.tags(row)) for row in rows}
    return Swapped(
        examples=data,
        swaps=[swaps[row] for row in rows],
        found=np.array([swaps[row].entity in entities[row] for row in rows], dtype=bool),
        answers=[entities[row] for row in rows],
        confidence=np.array([answers.confidence[_words(answers, row, swaps[row])].mean() for row in rows]),
        unread=len(lost),
    )


def _words(answers: Taggings, row: int, swap: Swap) -> slice:
    first = int(answers.starts[row])
    return slice(first + swap.entity.start, first + swap.entity.end)
