"""The labelled part of tagging data together with the answers, as probes of taggers use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answers import Bools, Ints
from probes.core.counts import plural
from probes.core.entities import Entity, Tagset
from probes.core.entity_decisions import Decisions
from probes.core.examples import Example
from probes.core.model import Tagger
from probes.core.probe import Context
from probes.core.records import Evidence, Outcomes, Shown
from probes.core.taggings import Taggings, named, tagged_words


@dataclass(frozen=True)
class Tagged:
    """n labelled sentences and their answers, sorted by item id: the order of the rows changes nothing.

    Attributes:
        unlabelled: how many items had no gold and are not among these.
    """

    examples: tuple[Example, ...]
    answers: Taggings
    tagset: Tagset
    unlabelled: int = 0

    @classmethod
    def ask(cls, model: Tagger, data: Sequence[Example]) -> Tagged:
        """Ask about every labelled item, in one call."""
        examples = tuple(sorted((e for e in data if e.gold is not None), key=lambda example: example.id))
        answers = model.tag([example.text for example in examples])
        tagset = Tagset.of(model.card.labels, map(gold_tags, examples))
        return cls(examples, answers, tagset, unlabelled=len(data) - len(examples))

    def __len__(self) -> int:
        return len(self.examples)

    def where(self, kept: Bools) -> Tagged:
        """Those picked by an (n,) mask."""
        rows = np.flatnonzero(kept)
        return Tagged(tuple(self.examples[row] for row in rows), self.answers[rows], self.tagset)

    @cached_property
    def clusters(self) -> list[str]:
        return [example.cluster for example in self.examples]

    @cached_property
    def word_clusters(self) -> list[str]:
        """(words,): the cluster of each word's sentence."""
        lengths = np.diff(self.answers.starts).tolist()
        return [cluster for cluster, length in zip(self.clusters, lengths, strict=True) for _ in range(length)]

    @cached_property
    def gold(self) -> Ints:
        """(words,): index of the right label of each word, whether it was read or not."""
        index = {label: number for number, label in enumerate(self.answers.labels)}
        tags = [index[tag] for example in self.examples for tag in gold_tags(example)]
        return np.array(tags, dtype=np.int64)

    def decisions(self, *, strict: bool = False) -> Decisions:
        """Gold and answered entities side by side, both of the words that were read."""
        return Decisions.of(self._golds(strict), self._found(strict), clusters=self.clusters)

    def _golds(self, strict: bool) -> list[list[Entity]]:
        return entities_of(self.answers, np.where(self.answers.read, self.gold, -1), self.tagset, strict=strict)

    def _found(self, strict: bool) -> list[list[Entity]]:
        return entities_of(self.answers, self.answers.top, self.tagset, strict=strict)

    @cached_property
    def golds(self) -> list[list[Entity]]:
        """(n,): the entities in the right answers, as far as they were read."""
        return self._golds(False)

    @cached_property
    def found(self) -> list[list[Entity]]:
        """(n,): the entities in the answers."""
        return self._found(False)

    @cached_property
    def errors(self) -> Ints:
        """(n,): entities that are in the gold or the answer, but not in both."""
        pairs = zip(self.golds, self.found, strict=True)
        return np.array([len(set(gold) ^ set(found)) for gold, found in pairs], dtype=np.int64)

    def told(self, row: int) -> tuple[str, str]:
        """The answer and the right answer about a sentence, in words."""
        text = self.examples[row].text
        return told(text, self.found[row]), told(text, self.golds[row])


def gold_tags(example: Example) -> tuple[str, ...]:
    """The right tags of a labelled item.

    Raises:
        ValueError: where they are not one tag for each word.
    """
    gold = example.gold
    if not isinstance(gold, tuple) or len(gold) != len(tagged_words(example.text)):
        raise ValueError(f"item {example.id} has not one tag for each word")
    return gold


def entities_of(answers: Taggings, tops: Ints, tagset: Tagset, *, strict: bool = False) -> list[list[Entity]]:
    """(n,): the entities in (words,) labels of all texts; -1 for words to pass over."""
    return [
        tagset.entities(named(tops[answers.words_of(row)], answers.labels), strict=strict)
        for row in range(len(answers))
    ]


def told(text: object, entities: Sequence[Entity]) -> str:
    """Entities as a reader sees them: "person: Ada Lovelace; place: Rome"."""
    words = str(text).split()
    found = [f"{entity.kind}: {' '.join(words[entity.start : entity.end])}" for entity in entities]
    return "; ".join(found) or "(no entity)"


def mean_confidence(answers: Taggings) -> list[float | None]:
    """(n,): mean probability of the labels given to the words that were read; None where none was."""
    rows = np.repeat(np.arange(len(answers)), np.diff(answers.starts))
    read = ~np.isnan(answers.confidence)
    counts = np.bincount(rows[read], minlength=len(answers))
    totals = np.bincount(rows[read], weights=answers.confidence[read], minlength=len(answers))
    return [total / count if count else None for total, count in zip(totals.tolist(), counts.tolist(), strict=True)]


def outcomes(items: Tagged) -> Outcomes:
    """One row for each labelled sentence; right is one whose entities are all found and no other."""
    n = len(items)
    answers, golds = zip(*map(items.told, range(n)), strict=True) if n else ((), ())
    return Outcomes(
        example_id=[example.id for example in items.examples],
        cluster=items.clusters,
        variant=[""] * n,
        after=list(answers),
        before=[None] * n,
        gold=list(golds),
        correct=[not errors for errors in items.errors.tolist()],
        changed=[None] * n,
        score=mean_confidence(items.answers),
    )


def unread_words(answers: Taggings) -> tuple[Bools, str]:
    """(words,) that were not read, and a sentence about them; empty where all were."""
    unread = ~answers.read
    texts = sum(bool(unread[answers.words_of(row)].any()) for row in range(len(answers)))
    if not texts:
        return unread, ""
    return unread, f"{plural(int(unread.sum()), 'word')} of {plural(texts, 'text')} not read (cut off) and not scored"


def cases(items: Tagged, ctx: Context) -> Iterator[Evidence]:
    """Random sentences, then those with the most wrong entities; no sentence is shown twice."""
    drawn = sorted(range(len(items)), key=lambda row: ctx.rng("evidence", items.examples[row].id).random())
    ordinary = drawn[: ctx.random_cases]
    ranked = sorted(range(len(items)), key=lambda row: (-items.errors[row], items.examples[row].id))
    worst = [row for row in ranked if items.errors[row] and row not in ordinary][: ctx.worst_cases]
    confidence = mean_confidence(items.answers)
    for row in (*ordinary, *worst):
        answer, gold = items.told(row)
        wrong = int(items.errors[row])
        yield Evidence(
            example_id=items.examples[row].id,
            chosen="random" if row in ordinary else "worst",
            shown=(Shown(texts=items.examples[row].texts, answer=answer, confidence=confidence[row]),),
            gold=gold,
            note=f"entities missed or wrong: {wrong}" if wrong else "right",
        )
