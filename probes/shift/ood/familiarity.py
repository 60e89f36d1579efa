"""Every score of every text: those from the answers, and the distances of embeddings."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import compress

import numpy as np

from probes.core.answers import Bools, Floats, ProblemType
from probes.core.probe import Context
from probes.core.records import Skip, SkipReason
from probes.core.stats.derived import UnmeasurableError
from probes.shift.halves import halves
from probes.shift.ood.asked import Asked
from probes.shift.ood.distances import Distance, mahalanobis, nearest
from probes.shift.ood.scores import FROM_ANSWERS

PER_LABEL = 10
"""Texts of each label to learn from before distances are measured to the means of labels."""

DISTANCES = ("mahalanobis", "neighbours")


@dataclass(frozen=True, slots=True)
class Column:
    """One score of n texts.

    Attributes:
        name: in slices.
        phrase: for people; completes "by ...".
        values: (n,) larger is less familiar; NaN for a text that the score was learned from.
    """

    name: str
    phrase: str
    values: Floats


def columns(asked: Asked, *, neighbours: int, ctx: Context) -> tuple[list[Column], list[Skip]]:
    """The scores that this model allows, and a reason for each that it does not."""
    found, skips = _from_answers(asked)
    if asked.vectors is None:
        detail = "The model gives no embeddings to measure distances between."
        return found, [*skips, *(_missing(name, SkipReason.NO_CAPABILITY, detail) for name in DISTANCES)]
    half = _Half.of(asked, asked.vectors, ctx)
    try:
        found.append(_mahalanobis(half))
    except UnmeasurableError as error:
        skips.append(_missing("mahalanobis", error.reason, error.detail))
    found.append(_neighbours(half, neighbours))
    return found, skips


def _from_answers(asked: Asked) -> tuple[list[Column], list[Skip]]:
    if asked.answers.problem is ProblemType.REGRESSION or len(asked.answers.labels) < 2:
        detail = "The model gives no probabilities of several answers, so there is no doubt to read from them."
        return [], [_missing(score.name, SkipReason.WRONG_PROBLEM, detail) for score in FROM_ANSWERS]
    return [Column(score.name, score.phrase, score.of(asked.answers)) for score in FROM_ANSWERS], []


@dataclass(frozen=True)
class _Half:
    """The in-domain texts that distances are learned from, and the texts they are measured for.

    In turn (cross-fitting) every in-domain text could be measured, but then the texts that are compared are also those
    that make up the yardsticks, and intervals that take the scores as given are too narrow.

    Attributes:
        vectors: (n, width).
        learned: (n,) half of the in-domain texts, by their clusters.
        measured: (n,) those of all domains that share no cluster with them.
        golds: (n,) labels, None where there is not exactly one.
    """

    vectors: Floats
    learned: Bools
    measured: Bools
    golds: list[str | None]

    @classmethod
    def of(cls, asked: Asked, vectors: Floats, ctx: Context) -> _Half:
        learned, measured = halves(asked.clusters, asked.within(asked.domains.home), ctx)
        return cls(
            vectors,
            learned=learned,
            measured=measured,
            golds=[example.gold if isinstance(example.gold, str) else None for example in asked.examples],
        )

    def labels(self) -> list[str]:
        """(m,) label of each text to learn from, if all have one and none is rare; else all the same."""
        golds = [gold or "" for gold in compress(self.golds, self.learned)]
        usable = "" not in golds and min(Counter(golds).values()) >= PER_LABEL
        return golds if usable else [""] * len(golds)

    def distances(self, distance: Distance) -> Floats:
        """(n,) of the texts it is measured for, NaN for the others."""
        values = np.full(len(self.vectors), np.nan)
        values[self.measured] = distance(self.vectors[self.measured])
        return values


def _mahalanobis(half: _Half) -> Column:
    labels = half.labels()
    centre = "the nearest mean of an in-domain label" if len(set(labels)) > 1 else "the in-domain mean"
    distance = mahalanobis(half.vectors[half.learned], labels)
    return Column("mahalanobis", f"the Mahalanobis distance of the embedding to {centre}", half.distances(distance))


def _neighbours(half: _Half, neighbours: int) -> Column:
    distance = nearest(half.vectors[half.learned], neighbours=neighbours)
    phrase = f"the distance of the embedding to in-domain text number {neighbours} by nearness"
    return Column("neighbours", phrase, half.distances(distance))


def _missing(name: str, reason: SkipReason, detail: str) -> Skip:
    return Skip(reason=reason, detail=detail, name="auroc", slice={"score": name})
