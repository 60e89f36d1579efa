"""The words of texts, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
from scipy.sparse import csr_array

from probes.core.answers import Bools, Floats, Ints
from probes.core.examples import Text
from probes.core.stats.clusters import Clusters
from probes.core.words import spans, word


def words(text: Text) -> list[str]:
    """The words of a text, both parts of a pair, in small letters; punctuation alone is none."""
    found = (word(text, span) for span in spans(text))
    return [each.casefold().replace("\u2019", "'") for each in found if any(sign.isalnum() for sign in each)]


@dataclass(frozen=True)
class Wording:
    """How often each of n texts holds each of V words.

    Attributes:
        counts: (n, V).
    """

    counts: csr_array

    @classmethod
    def of(cls, texts: Sequence[Text]) -> Wording:
        """Count the words of n texts."""
        held = [Counter(words(text)) for text in texts]
        vocabulary = {name: column for column, name in enumerate(sorted(set(chain.from_iterable(held))))}
        rows = np.repeat(np.arange(len(held)), [len(row) for row in held])
        columns = np.array([vocabulary[name] for row in held for name in row], dtype=np.int64)
        numbers = np.array([number for row in held for number in row.values()], dtype=np.float64)
        return cls(csr_array((numbers, (rows, columns)), shape=(len(held), len(vocabulary))))

    def __getitem__(self, rows: Ints) -> Wording:
        """Of some texts, with the words that they hold."""
        counts = self.counts[rows]
        return Wording(csr_array(counts[:, np.flatnonzero(counts.sum(axis=0))]))

    @cached_property
    def lengths(self) -> Floats:
        """(n,): words of each text."""
        return np.asarray(self.counts.sum(axis=1), dtype=np.float64)

    def unseen(self, home: Bools, keys: Sequence[Hashable]) -> Floats:
        """(n,): words of each text that no in-domain text holds, not counting texts of its own cluster.

        Args:
            home: (n,) the in-domain texts.
            keys: (n,) clusters.
        """
        clusters = Clusters.of(keys, n=len(keys)).codes
        holds = (self.counts > 0).astype(np.float64)
        rows = np.flatnonzero(home)
        chosen = csr_array((np.ones(len(rows)), (clusters[rows], rows)), shape=(clusters.max() + 1, len(clusters)))
        by_cluster = ((chosen @ holds) > 0).astype(np.float64)
        holders = np.asarray(by_cluster.sum(axis=0))
        cells = self.counts.tocoo()
        row, column = cells.coords
        own = np.asarray(by_cluster[clusters].tocsr()[row, column]).ravel()
        found = np.bincount(row, weights=cells.data * (holders[column] == own), minlength=len(clusters))
        return np.asarray(found, dtype=np.float64)
