"""The user's items with their answers, and the groups that the values of a column divide them into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, compress

import numpy as np
from numpy.typing import NDArray

from probes.core.answers import Bools, Classifications, Floats, Ints, ProblemType
from probes.core.examples import NO_VALUE, Example
from probes.core.groups import group_columns, group_values
from probes.core.labelled import Labelled
from probes.core.model import Classifier
from probes.core.positive import Meaning, PositiveClass
from probes.core.stats.group_means import cluster_numbers

TOGETHER = " + "
"""Between the columns, and between the values, of an intersection."""


@dataclass(frozen=True, kw_only=True)
class GroupItems:
    """n items and their answers, sorted by item id: the order of the rows changes nothing.

    Attributes:
        positive: which answers count as positive.
        unscored: items whose answer was not a finite number; they are not among these.
    """

    examples: tuple[Example, ...]
    answers: Classifications
    positive: PositiveClass
    unscored: int = 0

    @classmethod
    def ask(cls, model: Classifier, data: Sequence[Example]) -> GroupItems:
        """Ask about every item, in one call."""
        examples = tuple(sorted(data, key=lambda example: example.id))
        card = model.card
        nothing = Classifications(logits=np.zeros((0, len(card.labels))), labels=card.labels, problem=card.problem)
        answers = model.classify([example.text for example in examples]) if examples else nothing
        everything = cls(examples=examples, answers=answers, positive=card.positive)
        finite = np.asarray(np.isfinite(answers.logits).all(axis=1))
        return everything if finite.all() else everything.where(finite)

    def where(self, kept: Bools) -> GroupItems:
        """The items that were answered."""
        lost = self.unscored + int((~kept).sum())
        return replace(
            self,
            examples=tuple(compress(self.examples, kept)),
            answers=self.answers[np.flatnonzero(kept)],
            unscored=lost,
        )

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def problem(self) -> ProblemType:
        return self.answers.problem

    @property
    def has_positive(self) -> bool:
        """Is there a positive class to select for."""
        return self.problem is not ProblemType.REGRESSION and bool(self.positive.labels)

    @property
    def adverse(self) -> bool:
        """Is a positive answer to the disadvantage of the person concerned."""
        return self.positive.meaning in (Meaning.HARM, Meaning.UNFAVOURABLE)

    @cached_property
    def clusters(self) -> list[str]:
        return [example.cluster for example in self.examples]

    @cached_property
    def numbered_clusters(self) -> Ints:
        """(n,): the clusters, numbered."""
        return cluster_numbers(self.clusters)

    @cached_property
    def labelled(self) -> Bools:
        """(n,): is the right answer known."""
        return np.array([example.gold is not None for example in self.examples], dtype=bool)

    @cached_property
    def judged(self) -> Labelled:
        """The labelled items."""
        return Labelled(self.examples, self.answers)[self.labelled]

    @cached_property
    def right(self) -> Bools:
        """(n,): the answer is right; False where that is not known."""
        return self._spread(self.judged.correct)

    @cached_property
    def gold(self) -> Bools:
        """(n,): the right answer is positive; False where it is not known."""
        golds = [example.gold for example in self.judged.examples]
        return self._spread(self.positive.gold(golds, labels=self.answers.labels))

    @cached_property
    def selected(self) -> Bools:
        """(n,): the answer is positive."""
        return self.positive.decided(self.answers)

    @cached_property
    def score(self) -> Floats:
        """(n,): probability of a positive answer, or the value of a regression."""
        return self.positive.score(self.answers)

    @cached_property
    def badness(self) -> Floats:
        """(n,): how bad each answer is, 0 for a right one and where that is not known."""
        found = np.zeros(len(self))
        found[self.labelled] = self.judged.badness
        return found

    @cached_property
    def gold_score(self) -> Floats:
        """(n,): right score of a regression; 0 where it is not known."""
        found = np.zeros(len(self))
        found[self.labelled] = self.judged.values[1]
        return found

    def _spread(self, known: Bools) -> Bools:
        found = np.zeros(len(self), dtype=bool)
        found[self.labelled] = known
        return found


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """A group column, or two of them together.

    Attributes:
        values: (n,) of the items; "" where it is not known.
        columns: how many columns it is made of.
    """

    name: str
    values: NDArray[np.str_]
    columns: int = 1

    @property
    def known(self) -> Bools:
        """(n,): does the item have a value."""
        return np.asarray(self.values != "")

    def groups(self) -> Iterator[tuple[str, Bools]]:
        """Each value with its (n,) members, sorted."""
        for value in np.unique(self.values[self.known]):
            yield str(value), np.asarray(self.values == value)

    def sizes(self, clusters: Sequence[str]) -> dict[str, int]:
        """Independent items of each value."""
        return {value: len(set(compress(clusters, rows))) for value, rows in self.groups()}


def attributes(items: GroupItems, *, unknown: Sequence[str], intersections: bool) -> list[Attribute]:
    """Every group column in alphabetical order, then every two of them where `intersections`."""
    missing = NO_VALUE | {word.casefold() for word in unknown}
    single = [
        Attribute(name=name, values=np.array(_known(group_values(items.examples, name), missing)))
        for name in group_columns(items.examples)
    ]
    return single + [_together(*pair) for pair in combinations(single, 2) if intersections]


def _known(found: Sequence[str], missing: frozenset[str]) -> list[str]:
    return ["" if value.casefold() in missing else value for value in found]


def _together(first: Attribute, second: Attribute) -> Attribute:
    both = first.known & second.known
    pairs = [TOGETHER.join(pair) for pair in zip(first.values.tolist(), second.values.tolist(), strict=True)]
    return Attribute(
        name=TOGETHER.join((first.name, second.name)), values=np.where(both, np.array(pairs), ""), columns=2
    )
