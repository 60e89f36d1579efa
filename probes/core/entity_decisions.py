"""Entities that are right, answered or both: what precision, recall and F1 of a tagger are counted from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np

from probes.core.answers import Bools, Floats, Ints
from probes.core.entities import Entity
from probes.core.measuring import share
from probes.core.metrics import Counts, over_labels, unit_weights
from probes.core.records import Estimate
from probes.core.stats.derived import f1_rate


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """Every entity of n texts that is in the gold or in the answer: m decisions, by text and then in reading order.

    Attributes:
        item: (m,) which text.
        entities: (m,).
        gold, answered: (m,) in the gold, in the answer.
        clusters: (m,) those of the texts: the entities of one text are not independent.
        texts: n.
    """

    item: Ints
    entities: Sequence[Entity]
    gold: Bools
    answered: Bools
    clusters: list[str]
    texts: int

    @classmethod
    def of(
        cls, golds: Sequence[Collection[Entity]], answers: Sequence[Collection[Entity]], *, clusters: Sequence[str]
    ) -> Decisions:
        """Put the entities of n golds and n answers side by side."""
        pairs = zip(map(set, golds), map(set, answers), strict=True)
        rows = [
            (item, entity, entity in gold, entity in answer)
            for item, (gold, answer) in enumerate(pairs)
            for entity in sorted(gold | answer)
        ]
        return cls(
            item=np.array([row[0] for row in rows], dtype=np.int64),
            entities=[row[1] for row in rows],
            gold=np.array([row[2] for row in rows], dtype=bool),
            answered=np.array([row[3] for row in rows], dtype=bool),
            clusters=[clusters[row[0]] for row in rows],
            texts=len(clusters),
        )

    def __len__(self) -> int:
        return len(self.entities)

    @cached_property
    def hits(self) -> Bools:
        """(m,): gold and answered, the same words and the same kind."""
        return self.gold & self.answered

    @cached_property
    def kinds(self) -> list[str]:
        """(m,): the kind of each entity."""
        return [entity.kind for entity in self.entities]

    def of_kind(self, kind: str) -> Decisions:
        """Those about one kind of entity."""
        return self.where(np.array([each == kind for each in self.kinds], dtype=bool))

    def where(self, kept: Bools) -> Decisions:
        """Those picked by an (m,) mask."""
        return Decisions(
            item=self.item[kept],
            entities=list(compress(self.entities, kept)),
            gold=self.gold[kept],
            answered=self.answered[kept],
            clusters=list(compress(self.clusters, kept)),
            texts=self.texts,
        )

    def f1(self) -> Estimate:
        """Of all decisions pooled, with an interval that clusters on the texts.

        Raises:
            UnmeasurableError: when there is neither a gold nor an answered entity.
        """
        return f1_rate(self.hits, self.gold | self.answered, clusters=self.clusters)

    def precision(self) -> Estimate:
        """Right ones among those answered.

        Raises:
            UnmeasurableError: when none is answered.
        """
        return share(self.hits, among=self.answered, clusters=self.clusters, of="entity among the answers")

    def recall(self) -> Estimate:
        """Right ones among those in the gold.

        Raises:
            UnmeasurableError: when there is none in the gold.
        """
        return share(self.hits, among=self.gold, clusters=self.clusters, of="entity in the right answers")

    def macro_f1(self, weights: Floats) -> Floats:
        """(B,): mean F1 of the kinds that occur in gold or answers, for (B, n) weights of the texts."""
        return over_labels(self._counts(weights).f1())

    def pooled_f1(self, weights: Floats) -> Floats:
        """(B,): F1 of all decisions pooled, for (B, n) weights of the texts."""
        return self._counts(weights).summed().f1()[:, 0]

    def _counts(self, weights: Floats) -> Counts:
        hits, answered, gold = (weights @ each for each in self._by_text)
        total = unit_weights(self.texts, weights).sum(axis=1, keepdims=True)
        return Counts(hits=hits, answered=answered, gold=gold, total=total)

    @cached_property
    def _by_text(self) -> list[Floats]:
        """(n, kinds) each: how many of each kind in each text are hits, answered, gold."""
        names, columns = np.unique(np.array(self.kinds, dtype=object), return_inverse=True)
        tables = []
        for which in (self.hits, self.answered, self.gold):
            table = np.zeros((self.texts, len(names)))
            np.add.at(table, (self.item[which], columns[which]), 1.0)
            tables.append(table)
        return tables
