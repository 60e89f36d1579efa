"""Our own search: the model's gradient says once which way words lean; then more and more words change at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from probes.core.answers import Floats
from probes.robustness.adversarial.attacked import Attacked, Candidate, Edit
from probes.robustness.adversarial.greedy import State
from probes.robustness.adversarial.guide import SLANTS
from probes.robustness.adversarial.parts import Attack, Attempt, Budget, Outcome, Situation
from probes.robustness.search import Request, Steps

SIZES = (1, 2, 3, 4, 6, 8, 12, 16)
"""How many words change together, one number after the other; then as many as the constraints allow."""

MUTATED = 3
"""One word in so many changes from one try to the next, once all were tried together."""


@dataclass(frozen=True)
class Guided:
    """The changes that lean furthest to the goal, in more and more words; then random variants of the best try.

    Which way a word leans is the product of its embedding and the mean gradient over sentences of our own, which has
    nothing to do with the text: it costs no query for an item. One query tries one change of several words.

    Args:
        kept: changes of each word that are tried, those that lean furthest.
    """

    kept: int = 4

    def search(self, attack: Attack, situation: Situation) -> Steps[Attempt]:
        """Attack one text."""
        budget, state = Budget(attack.budget), State(situation.start)
        first = yield from budget.begun(situation)
        ended = state.begin(first)
        if ended is not None:
            return state.attempt(ended, budget)
        ranked = yield from self._ranked(attack, situation)
        places = ranked[: (yield from _most(attack, [each[0] for each in ranked], situation))]
        for edits in self._tries(places, state, situation):
            if budget.spent:
                break
            candidates = yield from _allowed(attack, Candidate.of(situation.start, edits), situation)
            if not candidates:
                continue
            judged = yield from state.judged(candidates, budget, situation)
            if state.take(candidates, judged):
                return state.attempt(Outcome.BROKEN, budget)
        return state.attempt(Outcome.HELD, budget)

    def _ranked(self, attack: Attack, situation: Situation) -> Steps[list[list[Edit]]]:
        """The changes of each word that are tried, the furthest leaning first; the word with the furthest of all first.

        Equal ones are in the order of the text, and of what is proposed.
        """
        start = situation.start
        edits: list[Edit] = []
        for place in attack.places(start, situation):  # of one word at a time: every candidate holds the whole text
            proposed = yield from attack.candidates(start, [place], situation)
            edits += [candidate.change[0] for candidate in proposed if len(candidate.change) == 1]
        if not edits:
            return []
        answers: list[Floats] = yield Request(SLANTS, situation.item, [(start, edits)])
        return _by_place(edits, answers[0], kept=self.kept)

    def _tries(
        self, places: Sequence[Sequence[Edit]], state: State, situation: Situation
    ) -> Iterator[tuple[Edit, ...]]:
        """Which changes are made together, one try after the other; more than any budget where there is a choice."""
        if not places:
            return
        for size in (*(size for size in SIZES if size < len(places)), len(places)):
            yield _together(each[0] for each in places[:size])
        variants = sum(len(each) for each in places)
        for _ in range(_MOST if variants > 1 else 0):
            yield self._variant(places, state.text, situation)

    def _variant(self, places: Sequence[Sequence[Edit]], best: Attacked, situation: Situation) -> tuple[Edit, ...]:
        """The best try so far with some words changed otherwise, or left as they were."""
        words = dict(zip(best.origins, best.words, strict=True))
        forced = situation.draws.integer(0, len(places))
        found = []
        for number, options in enumerate(places):
            place = options[0].place
            if number != forced and situation.draws.integer(0, MUTATED):
                if place in best.edited and words.get(place):
                    found.append(Edit(place, words[place]))
            elif (drawn := situation.draws.integer(0, len(options) + 1)) < len(options):
                found.append(options[drawn])
        return _together(found or [places[forced][0]])


_MOST = 1_000
"""Variants of one text at most; the budget ends the search long before, unless constraints refuse almost all."""


def _most(attack: Attack, edits: Sequence[Edit], situation: Situation) -> Steps[int]:
    """How many of these edits, the first ones, the constraints let be made together.

    By halves, as if more were never allowed where fewer are not. In a long text that is a small part of all, and tries
    of more would each be compared with the whole text and refused.
    """
    allowed, beyond = 0, len(edits) + 1
    size = len(edits)
    while beyond - allowed > 1:
        kept = yield from _allowed(attack, Candidate.of(situation.start, _together(edits[:size])), situation)
        allowed, beyond = (size, beyond) if kept else (allowed, size)
        size = (allowed + beyond) // 2
    return allowed


def _together(edits: Iterator[Edit] | Sequence[Edit]) -> tuple[Edit, ...]:
    return tuple(sorted(edits, key=lambda edit: edit.place))


def _by_place(edits: Sequence[Edit], gains: Floats, *, kept: int) -> list[list[Edit]]:
    found: dict[int, list[tuple[float, Edit]]] = {}
    for row in np.argsort(-gains, kind="stable").tolist():
        if np.isfinite(gains[row]) and len(own := found.setdefault(edits[row].place, [])) < kept:
            own.append((float(gains[row]), edits[row]))
    ranked = sorted(found.values(), key=lambda own: (-own[0][0], own[0][1].place))
    return [[edit for _, edit in own] for own in ranked]


def _allowed(attack: Attack, candidate: Candidate, situation: Situation) -> Steps[list[Candidate]]:
    """The candidate, unless a constraint refuses it."""
    found = [candidate]
    for constraint in attack.constraints:
        if found:
            found = yield from constraint.keep(found, situation)
    return found
