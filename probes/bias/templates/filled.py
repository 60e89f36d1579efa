"""What a model answers to sentence templates filled for each group of one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from probes.core.answers import Bools, Classifications, Floats, Ints, ProblemType, changed
from probes.core.positive import PositiveClass
from probes.core.records import Unit
from probes.core.stats.derived import FEW
from probes.text.templates import Sentence
from probes.text.trials import regression_step


@dataclass(frozen=True, kw_only=True)
class Filled:
    """The sentences of one axis, each with its answer.

    Attributes:
        sentences, answers: (rows,).
        positive: whose probability is the score.
        unscored: sentences that are not among these: an answer to their template was not finite.
    """

    axis: str
    sentences: tuple[Sentence, ...]
    answers: Classifications
    positive: PositiveClass
    unscored: int = 0

    @classmethod
    def of(
        cls, axis: str, sentences: Sequence[Sentence], answers: Classifications, *, positive: PositiveClass
    ) -> Filled:
        """Without the templates for which some answer is not finite: the groups stay paired."""
        finite = np.asarray(np.isfinite(answers.logits).all(axis=1))
        broken = {sentence.template for sentence, good in zip(sentences, finite, strict=True) if not good}
        kept = np.array([sentence.template not in broken for sentence in sentences], dtype=bool)
        return cls(
            axis=axis,
            sentences=tuple(sentence for sentence, keep in zip(sentences, kept, strict=True) if keep),
            answers=answers[kept],
            positive=positive,
            unscored=int((~kept).sum()),
        )

    @cached_property
    def templates(self) -> tuple[str, ...]:
        """(templates,): their ids, in the order asked."""
        return tuple(dict.fromkeys(sentence.template for sentence in self.sentences))

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """(groups,): in the order asked."""
        return tuple(dict.fromkeys(sentence.group for sentence in self.sentences))

    @cached_property
    def registers(self) -> tuple[str, ...]:
        """(templates,)."""
        register = {sentence.template: sentence.register for sentence in self.sentences}
        return tuple(register[template] for template in self.templates)

    @property
    def scored(self) -> bool:
        """Is there a score: a positive class, or the value of a regression."""
        return bool(self.positive.labels)

    @property
    def regression(self) -> bool:
        """Is the score a plain number rather than a probability."""
        return self.answers.problem is ProblemType.REGRESSION

    @property
    def unit(self) -> Unit:
        """Of a difference of scores."""
        return Unit.SCORE if self.regression else Unit.DIFFERENCE

    @property
    def limits(self) -> tuple[float, float]:
        """The smallest and the largest difference of scores there can be."""
        reach = (float(np.ptp(self.answers.logits)) or 1.0) if self.regression else 1.0
        return -reach, reach

    @cached_property
    def scores(self) -> Floats:
        """(templates, groups): mean score over the terms; NaN where the template is not filled for the group."""
        template, group = self._cell
        shape = (len(self.templates), len(self.groups))
        count, total = np.zeros(shape), np.zeros(shape)
        np.add.at(count, (template, group), 1)
        np.add.at(total, (template, group), self.positive.score(self.answers))
        return np.asarray(np.divide(total, count, out=np.full(shape, np.nan), where=count > 0))

    @cached_property
    def gaps(self) -> Floats:
        """(templates, groups): score minus the mean over the groups of the same template."""
        return self._clear(self.scores - np.nanmean(self.scores, axis=1, keepdims=True))

    def between(self, first: int, second: int) -> Floats:
        """(templates,): score of one group minus that of another, by their positions; NaN where one is not there."""
        return self._clear(self.scores[:, first] - self.scores[:, second])

    def _clear(self, differences: Floats) -> Floats:
        """Zero where a difference may be numerical noise, whose own spread would be a false certainty."""
        return np.where(np.abs(differences) < self.answers.tolerance, 0.0, differences)

    @cached_property
    def pairs(self) -> Mapping[tuple[int, int], Floats]:
        """Positions of two groups -> (templates,) differences of their scores; only those with enough templates."""
        found = {pair: self.between(*pair) for pair in combinations(range(len(self.groups)), 2)}
        return {pair: gaps for pair, gaps in found.items() if (~np.isnan(gaps)).sum() >= FEW}

    @cached_property
    def ends(self) -> tuple[int, int]:
        """Positions of the two groups that are furthest apart, the lower one first; the first two if none can be."""
        means = {pair: float(np.nanmean(gaps)) for pair, gaps in self.pairs.items()}
        first, second = max(means, key=lambda pair: abs(means[pair]), default=(0, 1))
        return (first, second) if means.get((first, second), 0.0) <= 0 else (second, first)

    @property
    def apart(self) -> bool:
        """Do the mean scores of some two groups differ by more than numerical noise."""
        return any(abs(np.nanmean(gaps)) > self.answers.tolerance for gaps in self.pairs.values())

    @cached_property
    def lowest(self) -> int:
        """Position of the group that is furthest below the mean over the groups."""
        return int(np.nanmean(self.gaps, axis=0).argmin())

    @cached_property
    def differs(self) -> Bools:
        """(templates,): does the answer depend on the group, for some of the terms that are compared."""
        first: dict[tuple[int, int], int] = {}
        template, _ = self._cell
        like = np.array(
            [first.setdefault((t, k), row) for row, (t, k) in enumerate(zip(template, self.place, strict=True))]
        )
        moved = changed(self.answers[like], self.answers, step=regression_step(self.answers))
        return np.asarray(np.bincount(template[moved], minlength=len(self.templates)) > 0)

    @cached_property
    def place(self) -> tuple[int, ...]:
        """(rows,): which of the group's terms in this template it is, from 0."""
        seen: dict[tuple[str, str], int] = {}
        places = []
        for sentence in self.sentences:
            key = (sentence.template, sentence.group)
            places.append(seen.get(key, 0))
            seen[key] = places[-1] + 1
        return tuple(places)

    def row(self, template: str, group: str) -> int | None:
        """Position of the first sentence made of this template for this group, if there is one."""
        return self._rows.get((template, group))

    @cached_property
    def _rows(self) -> dict[tuple[str, str], int]:
        places = range(len(self.sentences) - 1, -1, -1)
        return {(self.sentences[row].template, self.sentences[row].group): row for row in places}

    @cached_property
    def _cell(self) -> tuple[Ints, Ints]:
        template = {name: place for place, name in enumerate(self.templates)}
        group = {name: place for place, name in enumerate(self.groups)}
        return (
            np.array([template[sentence.template] for sentence in self.sentences], dtype=np.int64),
            np.array([group[sentence.group] for sentence in self.sentences], dtype=np.int64),
        )
