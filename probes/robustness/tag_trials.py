"""Tags before and after perturbation, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np

from probes.core.answers import Bools, Ints
from probes.core.entities import Entity, Tagset
from probes.core.entity_decisions import Decisions
from probes.core.examples import Example, Text
from probes.core.model import Tagger
from probes.core.tagged import entities_of, gold_tags
from probes.core.taggings import Taggings, settled
from probes.text.variants import Variants

Found = Sequence[Sequence[Entity]]


@dataclass(frozen=True, kw_only=True)
class TagTrials:
    """Rows of one item and one variant of it, with the tags of both.

    Attributes:
        examples: (rows,) the items.
        item, severity: (rows,) their positions in the data, and how strongly the text was changed.
        variants: (rows,) the changed texts.
        before, after: (rows,) answers to the text itself and to the variant, about as many words.
        tagset: how to read the labels.
    """

    examples: Sequence[Example]
    item: Ints
    severity: Ints
    variants: Sequence[Text]
    before: Taggings
    after: Taggings
    tagset: Tagset

    def __len__(self) -> int:
        return len(self.item)

    def where(self, kept: Bools) -> TagTrials:
        """The rows picked by a mask."""
        rows = np.flatnonzero(kept)
        return TagTrials(
            examples=list(compress(self.examples, kept)),
            item=self.item[rows],
            severity=self.severity[rows],
            variants=list(compress(self.variants, kept)),
            before=self.before[rows],
            after=self.after[rows],
            tagset=self.tagset,
        )

    @cached_property
    def clusters(self) -> list[str]:
        """(rows,): variants of one source text are not independent."""
        return [example.cluster for example in self.examples]

    @cached_property
    def read(self) -> Bools:
        """(words,): read on both sides; all others are left out on both."""
        return self.before.read & self.after.read

    @cached_property
    def scored(self) -> Bools:
        """(rows,): was any word read on both sides."""
        return np.array([self.read[self.before.words_of(row)].any() for row in range(len(self))], dtype=bool)

    @cached_property
    def tied(self) -> Bools:
        """(rows,): some label on either side hangs on a margin within numerical noise."""
        words = self.before.tied | self.after.tied
        return np.array([words[self.before.words_of(row)].any() for row in range(len(self))], dtype=bool)

    @cached_property
    def labelled(self) -> Bools:
        """(rows,): are the right tags known."""
        return np.array([example.gold is not None for example in self.examples], dtype=bool)

    @cached_property
    def found_before(self) -> Found:
        """(rows,): the entities found in the text itself."""
        return entities_of(self.before, np.where(self.read, self.before.top, -1), self.tagset)

    @cached_property
    def found_after(self) -> Found:
        """(rows,): the entities found in the variant; labels that changed within numerical noise count as unchanged."""
        return entities_of(self.after, settled(self.before, self.after), self.tagset)

    @cached_property
    def golds(self) -> Found:
        """(rows,): the right entities; none where they are not known."""
        return [
            self.tagset.entities([tag if read else None for tag, read in zip(gold_tags(example), kept, strict=True)])
            if example.gold is not None
            else []
            for example, kept in zip(self.examples, self._read_by_row(), strict=True)
        ]

    @cached_property
    def changed(self) -> Ints:
        """(rows,): entities found on one side only."""
        pairs = zip(self.found_before, self.found_after, strict=True)
        return np.array([len(set(old) ^ set(new)) for old, new in pairs], dtype=np.int64)

    def survival(self) -> Decisions:
        """Entities found before (in the place of the gold) and after (of the answer)."""
        return Decisions.of(self.found_before, self.found_after, clusters=self.clusters)

    def against_gold(self, found: Found) -> Decisions:
        """Entities found against the right ones."""
        return Decisions.of(self.golds, found, clusters=self.clusters)

    def _read_by_row(self) -> Iterator[Bools]:
        return (self.read[self.before.words_of(row)] for row in range(len(self)))


def ask_tags(model: Tagger, data: Sequence[Example], variants: Variants) -> TagTrials:
    """Ask for the tags of all texts and all variants, in one bulk each; every variant has as many words as its text."""
    clean = model.tag([example.text for example in data])
    before = clean[variants.item]
    golds = [gold_tags(example) for example in data if example.gold is not None]
    return TagTrials(
        examples=[data[position] for position in variants.item],
        item=variants.item,
        severity=variants.severity,
        variants=variants.texts,
        before=before,
        after=model.tag(variants.texts) if variants.texts else before,
        tagset=Tagset.of(model.card.labels, golds),
    )
