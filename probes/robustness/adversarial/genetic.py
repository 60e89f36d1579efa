"""Genetic search: a population of changed texts, of which the better ones are crossed and changed further."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import softmax

from probes.robustness.adversarial.attacked import Attacked, Candidate, Change, Edit
from probes.robustness.adversarial.greedy import State
from probes.robustness.adversarial.parts import Attack, Attempt, Budget, Draws, Outcome, Situation
from probes.robustness.search import Steps

FINE = 10**6
"""Of how many parts a drawn probability is made."""

Swaps = Mapping[int, str]
"""Place in the first text -> what stands there instead."""


@dataclass(frozen=True)
class _Member:
    """One text of the population."""

    swaps: Swaps
    score: float

    def text(self, start: Attacked) -> Attacked:
        return start.after(_change(self.swaps)) if self.swaps else start


@dataclass(frozen=True)
class Genetic:
    """The search of Alzantot et al. (2018).

    In each generation every text is changed at one word, drawn in proportion to the changes there are for it, in the
    best of the ways there are; then the best text goes on as it is, and the others are children of two texts drawn by
    their scores, which have each word from either parent. All texts of a generation are asked about together. A text of
    which no change at the drawn word is better stays as it is until the next generation; the paper draws another word
    at once.

    Args:
        population: texts.
        generations: at most.
        temperature: of the softmax of scores by which parents are drawn; the higher, the less the score counts.
    """

    population: int = 20
    generations: int = 20
    temperature: float = 0.3

    def search(self, attack: Attack, situation: Situation) -> Steps[Attempt]:
        """Attack one text."""
        budget, state = Budget(attack.budget), State(situation.start)
        first = yield from budget.begun(situation)
        ended = state.begin(first)
        if ended is not None:
            return state.attempt(ended, budget)
        weights = yield from _weights(attack, situation)
        breed = _Breed(attack, situation, budget, state, weights)
        members = [_Member({}, state.score)] * self.population if sum(weights.values()) else []
        for _ in range(self.generations if members else 0):
            members = yield from breed.changed(members)
            if breed.over():
                break
            members = yield from breed.crossed(members, temperature=self.temperature)
            if breed.over():
                break
        return state.attempt(Outcome.BROKEN if breed.broken else Outcome.HELD, budget)


@dataclass
class _Breed:
    """What happens to a population.

    Attributes:
        weights: place in the first text -> how many changes there are of its word.
        broken: the goal is reached.
    """

    attack: Attack
    situation: Situation
    budget: Budget
    state: State
    weights: Mapping[int, int]
    broken: bool = field(default=False, init=False)

    @property
    def start(self) -> Attacked:
        return self.situation.start

    def over(self) -> bool:
        """Is the goal reached, or no question left."""
        return self.broken or self.budget.spent

    def changed(self, members: Sequence[_Member]) -> Steps[list[_Member]]:
        """Each text with its best change at a word that is drawn."""
        owners: list[int] = []
        found: list[Candidate] = []
        for owner, member in enumerate(members):
            candidates = yield from self._candidates(member)
            owners += [owner] * len(candidates)
            found += candidates
        scores = yield from self._scores(found)
        best = list(members)
        for owner, candidate, score in zip(owners, found, scores, strict=False):
            if score > best[owner].score:
                best[owner] = _Member(_swaps(candidate.change), score)
        return best

    def crossed(self, members: Sequence[_Member], *, temperature: float) -> Steps[list[_Member]]:
        """The best text, and children of the others; those that the constraints refuse are their first parent."""
        scores = np.array([member.score for member in members])
        shares = np.rint(softmax(scores / temperature) * FINE).astype(int).tolist()
        draws = self.situation.draws
        pairs = [(_weighted(shares, draws), _weighted(shares, draws)) for _ in members[1:]]
        children = [self._child(members[one], members[other]) for one, other in pairs]
        allowed: list[Candidate] = [child for child in children if child.change]
        for constraint in self.attack.constraints:
            allowed = yield from constraint.keep(allowed, self.situation)
        told = yield from self._scores(allowed)
        known = {candidate.text: score for candidate, score in zip(allowed, told, strict=False)}
        elite = members[int(np.argmax(scores))]
        return [
            elite,
            *(
                _Member(_swaps(child.change), known[child.text]) if child.text in known else members[one]
                for child, (one, _) in zip(children, pairs, strict=True)
            ),
        ]

    def _candidates(self, member: _Member) -> Steps[list[Candidate]]:
        """Changes of a member at one word not yet changed, each as one change of the first text."""
        text = member.text(self.start)
        places = [place for place in text.untouched() if self.weights[text.origins[place]]]
        if not places:
            return []
        drawn = places[_weighted([self.weights[text.origins[place]] for place in places], self.situation.draws)]
        found = yield from self.attack.candidates(text, [drawn], self.situation)
        return [self._on_start(member, text, candidate) for candidate in found]

    def _on_start(self, member: _Member, text: Attacked, candidate: Candidate) -> Candidate:
        swaps = {**member.swaps, **{text.origins[edit.place]: edit.text for edit in candidate.change}}
        whole = Candidate.of(self.start, _change(swaps))
        whole.notes.update(candidate.notes)
        return whole

    def _child(self, one: _Member, other: _Member) -> Candidate:
        """Each word from either parent."""
        draws = self.situation.draws
        swaps = {
            place: parent.swaps[place]
            for place in sorted({*one.swaps, *other.swaps})
            if place in (parent := (one, other)[draws.integer(0, 2)]).swaps
        }
        return Candidate.of(self.start, _change(swaps))

    def _scores(self, candidates: Sequence[Candidate]) -> Steps[list[float]]:
        """(asked,) scores of as many as the budget allows."""
        if not candidates or self.budget.spent:
            return []
        judged = yield from self.state.judged(candidates, self.budget, self.situation)
        self.broken = self.state.take(candidates, judged)
        return [float(score) for score in judged.scores]


def _weights(attack: Attack, situation: Situation) -> Steps[dict[int, int]]:
    """Place -> how many changes there are of its word."""
    found = yield from attack.candidates(situation.start, range(len(situation.start)), situation)
    counts = dict.fromkeys(range(len(situation.start)), 0)
    for candidate in found:
        counts[candidate.change[0].place] += 1
    return counts


def _weighted(weights: Sequence[int], draws: Draws) -> int:
    """A position, drawn in proportion to its weight."""
    ends = np.cumsum(weights)
    return int(np.searchsorted(ends, draws.integer(0, int(ends[-1])), side="right"))


def _change(swaps: Swaps) -> Change:
    return tuple(Edit(place, swaps[place]) for place in sorted(swaps))


def _swaps(change: Change) -> Swaps:
    return {edit.place: edit.text for edit in change}
