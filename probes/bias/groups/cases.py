"""Items to show: some of every group, then the worst errors in the least favoured one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Literal

import numpy as np

from probes.bias.groups.items import Attribute, GroupItems
from probes.core.answers import Bools, ProblemType
from probes.core.labelled import gold_text
from probes.core.probe import Context
from probes.core.records import Evidence, Outcomes, Shown

Compared = tuple[Attribute, Mapping[str, Bools]]
"""An attribute, and its groups that are large enough with their (n,) members."""

CONTENT_NOTE = "language of the kind the model looks for"


def cases(items: GroupItems, compared: Sequence[Compared], ctx: Context) -> Iterator[Evidence]:
    """For each attribute random items, one group after the other; then errors in its least favoured group."""
    shown: set[int] = set()
    answers = items.answers.names()
    drawn = [ctx.rng("evidence", example.id).random() for example in items.examples]
    picked: list[tuple[Literal["random", "worst"], Attribute, int]] = []
    for attribute, groups in compared:
        rows = _drawn(groups, drawn, but=shown)[: ctx.random_cases]
        shown.update(rows)
        picked += [("random", attribute, row) for row in rows]
    for attribute, groups in compared:
        rows = [row for row in _worst(items, groups) if row not in shown][: ctx.worst_cases]
        shown.update(rows)
        picked += [("worst", attribute, row) for row in rows]
    for chosen, attribute, row in picked:
        yield _case(items, row, attribute, chosen=chosen, answer=answers[row])


def outcomes(items: GroupItems) -> Outcomes:
    """One row for each item that was answered."""
    n, regression = len(items), items.problem is ProblemType.REGRESSION
    known = np.zeros(n, dtype=bool) if regression else items.labelled
    right = known if regression or not known.any() else items.right
    score = items.answers.logits[:, 0] if regression else items.answers.confidence
    return Outcomes(
        example_id=[example.id for example in items.examples],
        cluster=items.clusters,
        variant=[""] * n,
        after=items.answers.names(),
        before=[None] * n,
        gold=[gold_text(example.gold) for example in items.examples],
        correct=[bool(right[row]) if known[row] else None for row in range(n)],
        changed=[None] * n,
        score=[float(value) for value in score],
    )


def least_favoured(items: GroupItems, groups: Mapping[str, Bools]) -> str:
    """The group with the fewest favourable answers; without a positive class the one with the worst answers."""

    def favour(group: str) -> float:
        if items.has_positive:
            return float((items.selected != items.adverse)[groups[group]].mean())
        return -float(items.badness[groups[group]].mean())

    return min(groups, key=favour)


def _drawn(groups: Mapping[str, Bools], order: Sequence[float], *, but: Set[int]) -> list[int]:
    """Items in random order, the first of each group before the second of any."""
    turns: list[tuple[int, float, int]] = []
    for rows in groups.values():
        ranked = sorted(set(np.flatnonzero(rows).tolist()) - but, key=order.__getitem__)
        turns += [(turn, order[row], row) for turn, row in enumerate(ranked)]
    return [row for _, _, row in sorted(turns)]


def _worst(items: GroupItems, groups: Mapping[str, Bools]) -> list[int]:
    """Wrong answers in the least favoured group: those that deny a favourable outcome first, then the surest."""
    if len(groups) < 2 or not items.labelled.any():
        return []
    members = groups[least_favoured(items, groups)]
    denied = np.zeros(len(items), dtype=bool)
    if items.has_positive:
        denied = (items.selected == items.adverse) & (items.gold != items.adverse)
    rows = np.flatnonzero(members & (items.badness > 0)).tolist()
    return sorted(rows, key=lambda row: (not denied[row], -items.badness[row], items.examples[row].id))


def _case(
    items: GroupItems, row: int, attribute: Attribute, *, chosen: Literal["random", "worst"], answer: str
) -> Evidence:
    example, confidence = items.examples[row], float(items.answers.confidence[row])
    return Evidence(
        example_id=example.id,
        chosen=chosen,
        shown=(Shown(texts=example.texts, answer=answer, confidence=None if np.isnan(confidence) else confidence),),
        gold=gold_text(example.gold),
        note=_note(items, row),
        content_note=CONTENT_NOTE if _may_hurt(items, row) else "",
        slice={"attribute": attribute.name, "group": str(attribute.values[row])},
    )


def _may_hurt(items: GroupItems, row: int) -> bool:
    if not items.positive.harm or not items.has_positive:
        return items.positive.harm
    return bool(items.selected[row] or items.gold[row])


def _note(items: GroupItems, row: int) -> str:
    if not items.labelled[row]:
        return "the right answer is not known"
    if items.problem is ProblemType.REGRESSION:
        return f"off by {items.badness[row]:.3g}"
    return "right" if items.right[row] else "wrong"
