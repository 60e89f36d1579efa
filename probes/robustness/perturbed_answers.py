"""What a perturbation of the question, and one of the context, does to the answers, at each severity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from probes.core.answered import accepted
from probes.core.counts import plural
from probes.core.examples import Example
from probes.core.model import Reader
from probes.core.probe import Context
from probes.core.readings import Answers, question_and_context
from probes.core.records import Accounting, Curve, Outcomes, Record
from probes.core.rng import rng
from probes.core.stats import rate
from probes.robustness.by_severity import nothing, severity_curve
from probes.text.answer_trials import (
    AnswerTrials,
    Changed,
    Slice,
    ask_changed,
    cases,
    flip_rate,
    outcomes,
    quality,
    ungraded,
    worst,
)
from probes.text.perturbations.perturbation import Family, Perturbation
from probes.text.trials import random_rows
from probes.text.variants import valid, variant_around

PARTS = ("question", "context")


@dataclass(slots=True)
class _Made:
    """What became of the items in one slice."""

    changes: list[Changed] = field(default_factory=list)
    touched: list[int] = field(default_factory=list)
    """Items that came out changed, valid or not."""
    unshielded: int = 0
    unknown: int = 0
    """Contexts left alone because it is not known what in them is the answer."""


def measure_answers(
    model: Reader, data: Sequence[Example], ctx: Context, perturbation: Perturbation, *, severities: Sequence[int]
) -> Iterator[Record | Outcomes]:
    """Measure each part at every severity, then all severities of it together, then both parts together."""
    parts = PARTS[1:] if perturbation.family is Family.CONTEXT else PARTS
    made = {
        (part, severity): _changed(data, perturbation, part=part, severity=severity, seed=ctx.seed)
        for part in parts
        for severity in severities
    }
    trials = ask_changed(model, data, [change for each in made.values() for change in each.changes])
    for (part, severity), each in made.items():
        yield _accounting(len(data), each, trials.of(_slice(part, severity)), _slice(part, severity))
    if not len(trials):
        yield nothing([item for each in made.values() for item in each.touched])
        return
    for part in parts:
        yield from _measured(trials.of({"part": part}), part, made, severities)
    for severity in severities:
        both = trials.of({"severity": str(severity)})
        if len(both):
            yield flip_rate(both, {"severity": str(severity)})
    yield flip_rate(trials, {})
    yield from ungraded(trials)
    random = random_rows(trials, count=ctx.random_cases, rng=ctx.rng("evidence"))
    yield from cases(trials, random, chosen="random")
    yield from cases(trials, worst(trials, count=ctx.worst_cases), chosen="worst")
    yield outcomes(trials)


def _slice(part: str, severity: int) -> Slice:
    return {"part": part, "severity": str(severity)}


def _changed(data: Sequence[Example], perturbation: Perturbation, *, part: str, severity: int, seed: int) -> _Made:
    made = _Made()
    for item, example in enumerate(data):
        pair = question_and_context(example.text)
        place = PARTS.index(part)
        if place and example.gold is None and perturbation.family is not Family.CONTEXT:
            made.unknown += 1
            continue
        # Of a question it is not known which words matter; of a context the accepted answers keep every letter.
        kept = accepted(example.gold) if place and example.gold is not None else ()
        draws = rng(seed, perturbation.name, example.id, place)
        text = variant_around(pair[place], kept, perturbation, severity=severity, draws=draws)
        if text == pair[place]:
            continue
        made.touched.append(item)
        if text is None:
            made.unshielded += 1
        elif valid(pair[place], text, family=perturbation.family):
            changed = (text, pair[1]) if place == 0 else (pair[0], text)
            made.changes.append(Changed(item=item, text=changed, part=_slice(part, severity), severity=severity))
    return made


def _accounting(eligible: int, made: _Made, rows: AnswerTrials[Answers], part: Slice) -> Accounting:
    unlabelled = int((~rows.labelled).sum())
    rejected = len(made.touched) - len(made.changes) - made.unshielded
    notes = (
        (rejected, f"{rejected} changed texts came out blank or of another length and were left out"),
        (made.unshielded, f"{made.unshielded} contexts could not be changed without touching the answer"),
        (made.unknown, f"{made.unknown} contexts were left alone, because their answers are not known"),
        (unlabelled, f"{plural(unlabelled, 'item')} without accepted answers, for changed answers only"),
    )
    return Accounting(
        eligible=eligible,
        perturbed=len(made.touched),
        kept=len(made.changes),
        scored=len(rows),
        tied=int(rows.tied.sum()),
        note="; ".join(note for count, note in notes if count),
        slice=part,
    )


def _measured(
    rows: AnswerTrials[Answers], part: str, made: Mapping[tuple[str, int], _Made], severities: Sequence[int]
) -> Iterator[Record]:
    if not len(rows):
        items = [item for severity in severities for item in made[part, severity].touched]
        yield nothing(items, name="flip_rate", part={"part": part})
        return
    for severity in severities:
        here = _slice(part, severity)
        own = rows.of(here)
        if len(own):
            yield flip_rate(own, here)
            yield from quality(own, here)
        else:
            yield nothing(made[part, severity].touched, name="flip_rate", part=here)
    yield flip_rate(rows, {"part": part})
    yield _curve(rows, part, severities)


def _curve(rows: AnswerTrials[Answers], part: str, severities: Sequence[int]) -> Curve:
    each = {severity: rows.of(_slice(part, severity)) for severity in severities}
    flips = {severity: rate(own.flipped, clusters=own.clusters) for severity, own in each.items() if len(own)}
    title = f"Changed answers by severity, {part} changed"
    return severity_curve("flip_rate", title, "share of answers that change", flips).model_copy(
        update={"slice": {"part": part}}
    )
