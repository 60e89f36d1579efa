"""Single attacks as they are published: texts before and after, and rows that later runs are paired with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import TypeVar

import numpy as np

from probes.core.answers import Bools, Floats
from probes.core.probe import Context
from probes.core.records import Evidence, Outcomes, Shown
from probes.robustness.adversarial.attacks import DOUBT, Attacks
from probes.robustness.adversarial.parts import Outcome
from probes.text.trials import case_note

T = TypeVar("T")
Numbers = list[float | None]

VERDICTS = {
    Outcome.BROKEN: "the goal is reached",
    Outcome.HELD: "the goal is not reached; this is as near as the search came",
}


def cases(every: Sequence[Attacks], ctx: Context) -> Iterator[Evidence]:
    """Of each recipe random attacks; then all that reached the goal, those with the fewest changes first."""
    drawn = [_drawn(attacks, ctx) for attacks in every]
    yield from _in_turn(every, drawn, chosen="random")
    ranked = [_ranked(attacks, left_out=rows) for attacks, rows in zip(every, drawn, strict=True)]
    yield from _in_turn(every, ranked, chosen="worst")


def _in_turn(every: Sequence[Attacks], rows: Sequence[Sequence[int]], *, chosen: str) -> Iterator[Evidence]:
    """The first of each recipe before the second of any, because a report shows the first few."""
    for places in zip_longest(*rows):
        for attacks, place in zip(every, places, strict=True):
            if place is not None:
                yield _case(attacks, place, chosen=chosen)


def _drawn(attacks: Attacks, ctx: Context) -> list[int]:
    rows = np.flatnonzero(attacks.attacked).tolist()
    drawn = sorted(rows, key=lambda row: ctx.rng("evidence", attacks.recipe, attacks.examples[row].id).random())
    return drawn[: ctx.random_cases]


def _ranked(attacks: Attacks, *, left_out: Sequence[int]) -> list[int]:
    rows = [row for row in np.flatnonzero(attacks.broken).tolist() if row not in left_out]
    return sorted(rows, key=lambda row: (attacks.words_changed[row], attacks.queries[row], attacks.examples[row].id))


def _sides(attacks: Attacks, row: int) -> tuple[Shown, Shown]:
    """The text and what it became, with the answers."""
    return (
        attacks.before.shown(row, attacks.examples[row].text),
        attacks.after.shown(row, attacks.attempts[row].changed),
    )


def _case(attacks: Attacks, row: int, *, chosen: str) -> Evidence:
    example, attempt = attacks.examples[row], attacks.attempts[row]
    said = [
        VERDICTS[attempt.outcome],
        f"{attempt.queries} queries",
        f"{attacks.words_changed[row]:.0%} of the words changed",
        *(_noted(name, value) for name, value in sorted(attempt.notes.items()) if value or not name.startswith(DOUBT)),
    ]
    return Evidence(
        example_id=example.id,
        chosen="random" if chosen == "random" else "worst",
        shown=_sides(attacks, row),
        gold=attacks.subject.golds[row],
        note=case_note(example.text, attempt.changed, verdict="; ".join(said)),
        slice=attacks.part,
    )


def _noted(name: str, value: float) -> str:
    """What a constraint found, in words; a doubt is there or not."""
    return f"doubtful ({name.removeprefix(DOUBT)})" if name.startswith(DOUBT) else f"{name} {value:.2f}"


def outcomes(every: Sequence[Attacks]) -> Outcomes:
    """One row for each item and recipe; those of one recipe also hold what became of the item in all."""

    def rows(column: Callable[[Attacks], Sequence[T]]) -> list[T]:
        return [value for attacks in every for value in column(attacks)]

    return Outcomes(
        example_id=rows(lambda attacks: [example.id for example in attacks.examples]),
        cluster=rows(lambda attacks: attacks.clusters),
        variant=rows(lambda attacks: [f"recipe={attacks.recipe}"] * len(attacks)),
        after=rows(lambda attacks: attacks.after.names),
        before=rows(lambda attacks: attacks.before.names),
        gold=rows(lambda attacks: attacks.subject.golds),
        correct=rows(lambda attacks: _marks(attacks.right_after, attacks.known)),
        changed=rows(lambda attacks: _marks(attacks.broken & attacks.breaks, attacks.attacked)),
        score=rows(lambda attacks: _numbers(attacks.after.scores, np.isfinite(attacks.after.scores))),
        values={
            "attack_success_rate": rows(lambda attacks: _numbers(attacks.broken, attacks.attacked)),
            "accuracy_under_attack": rows(lambda attacks: _numbers(attacks.right_after, attacks.known)),
            "accuracy_drop": rows(lambda attacks: _numbers(_lost(attacks, attacks.right_after), attacks.known)),
            "undoubted_success_rate": rows(
                lambda attacks: _numbers(attacks.broken & ~attacks.doubtful, attacks.attacked & attacks.doubts)
            ),
            "few_words_success_rate": rows(
                lambda attacks: _numbers(attacks.lightly_broken, attacks.attacked & attacks.breaks)
            ),
            "cut_short": rows(lambda attacks: _numbers(attacks.out_of_budget, attacks.attacked)),
            "similarity": rows(
                lambda attacks: _numbers(attacks.similarity, attacks.broken & np.isfinite(attacks.similarity))
            ),
            "mean_queries": rows(lambda attacks: _numbers(attacks.queries, attacks.attacked)),
            "words_changed": rows(lambda attacks: _numbers(attacks.words_changed, attacks.broken)),
            "any_success_rate": _once(every, lambda attacked, held, first: _numbers(~held, attacked)),
            "worst_accuracy": _once(every, lambda _, held, first: _numbers(first.right_before & held, first.known)),
            "worst_accuracy_drop": _once(
                every, lambda _, held, first: _numbers(_lost(first, first.right_before & held), first.known)
            ),
        },
    )


def _lost(attacks: Attacks, right_after: Bools) -> Floats:
    """(n,): 1 where an answer was right and is no longer."""
    return attacks.right_before.astype(np.float64) - right_after


def _once(every: Sequence[Attacks], column: Callable[[Bools, Bools, Attacks], Numbers]) -> Numbers:
    """A column about what all recipes that break answers came to, in the rows of the first of them; else None.

    Args:
        column: is told (n,) which items were attacked by some, which held against all, and the first recipe.
    """
    breaking = [attacks for attacks in every if attacks.breaks]
    if not breaking:
        return [None] * sum(map(len, every))
    attacked = np.any([attacks.attacked for attacks in breaking], axis=0)
    held = ~np.any([attacks.broken for attacks in breaking], axis=0)
    found = column(attacked, held, breaking[0])
    nothing: Numbers = [None] * len(found)
    return [value for attacks in every for value in (found if attacks is breaking[0] else nothing)]


def _marks(values: Bools, members: Bools) -> list[bool | None]:
    return [bool(value) if member else None for value, member in zip(values, members, strict=True)]


def _numbers(values: Bools | Floats, members: Bools) -> Numbers:
    return [float(value) if member else None for value, member in zip(values, members, strict=True)]
