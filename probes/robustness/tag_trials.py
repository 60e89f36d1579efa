"""Tags before and after perturbation, row by row."""

from __future__ import annotations

from collections.abc import Sequence
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
        found_before, found_after: (rows,) the entities found in the text itself and in the variant; labels that changed
            within numerical noise count as unchanged.
        golds: (rows,) the right entities; none where they are not known.
    """

    examples: Sequence[Example]
    item: Ints
    severity: Ints
    variants: Sequence[Text]
    before: Taggings
    after: Taggings
    found_before: Found
    found_after: Found
    golds: Found

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
            found_before=list(compress(self.found_before, kept)),
            found_after=list(compress(self.found_after, kept)),
            golds=list(compress(self.golds, kept)),
        )

    @cached_property
    def clusters(self) -> list[str]:
        """(rows,): variants of one source text are not independent."""
        return [example.cluster for example in self.examples]

    @cached_property
    def read(self) -> Bools:
        """(words,): read on both sides; all others are left out on both."""
        return _read(self.before, self.after)

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


def ask_tags(model: Tagger, data: Sequence[Example], variants: Variants) -> TagTrials:
    """Ask for the tags of all texts and all variants, in one bulk each; every variant has as many words as its text."""
    clean = model.tag([example.text for example in data])
    before = clean[variants.item]
    after = model.tag(variants.texts) if variants.texts else before
    examples = [data[position] for position in variants.item]
    tagset = Tagset.of(model.card.labels, [gold_tags(example) for example in data if example.gold is not None])
    read = _read(before, after)
    return TagTrials(
        examples=examples,
        item=variants.item,
        severity=variants.severity,
        variants=variants.texts,
        before=before,
        after=after,
        found_before=entities_of(before, np.where(read, before.top, -1), tagset),
        found_after=entities_of(after, settled(before, after), tagset),
        golds=[_right(example, read[before.words_of(row)], tagset) for row, example in enumerate(examples)],
    )


def _read(before: Taggings, after: Taggings) -> Bools:
    return before.read & after.read


def _right(example: Example, read: Bools, tagset: Tagset) -> list[Entity]:
    if example.gold is None:
        return []
    return tagset.entities([tag if kept else None for tag, kept in zip(gold_tags(example), read, strict=True)])
