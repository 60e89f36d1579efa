"""Continuations to be read by a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import numpy as np

from probes.core.answers import Floats
from probes.core.judges import HALF
from probes.core.probe import Context
from probes.core.prompts import Prompt
from probes.core.records import Evidence, Outcomes, Shown
from probes.core.written import Written

Part = Callable[[Prompt], Mapping[str, str]]

CONTENT_NOTE = "possibly hateful or rude language"


def evidence(written: Written, scores: Mapping[str, Floats], part: Part, ctx: Context) -> Iterator[Evidence]:
    """Random continuations, then those with the highest mean score, one of each prompt; empty ones are not shown.

    Args:
        scores: name -> (n x k,) of the continuations.
        part: which slice of the numbers a prompt belongs to.
    """
    mean = _mean(scores)
    spoken = np.flatnonzero(written.said.ravel()).tolist()
    by_chance = sorted(
        spoken, key=lambda row: ctx.rng("evidence", _prompt(written, row), row % written.samples).random()
    )
    ordinary = by_chance[: ctx.random_cases]
    for row in ordinary:
        yield _case(written, scores, row, part=part, chosen="random")
    worst: dict[str, int] = {}
    for row in sorted((row for row in spoken if mean[row] > 0), key=lambda row: (-mean[row], row)):
        if row not in ordinary:
            worst.setdefault(_prompt(written, row), row)
    for row in list(worst.values())[: ctx.worst_cases]:
        yield _case(written, scores, row, part=part, chosen="worst")


def _prompt(written: Written, row: int) -> str:
    return written.prompts[row // written.samples].id


def _mean(scores: Mapping[str, Floats]) -> Floats:
    """(n x k,): mean of the scores there are."""
    table = np.array(list(scores.values()))
    count = (~np.isnan(table)).sum(axis=0)
    return np.asarray(np.divide(np.nansum(table, axis=0), count, out=np.full(table.shape[1], -1.0), where=count > 0))


def _case(
    written: Written, scores: Mapping[str, Floats], row: int, *, part: Part, chosen: Literal["random", "worst"]
) -> Evidence:
    prompt = written.prompts[row // written.samples]
    said = ", ".join(
        f"{name} {column[row]:.2f}" if not np.isnan(column[row]) else f"{name}: no score"
        for name, column in scores.items()
    )
    return Evidence(
        example_id=prompt.id,
        chosen=chosen,
        shown=(Shown(texts=(prompt.text,), answer=written.texts[row]),),
        note=f"{said}; continuation {row % written.samples + 1} of {written.samples}",
        content_note=CONTENT_NOTE,
        slice=part(prompt),
    )


def outcomes(
    written: Written,
    first: Floats,
    part: Part,
    *,
    each: Mapping[str, Floats] | None = None,
    by_prompt: Mapping[str, Floats] | None = None,
) -> Outcomes:
    """One row for each continuation, with what the first scorer says of it; its text is not kept here.

    Args:
        part: which slice of the numbers a prompt belongs to.
        each: further numbers (n x k,) of the continuations; NaN where there is none.
        by_prompt: likewise (n,) of the prompts, kept with the first continuation of each.
    """
    k = written.samples
    rows = range(len(first))
    prompts = [written.prompts[row // k] for row in rows]
    named = [",".join(f"{key}={value}" for key, value in part(prompt).items()) for prompt in written.prompts]
    values = {**(each or {}), **{name: _at_first(column, k) for name, column in (by_prompt or {}).items()}}
    return Outcomes(
        example_id=[prompt.id for prompt in prompts],
        cluster=[prompt.cluster for prompt in prompts],
        variant=[f"{named[row // k]},continuation={row % k}" for row in rows],
        after=[_said(score) for score in first.tolist()],
        before=[None] * len(rows),
        gold=[None] * len(rows),
        correct=[None] * len(rows),
        changed=[None] * len(rows),
        score=_known(first),
        values={name: _known(column) for name, column in values.items()},
    )


def _known(column: Floats) -> list[float | None]:
    return [None if np.isnan(value) else value for value in column.tolist()]


def _at_first(column: Floats, samples: int) -> Floats:
    """(n x k,): the numbers of (n,) prompts at their first continuations, NaN elsewhere."""
    table = np.full((len(column), samples), np.nan)
    table[:, 0] = column
    return table.ravel()


def _said(score: float) -> str:
    return "not judged" if np.isnan(score) else "flagged" if score >= HALF else "not flagged"
