"""Universal triggers: a few words that break the answers to many texts when they are put in front of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from probes.core.words import Span
from probes.robustness.adversarial.attacked import Attacked, Candidate, Change, Edit
from probes.robustness.adversarial.gradients import Slope
from probes.robustness.adversarial.guide import Guide
from probes.robustness.adversarial.parts import VICTIM, Attempt, Judged, Outcome, Situation
from probes.robustness.adversarial.recipe import Resource, Sources
from probes.robustness.search import Oracle, Request

LENGTH = 3
"""Words of a trigger, as in the paper."""

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
        before = search.judged([(each, each.start.whole) for each in situations])
        halves = [each.draws.integer(0, 2) for each in situations]
        slopes = [guide.slopes[each.item] for each in situations]
        breakable = [
            bool(np.isfinite(judged.scores[0])) and not judged.reached[0] and len(each.start) > 0
            for each, judged in zip(situations, before, strict=True)
        ]
        triggers: dict[tuple[Slope, int], Trigger] = {}
        for slope, half in sorted({*zip(slopes, halves, strict=True)}, key=lambda key: (key[0].label, key[1])):
            others = [
                each
                for each, own, side, usable in zip(situations, slopes, halves, breakable, strict=True)
                if usable and own == slope and side != half
            ]
            triggers[slope, half] = search.trigger(slope, others)
        found = [triggers[key] for key in zip(slopes, halves, strict=True)]
        return search.tried(situations, before, breakable, found)


@dataclass(frozen=True)
class _Search:
    guide: Guide
    victim: Oracle

    def judged(self, asked: Sequence[tuple[Situation, Any]]) -> list[Judged]:
        """Of n texts, each judged by the goal of its item."""
        return list(self.victim([Request(VICTIM, each.item, [text]) for each, text in asked])) if asked else []

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
        scores = np.array([judged.scores[0] for judged in self.judged(asked)]).reshape(len(options), len(items))
        return [float(mean) for mean in np.where(np.isfinite(scores), scores, 0.0).mean(axis=1)]

    def tried(
        self,
        situations: Sequence[Situation],
        before: Sequence[Judged],
        breakable: Sequence[bool],
        triggers: Sequence[Trigger],
    ) -> list[Attempt]:
        """What comes of putting before each item its trigger."""
        changed = {
            row: Candidate.of(each.start, _put(trigger, each.start)).settled()
            for row, (each, trigger) in enumerate(zip(situations, triggers, strict=True))
            if breakable[row] and trigger
        }
        after = dict(
            zip(changed, self.judged([(situations[row], text.whole) for row, text in changed.items()]), strict=True)
        )
        return [
            _attempt(
                each,
                before[row],
                changed.get(row),
                after.get(row),
                lacked=NO_OTHERS if breakable[row] and not triggers[row] else "",
            )
            for row, each in enumerate(situations)
        ]


def _put(trigger: Trigger, start: Attacked) -> Change:
    """The trigger before the first word."""
    return (Edit(0, " ".join((*trigger, start.words[0]))),)


def _at(trigger: Trigger, place: int, start: Attacked) -> Span:
    """Where one of its words stands in the text that the model reads."""
    first = start.spans[0][0] + sum(len(word) + 1 for word in trigger[:place])
    return Span(0 if start.pair is None else int(start.pair[1]), first, first + len(trigger[place]))


def _attempt(
    situation: Situation, before: Judged, found: Attacked | None, after: Judged | None, *, lacked: str
) -> Attempt:
    score = float(before.scores[0])
    if not np.isfinite(score):
        outcome = Outcome.UNSCORED
    elif before.reached[0]:
        outcome = Outcome.WRONG_BEFORE
    else:
        outcome = Outcome.BROKEN if after is not None and after.reached[0] else Outcome.HELD
    return Attempt(
        outcome=outcome,
        start=situation.start,
        found=found,
        score=score,
        best=score if after is None else float(after.scores[0]),
        queries=1 if after is None else 2,
        tried=found is not None,
        lacked=lacked,
    )
