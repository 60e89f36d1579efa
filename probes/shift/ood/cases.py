"""Ordinary texts, then those of another kind that look most like in-domain ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from probes.core.answers import Bools
from probes.core.labelled import gold_text
from probes.core.probe import Context
from probes.core.records import Evidence, Shown
from probes.shift.domains import HOME, Domain
from probes.shift.ood.asked import Asked
from probes.shift.ood.familiarity import Column


def cases(asked: Asked, compared: Sequence[Domain], scores: Sequence[Column], ctx: Context) -> Iterator[Evidence]:
    """Random texts of all kinds, then those of other kinds that look most familiar by the first of the scores."""
    score, home = scores[0], asked.within(asked.domains.home)
    shifted = np.any([asked.within(domain) for domain in compared], axis=0)
    scored = np.isfinite(score.values)
    rows = np.flatnonzero(scored & (home | shifted))
    drawn = sorted(rows.tolist(), key=lambda row: ctx.rng("evidence", asked.examples[row].id).random())
    ordinary = drawn[: ctx.random_cases]
    ranked = sorted(
        np.flatnonzero(scored & shifted).tolist(), key=lambda row: (score.values[row], asked.examples[row].id)
    )
    worst = [row for row in ranked if row not in ordinary][: ctx.worst_cases]
    for row in ordinary:
        yield _case(asked, row, score, home, chosen="random")
    for row in worst:
        yield _case(asked, row, score, home, chosen="worst")


def _case(asked: Asked, row: int, score: Column, home: Bools, *, chosen: Literal["random", "worst"]) -> Evidence:
    example, answer = asked.examples[row], asked.answers[np.array([row])]
    confidence = float(answer.confidence[0])
    others = home & np.isfinite(score.values) & (np.arange(len(home)) != row)
    stranger = float((score.values[others] > score.values[row]).mean())
    return Evidence(
        example_id=example.id,
        chosen=chosen,
        shown=(
            Shown(
                texts=example.texts,
                answer=answer.names()[0],
                confidence=None if np.isnan(confidence) else confidence,
            ),
        ),
        gold=gold_text(example.gold),
        note=f"looks more familiar than {stranger:.0%} of the in-domain texts, by {score.phrase}",
        slice={"domain": example.domain or HOME},
    )
