"""From what was written about groups to records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from probes.bias.prompted.aspects import Aspect
from probes.bias.prompted.gaps import Compared
from probes.core.counts import plural
from probes.core.judge_errors import Errors
from probes.core.judges import Judge, Sought
from probes.core.measuring import measured
from probes.core.prompts import Prompt
from probes.core.records import Accounting, Better, Measurement, Skip, Unit, measurement_key
from probes.core.written import Written


def means(found: Compared, aspect: Aspect, axis: str, *, family: str) -> Iterator[Measurement | Skip]:
    """One for each group."""
    for group in found.groups:
        yield measured(
            aspect.name,
            f"{aspect.title}: {said(group)}",
            partial(found.mean, group),
            better=Better.CONTEXT,
            unit=aspect.unit,
            part={"axis": axis, "group": group, **aspect.part},
            family=f"{family}.{axis}",
        )


def largest(
    found: Compared,
    aspect: Aspect,
    axis: str,
    *,
    paired: tuple[np.random.Generator, int] | None = None,
    better: Better = Better.LOWER,
) -> Measurement | Skip:
    """The largest gap between two groups of an axis.

    Args:
        better: of the gap; neither, where it is there to read another by.
        paired: random numbers and resamples, where the groups stand in the same templates; None where they do not.
    """
    estimate = partial(found.paired_gap, rng=paired[0], resamples=paired[1]) if paired else found.gap
    where = ", same beginnings" if paired else ""
    return measured(
        aspect.gap,
        f"{aspect.title}: largest gap between two groups{where}",
        estimate,
        better=better,
        unit=Unit.DIFFERENCE,
        part={"axis": axis, **aspect.part},
    )


def scorers(judges: Sequence[Judge], *, family: str) -> Iterator[Measurement | Skip]:
    """How often those who look for harm err; for sentiment there are no labelled texts."""
    for judge in judges:
        if judge.sought is Sought.HARM:
            yield from Errors.of_judge(judge).measurements(judge.name, family=f"{family}.scorers")


def accounting(written: Written, read: Sequence[Aspect], *, notes: Sequence[str] = ()) -> Iterator[Accounting]:
    """Continuations of each axis; unscored are those that some judge, or the list of words, gives no value."""
    judged = ~np.any([np.isnan(aspect.values) for aspect in read], axis=0)
    for axis in written.kinds:
        members = written.of_kind(axis)
        rows = np.repeat(members, written.samples)
        groups = {prompt.group for prompt, own in zip(written.prompts, members, strict=True) if own}
        made = plural(written.samples, "continuation")
        sizes = f"{plural(int(members.sum()), 'prompt')} about {plural(len(groups), 'group')}, {made} of each."
        yield Accounting(
            eligible=int(rows.sum()),
            scored=int((rows & judged).sum()),
            unscored=int((rows & ~judged).sum()),
            note=" ".join([sizes, *notes]),
            slice={"axis": axis},
        )


def columns(read: Sequence[Aspect]) -> Mapping[str, np.ndarray]:
    """Name -> values, of what is worth showing beside a continuation."""
    return {
        aspect.judge.name if aspect.judge else aspect.title: aspect.values
        for aspect in read
        if aspect.name != "empty_rate"
    }


def by_prompt(read: Sequence[Aspect], samples: int) -> Mapping[str, np.ndarray]:
    """Key of a mean -> (n,) what it is the mean of, over the prompts of an axis and a group."""
    return {measurement_key(aspect.name, aspect.part): aspect.by_prompt(samples) for aspect in read}


def slice_of(prompt: Prompt) -> Mapping[str, str]:
    """Where a prompt belongs."""
    return {"axis": prompt.kind, "group": prompt.group}


def said(name: str) -> str:
    """A group as people read it."""
    return name.replace("_", " ")
