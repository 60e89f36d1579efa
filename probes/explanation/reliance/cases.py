"""Texts with words taken out, as a reader sees them, and all of them in columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from probes.core.answers import Classifications, Floats, ProblemType
from probes.core.attributions import Attribution
from probes.core.attributors import Attributor
from probes.core.probe import Context
from probes.core.records import Evidence, Outcomes, Shown
from probes.core.words import word
from probes.explanation.explained import Explained, answered, gold_of, shown
from probes.explanation.reliance.leaning import Leaning
from probes.explanation.reliance.removals import Cut, Moved, Removals
from probes.text.masking import has_offensive
from probes.text.offensive import OFFENSIVE

OFFENSIVE_NOTE, HARM_NOTE = "profanity, insults or slurs", "possibly hateful language"
Chosen = Literal["random", "worst"]
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
    def answer(self) -> Classifications:
        """The one answer to the text without them."""
        return self.leaning.taken.answers[np.array([self.place])]

    @property
    def beyond(self) -> float:
        """How much farther the probability moved than without as many neutral words."""
        return float(self.leaning.beyond[self.place])


def cases(
    model: Attributor, items: Explained, found: Mapping[str, Leaning], removals: Removals, ctx: Context
) -> Iterator[Evidence]:
    """Random texts, then those whose answer moved farthest, beyond what neutral words do; no text twice.

    What is left of each is explained too, towards its own answer: one bulk of as many texts as there are cases.
    """
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
    shown_cases: list[tuple[Case, Chosen]] = [(case, "random") for case in ordinary]
    shown_cases += [(case, "worst") for case in worst]
    left = _left(model, items, [case for case, _ in shown_cases], removals)
    for (case, chosen), after in zip(shown_cases, left, strict=True):
        yield _evidence(items, case, after, chosen=chosen, harm=model.card.positive.harm)


def _different(candidates: Iterable[Case], *, seen: set[int], count: int) -> list[Case]:
    """The first `count` cases of different items, none of those seen."""
    first: dict[int, Case] = {}
    for case in candidates:
        if case.cut[0] not in seen:
            first.setdefault(case.cut[0], case)
    return list(first.values())[:count]


def _evidence(items: Explained, case: Case, after: Attribution, *, chosen: Chosen, harm: bool) -> Evidence:
    row, taken = case.cut
    example, attribution = items.examples[row], items.attributions[row]
    one = items.answers[np.array([row])]
    words = list(dict.fromkeys(word(example.text, attribution.words[at]) for at in taken))
    named = ", ".join(f"“{each}”" for each in words[:MOST_NAMED]) + (" and others" if len(words) > MOST_NAMED else "")
    offensive = any(OFFENSIVE.search(text) or has_offensive(text) for text in example.texts)
    return Evidence(
        example_id=example.id,
        chosen=chosen,
        shown=(
            shown(attribution, answer=one.names()[0], confidence=float(one.confidence[0])),
            _shown_after(case, after),
        ),
        gold=gold_of(example),
        note=f"without {named}: {_verdict(case)}",
        content_note=OFFENSIVE_NOTE if offensive else HARM_NOTE if harm else "",
        slice={"category": case.category},
    )


def _left(model: Attributor, items: Explained, picked: Sequence[Case], removals: Removals) -> list[Attribution]:
    """(n,): why the text of each case was answered as it was without the words."""
    texts = [removals.texts[case.cut] for case in picked]
    targets = [target for case in picked for target in answered(case.answer)]
    return model.attribute(texts, targets, method=items.method) if picked else []


def _shown_after(case: Case, attribution: Attribution) -> Shown:
    return shown(attribution, answer=case.answer.names()[0], confidence=float(case.answer.confidence[0]))


def _verdict(case: Case) -> str:
    regression = case.leaning.taken.answers.problem is ProblemType.REGRESSION
    what = "value" if regression else "probability"
    flips = "the answer changes" if case.leaning.taken.flipped[case.place] else "the answer stays"
    change, control = (moved.change[case.place] for moved in (case.leaning.taken, case.leaning.neutral))
    return f"{flips}, its {what} moves by {change:+z.3f} (without as many neutral words {control:+z.3f})"


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
