"""Explained texts with their words sorted, and which of them a number is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from probes.core.probe import Context
from probes.explanation.explained import Explained
from probes.explanation.reliance.categories import IDENTITY, LISTED, Mark
from probes.explanation.reliance.matching import Controls, Marked, partners
from probes.explanation.reliance.removals import Cut

Selection = Mapping[int, tuple[int, ...]]
"""Row of an item -> positions of the words that a number is about; only items that hold such words."""


@dataclass(frozen=True, kw_only=True)
class Sorted:
    """n explained items, the words of each sorted into categories.

    Attributes:
        marked: (n,).
        neutral: (n,) of each item, position of a word of a category -> position of the neutral word it is paired with
            when words are taken out.
    """

    items: Explained
    marked: tuple[Marked, ...]
    neutral: tuple[Mapping[int, int], ...]

    @classmethod
    def of(cls, items: Explained, *, listed: tuple[str, ...], ctx: Context) -> Sorted:
        """Sort the words of each text; what is drawn depends on the item and the category only."""
        marked = tuple(Marked.of(each, listed=listed) for each in items.attributions)
        neutral = tuple(_paired(each, example.id, ctx) for each, example in zip(marked, items.examples, strict=True))
        return cls(items=items, marked=marked, neutral=neutral)

    @cached_property
    def controls(self) -> Controls:
        """The attribution that neutral words get."""
        return Controls.of(self.marked)

    def select(self, wanted: Callable[[Mark], bool]) -> Selection:
        """The words whose mark is wanted."""
        found = {
            row: tuple(at for at, mark in marked.marks.items() if wanted(mark))
            for row, marked in enumerate(self.marked)
        }
        return {row: words for row, words in found.items() if words}

    def category(self, category: str) -> Selection:
        """All words of a category."""
        return self.select(lambda mark: mark.category == category)

    def axis(self, axis: str) -> Selection:
        """The identity terms that speak of an axis."""
        return self.select(lambda mark: axis in mark.axes)

    def words(self) -> dict[tuple[str, str], Selection]:
        """(category, word) -> where it stands, for each listed word and each identity term."""
        found: dict[tuple[str, str], dict[int, tuple[int, ...]]] = defaultdict(dict)
        for row, marked in enumerate(self.marked):
            for at, mark in marked.marks.items():
                if mark.category in (LISTED, IDENTITY):
                    rows = found[mark.category, mark.word]
                    rows[row] = (*rows.get(row, ()), at)
        return dict(sorted(found.items()))

    def answered(self, selection: Selection, answer: str) -> Selection:
        """The part of a selection in texts that got this answer."""
        return {row: words for row, words in selection.items() if self.items.targets[row] == answer}

    def clusters(self, selection: Selection) -> int:
        """How many independent texts hold these words."""
        return len({self.items.clusters[row] for row in selection})

    def pairs(self, selection: Selection) -> Iterator[tuple[Cut, Cut]]:
        """For each item: the words taken out, and as many neutral words; items with too few of these are left out."""
        for row, words in selection.items():
            if all(at in self.neutral[row] for at in words):
                yield (row, words), (row, tuple(sorted(self.neutral[row][at] for at in words)))


def _paired(marked: Marked, example_id: str, ctx: Context) -> dict[int, int]:
    by_category: dict[str, list[int]] = defaultdict(list)
    for at, mark in marked.marks.items():
        by_category[mark.category].append(at)
    found: dict[int, int] = {}
    for category, words in by_category.items():
        found |= partners(marked, words, rng=ctx.rng("neutral", example_id, category))
    return found
