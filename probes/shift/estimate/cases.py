"""Items of the other domains, shown with what the model answered and whether that is right, where it is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from probes.core.labelled import gold_text
from probes.core.probe import Context
from probes.core.records import Evidence, Shown
from probes.shift.estimate.answered import Answered


def cases(domains: Sequence[Answered], ctx: Context) -> Iterator[Evidence]:
    """Random items of each domain, then of each the wrong answers given most surely, which mislead the estimates."""
    ordinary = {each.name: _random(each, ctx) for each in domains}
    for each in domains:
        yield from (_case(each, row, "random") for row in ordinary[each.name])
    for each in domains:
        wrong = [row for row in range(len(each)) if each.quality[row] == 0 and row not in ordinary[each.name]]
        wrong.sort(key=lambda row: (-each.answers.confidence[row], each.domain.examples[row].id))
        yield from (_case(each, row, "worst") for row in wrong[: ctx.worst_cases])


def _random(each: Answered, ctx: Context) -> list[int]:
    ids = [example.id for example in each.domain.examples]
    return sorted(range(len(each)), key=lambda row: ctx.rng("evidence", ids[row]).random())[: ctx.random_cases]


def _case(each: Answered, row: int, chosen: Literal["random", "worst"]) -> Evidence:
    example, answer = each.domain.examples[row], int(each.answers.top[row])
    confidence = float(each.answers.confidence[row])
    note = {1.0: "right", 0.0: "wrong"}.get(float(each.quality[row]), "right answer not known")
    return Evidence(
        example_id=example.id,
        chosen=chosen,
        shown=(Shown(texts=example.texts, answer=each.answers.labels[answer], confidence=confidence),),
        gold=gold_text(example.gold),
        note=note,
        slice=each.domain.slice,
    )
