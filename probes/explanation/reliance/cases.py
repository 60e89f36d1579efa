"""Texts with words taken out, as a reader sees them, and all of them in columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from probes.core.answers import Floats, ProblemType
from probes.core.model import ModelCard
from probes.core.probe import Context
from probes.core.records import Evidence, Outcomes, Shown
from probes.core.words import word
from probes.explanation.explained import Explained, gold_of, shown
from probes.explanation.reliance.leaning import Leaning
from probes.explanation.reliance.removals import Cut, Moved, Removals
from probes.text.masking import has_offensive
from probes.text.offensive import OFFENSIVE

OFFENSIVE_NOTE, HARM_NOTE = "profanity, insults or slurs", "possibly hateful language"
MOST_NAMED = 8
"""Words taken out that the note of a case names."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A text without its words of a category; `place` among the pairs of the category."""

    category: str
    place: int
    leaning: Leaning

    @property
    def cut(self) -> Cut:
        """What was taken out."""
        return self.leaning.pairs[self.place][0]

    @property
    def beyond(self) -> float:
        """How much farther the probability moved than without as many neutral words."""
        return float(self.leaning.beyond[self.place])


def cases(
    items: Explained, found: Mapping[str, Leaning], removals: Removals, ctx: Context, *, card: ModelCard
) -> Iterator[Evidence]:
    """Random texts, then those whose answer moved farthest, beyond what neutral words do; no text twice."""
    every = [
        Case(category=category, place=place, leaning=leaning)
        for category, leaning in found.items()
        for place in range(len(leaning.pairs))
    ]

    def name(case: Case) -> tuple[str, str]:
        return items.examples[case.cut[0]].id, case.category

    drawn = sorted(every, key=lambda case: ctx.rng("evidence", *name(case)).random())
    ordinary = _different(drawn, seen=set(), count=ctx.random_cases)
    ranked = sorted(every, key=lambda case: (-case.beyond, name(case)))
    moved = (case for case in ranked if case.beyond > items.answers.tolerance)
    worst = _different(moved, seen={case.cut[0] for case in ordinary}, count=ctx.worst_cases)
    yield from (_evidence(items, case, removals, chosen="random", harm=card.positive.harm) for case in ordinary)
    yield from (_evidence(items, case, removals, chosen="worst", harm=card.positive.harm) for case in worst)


def _different(candidates: Iterable[Case], *, seen: set[int], count: int) -> list[Case]:
    """The first `count` cases of different items, none of those seen."""
    first: dict[int, Case] = {}
    for case in candidates:
        if case.cut[0] not in seen:
            first.setdefault(case.cut[0], case)
    return list(first.values())[:count]


def _evidence(
    items: Explained, case: Case, removals: Removals, *, chosen: Literal["random", "worst"], harm: bool
) -> Evidence:
    row, taken = case.cut
    example, attribution = items.examples[row], items.attributions[row]
    one = items.answers[np.array([row])]
    words = list(dict.fromkeys(word(example.text, attribution.words[at]) for at in taken))
    named = ", ".join(words[:MOST_NAMED]) + (" and others" if len(words) > MOST_NAMED else "")
    offensive = any(OFFENSIVE.search(text) or has_offensive(text) for text in example.texts)
    return Evidence(
        example_id=example.id,
        chosen=chosen,
        shown=(
            shown(attribution, answer=one.names()[0], confidence=float(one.confidence[0])),
            _after(case, removals),
        ),
        gold=gold_of(example),
        note=f"without {named}: {_verdict(case)}",
        content_note=OFFENSIVE_NOTE if offensive else HARM_NOTE if harm else "",
        slice={"category": case.category},
    )


def _after(case: Case, removals: Removals) -> Shown:
    text, answer = removals.texts[case.cut], case.leaning.taken.answers[np.array([case.place])]
    confidence = float(answer.confidence[0])
    return Shown(
        texts=(text,) if isinstance(text, str) else text,
        answer=answer.names()[0],
        confidence=None if np.isnan(confidence) else confidence,
    )


def _verdict(case: Case) -> str:
    regression = case.leaning.taken.answers.problem is ProblemType.REGRESSION
    what = "value" if regression else "probability"
    flips = "the answer changes" if case.leaning.taken.flipped[case.place] else "the answer stays"
    change, control = (moved.change[case.place] for moved in (case.leaning.taken, case.leaning.neutral))
    return f"{flips}, its {what} moves by {change:+.3f} (without as many neutral words {control:+.3f})"


def outcomes(items: Explained, found: Mapping[str, Leaning]) -> Outcomes:
    """One row for each text and category, and one for the neutral words taken out in its place."""
    blocks = [
        (leaning, variant, moved)
        for category, leaning in found.items()
        for variant, moved in (
            (f"without {category}", leaning.taken),
            (f"without as many neutral words as {category}", leaning.neutral),
        )
    ]
    rows = [cut[0] for leaning, _, _ in blocks for cut, _ in leaning.pairs]
    names = items.answers.names()
    return Outcomes(
        example_id=[items.examples[row].id for row in rows],
        cluster=[items.clusters[row] for row in rows],
        variant=[variant for leaning, variant, _ in blocks for _ in leaning.pairs],
        after=[name for _, _, moved in blocks for name in moved.answers.names()],
        before=[names[row] for row in rows],
        gold=[gold_of(items.examples[row]) for row in rows],
        correct=[None] * len(rows),
        changed=[flipped for _, _, moved in blocks for flipped in moved.flipped.tolist()],
        score=[score for _, _, moved in blocks for score in _scores(moved).tolist()],
    )


def _scores(moved: Moved) -> Floats:
    """(k,): probability of the answer given; of a regression the value."""
    regression = moved.answers.problem is ProblemType.REGRESSION
    return moved.answers.logits[:, 0] if regression else moved.answers.confidence
