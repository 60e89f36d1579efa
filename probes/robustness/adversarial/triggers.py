"""Universal triggers: a few words that break the answers to many texts when they are put in front of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from probes.core.words import Span
from probes.robustness.adversarial.attacked import Attacked, Candidate, Change, Edit
from probes.robustness.adversarial.gradients import Slope
from probes.robustness.adversarial.guide import Guide
from probes.robustness.adversarial.parts import (
    VICTIM,
    Attempt,
    Doubts,
    Judged,
    Outcome,
    Situation,
    Trial,
    every,
    scores_alone,
)
from probes.robustness.adversarial.recipe import Resource, Sources
from probes.robustness.search import Oracle

LENGTH = 3
"""Words of a trigger, as in the paper."""
BOUND = "@#$€£"
"""Signs that make one thing with the word behind them: a name, a subject, an amount."""

CANDIDATES = 10
"""Words that the gradient expects most of, for one place of a trigger; each is tried."""

TRIED_ON = 16
"""Texts that a candidate is tried on at most."""

NO_OTHERS = "no other text of the same label to learn a trigger from"
"""Why a text is left alone that could be attacked."""

FIRST = "the"
Trigger = tuple[str, ...]


@dataclass(frozen=True)
class UniversalTrigger:
    """A recipe, as `Recipe` describes it: items are attacked with a trigger that was found on others of their label.

    Items are put into two halves by a draw of their own; the trigger found on one half is put before the other.
    """

    name: str = "universal-trigger"
    paper: str = (
        "Wallace, Feng, Kandpal, Gardner and Singh 2019, Universal Adversarial Triggers for Attacking and Analyzing "
        "NLP, EMNLP"
    )
    deviations: str = (
        "Whole words of the model's vocabulary; one pass over the three places, without a beam. The trigger of an item "
        "was found on other items of its label, at most 16 for each candidate; what that asked is not counted as "
        "queries of an item. Words before a text may change what it says: read the cases."
    )
    needs: tuple[Resource, ...] = (Resource.GRADIENTS,)
    queries: float = 12.0

    def attempts(
        self, situations: Sequence[Situation], sources: Sources, oracles: Mapping[str, Oracle], *, model: Any
    ) -> list[Attempt]:
        """Attack n texts, in the same order."""
        guide: Guide = sources.given[Resource.GRADIENTS]
        search = _Search(guide, oracles[VICTIM])
        begun = search.begun(situations)
        halves = _halves(begun, guide.slopes)
        found: dict[int, Attempt] = {}
        for (slope, half), rows in halves.items():
            others = halves.get((slope, 1 - half), [])
            trigger = search.trigger(slope, [begun[row].situation for row in others if begun[row].breakable])
            found.update(zip(rows, search.tried([begun[row] for row in rows], trigger), strict=True))
            if sources.progress is not None:
                sources.progress(len(found), len(situations))
        return [found[row] for row in range(len(situations))]


@dataclass(frozen=True)
class _Begun:
    """An item before it is attacked.

    Attributes:
        half: 0 or 1, drawn: on which one a trigger is found that the other is attacked with.
    """

    situation: Situation
    before: Judged
    half: int

    @property
    def breakable(self) -> bool:
        """Is there an answer to break, and a word to put a trigger before."""
        scored = bool(np.isfinite(self.before.scores[0]))
        return scored and not self.before.reached[0] and len(self.situation.start) > 0


def _halves(begun: Sequence[_Begun], slopes: Sequence[Slope]) -> dict[tuple[Slope, int], list[int]]:
    """The rows of each half of the items of each label, in the order of the labels."""
    rows: dict[tuple[Slope, int], list[int]] = defaultdict(list)
    for row, each in enumerate(begun):
        rows[slopes[each.situation.item], each.half].append(row)
    return {key: rows[key] for key in sorted(rows, key=lambda key: (key[0].label, key[1]))}


@dataclass(frozen=True)
class _Search:
    guide: Guide
    victim: Oracle

    def begun(self, situations: Sequence[Situation]) -> list[_Begun]:
        """Each item with the answer to it as it stands, and its half."""
        before = self.judged([(each, each.start.whole) for each in situations], every)
        return [_Begun(each, judged, each.draws.integer(0, 2)) for each, judged in zip(situations, before, strict=True)]

    def judged(self, asked: Sequence[tuple[Situation, Any]], doubts: Doubts) -> list[Judged]:
        """Of n texts, each judged by the goal of its item."""
        return list(self.victim([Trial(VICTIM, each.item, [text], doubts) for each, text in asked])) if asked else []

    def trigger(self, slope: Slope, items: Sequence[Situation]) -> Trigger:
        """The words that bring these items nearest to their goals; none without items."""
        some = items[:TRIED_ON]
        if not some:
            return ()
        trigger: Trigger = (FIRST,) * LENGTH
        for place in range(LENGTH):
            texts = [each.start.joined(each.start.changed(_put(trigger, each.start))) for each in some]
            places = [_at(trigger, place, each.start) for each in some]
            words = self.guide.model.shared_flips(
                texts, [slope.label] * len(some), places, count=CANDIDATES, sign=slope.sign
            )
            options = [trigger, *((*trigger[:place], word, *trigger[place + 1 :]) for word, _ in words)]
            trigger = max(options, key=dict(zip(options, self._scores(options, some), strict=True)).__getitem__)
        return trigger

    def _scores(self, options: Sequence[Trigger], items: Sequence[Situation]) -> list[float]:
        """How near each trigger brings the items to their goals, on average."""
        asked = [
            (each, each.start.joined(each.start.changed(_put(trigger, each.start))))
            for trigger in options
            for each in items
        ]
        scores = np.array([judged.scores[0] for judged in self.judged(asked, scores_alone)]).reshape(
            len(options), len(items)
        )
        return [float(mean) for mean in np.where(np.isfinite(scores), scores, 0.0).mean(axis=1)]

    def tried(self, begun: Sequence[_Begun], trigger: Trigger) -> list[Attempt]:
        """What comes of putting the trigger before each item."""
        changed = {
            row: Candidate.of(each.situation.start, _put(trigger, each.situation.start)).settled()
            for row, each in enumerate(begun)
            if each.breakable and trigger
        }
        judged = self.judged([(begun[row].situation, text.whole) for row, text in changed.items()], every)
        after = dict(zip(changed, judged, strict=True))
        return [
            _attempt(each, changed.get(row), after.get(row), lacked=NO_OTHERS if each.breakable and not trigger else "")
            for row, each in enumerate(begun)
        ]


def _put(trigger: Trigger, start: Attacked) -> Change:
    """The trigger before the first word."""
    first = _first(start)
    return (Edit(first, " ".join((*trigger, start.words[first]))),)


def _first(start: Attacked) -> int:
    """The place of the first word to which no sign is bound, if there is one: words put behind it would break that."""
    return next((place for place, at in enumerate(start.starts) if not at or start.text[at - 1] not in BOUND), 0)


def _at(trigger: Trigger, place: int, start: Attacked) -> Span:
    """Where one of its words stands in the text that the model reads."""
    first = start.starts[_first(start)] + sum(len(word) + 1 for word in trigger[:place])
    return Span(0 if start.pair is None else int(start.pair[1]), first, first + len(trigger[place]))


def _attempt(begun: _Begun, found: Attacked | None, after: Judged | None, *, lacked: str) -> Attempt:
    score = float(begun.before.scores[0])
    if not np.isfinite(score):
        outcome = Outcome.UNSCORED
    elif begun.before.reached[0]:
        outcome = Outcome.WRONG_BEFORE
    else:
        outcome = Outcome.BROKEN if after is not None and after.reached[0] else Outcome.HELD
    return Attempt(
        outcome=outcome,
        start=begun.situation.start,
        found=found,
        score=score,
        best=score if after is None else float(after.scores[0]),
        queries=1 if after is None else 2,
        tried=found is not None,
        lacked=lacked,
    )
