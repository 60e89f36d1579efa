"""Single items: what is shown of them, and what is kept of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from probes.core.answers import ProblemType
from probes.core.probe import Context
from probes.core.records import Evidence, Outcomes
from probes.explanation.explained import Explained, gold_of, shown
from probes.explanation.faithfulness.scored import Scored, Why


def cases(items: Explained, drop: Sequence[Scored], lead: Sequence[Scored], ctx: Context) -> Iterator[Evidence]:
    """Random items, then those whose top words mattered least, compared with random words, and not at all more.

    Args:
        drop, lead: (n,) comprehensiveness, and by how much it is above that of random words.
    """
    drawn = sorted(range(len(items)), key=lambda row: ctx.rng("evidence", items.examples[row].id).random())
    ordinary = drawn[: ctx.random_cases]
    below = {row: value for row, value in enumerate(lead) if not isinstance(value, Why) and value <= 0}
    ranked = sorted((row for row in below if row not in ordinary), key=lambda row: (below[row], items.examples[row].id))
    yield from (_case(items, row, "random", drop[row], lead[row]) for row in ordinary)
    yield from (_case(items, row, "worst", drop[row], lead[row]) for row in ranked[: ctx.worst_cases])


def _case(items: Explained, row: int, chosen: Literal["random", "worst"], drop: Scored, lead: Scored) -> Evidence:
    answer = items.answers[row : row + 1]
    example = items.examples[row]
    return Evidence(
        example_id=example.id,
        chosen=chosen,
        shown=(shown(items.attributions[row], answer=answer.names()[0], confidence=float(answer.confidence[0])),),
        gold=gold_of(example),
        note=f"explained towards {items.targets[row]}; {_verdict(items.answers.problem, drop, lead)}",
    )


def _verdict(problem: ProblemType, drop: Scored, lead: Scored) -> str:
    if isinstance(drop, Why) or isinstance(lead, Why):
        return f"not scored: a text {drop if isinstance(drop, Why) else lead}"
    fall = f"probability falls by {drop:z.3f}"
    if problem is ProblemType.REGRESSION:
        fall = f"value falls by {drop:z.3f} standard deviations"
    compared = "more" if lead > 0 else "less"
    return f"without the words that speak most for it its {fall}, {abs(lead):.3f} {compared} than without random words"


def outcomes(items: Explained, drop: Sequence[Scored]) -> Outcomes:
    """One row for each item: `drop` (n,) is its comprehensiveness."""
    n = len(items)
    graded = items.labelled & (items.answers.problem is not ProblemType.REGRESSION)
    return Outcomes(
        example_id=[example.id for example in items.examples],
        cluster=items.clusters,
        variant=[""] * n,
        after=items.answers.names(),
        before=[None] * n,
        gold=[gold_of(example) for example in items.examples],
        correct=[bool(right) if known else None for right, known in zip(items.right, graded, strict=True)],
        changed=[None] * n,
        score=[None if isinstance(value, Why) else value for value in drop],
    )
