"""Single prompts: what is shown of them, and what is kept of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from probes.core.answered import gold_told
from probes.core.examples import Accepted, Example
from probes.core.probe import Context
from probes.core.records import Evidence, Outcomes
from probes.explanation.explained import gold_of, shown
from probes.explanation.faithfulness.scored import Scored, Why
from probes.explanation.generation.outputs import Outputs


def cases(outputs: Outputs, drop: Sequence[Scored], lead: Sequence[Scored], ctx: Context) -> Iterator[Evidence]:
    """Random prompts, then those whose top words mattered most, compared with random words.

    Args:
        drop, lead: (n,) comprehensiveness, and by how much it is above that of random words.
    """
    drawn = sorted(range(len(outputs)), key=lambda row: ctx.rng("evidence", outputs.examples[row].id).random())
    ordinary = drawn[: ctx.random_cases]
    above = {row: value for row, value in enumerate(lead) if not isinstance(value, Why) and row not in ordinary}
    ranked = sorted(above, key=lambda row: (-above[row], outputs.examples[row].id))
    yield from (_case(outputs, row, "random", drop[row], lead[row]) for row in ordinary)
    yield from (_case(outputs, row, "worst", drop[row], lead[row]) for row in ranked[: ctx.worst_cases])


def _case(outputs: Outputs, row: int, chosen: Literal["random", "worst"], drop: Scored, lead: Scored) -> Evidence:
    example = outputs.examples[row]
    return Evidence(
        example_id=example.id,
        chosen=chosen,
        shown=(
            shown(
                outputs.attributions[row],
                answer=outputs.texts[row],
                confidence=float(outputs.replies.confidence[row]),
            ),
        ),
        gold=_gold(example),
        note=_verdict(drop, lead),
    )


def _verdict(drop: Scored, lead: Scored) -> str:
    if isinstance(drop, Why) or isinstance(lead, Why):
        return f"not scored: a text {drop if isinstance(drop, Why) else lead}"
    compared = "more" if lead > 0 else "less"
    return (
        f"without the words that speak most for it each token of this text loses {drop:z.2f} nats, {abs(lead):.2f} "
        f"{compared} than without random words"
    )


def _gold(example: Example) -> str | None:
    return gold_told(example.gold) if isinstance(example.gold, Accepted) else gold_of(example)


def outcomes(outputs: Outputs, drop: Sequence[Scored]) -> Outcomes:
    """One row for each prompt: `drop` (n,) is its comprehensiveness."""
    n = len(outputs)
    return Outcomes(
        example_id=[example.id for example in outputs.examples],
        cluster=outputs.clusters,
        variant=[""] * n,
        after=list(outputs.texts),
        before=[None] * n,
        gold=[_gold(example) for example in outputs.examples],
        correct=[None] * n,
        changed=[None] * n,
        score=[None if isinstance(value, Why) else value for value in drop],
    )
