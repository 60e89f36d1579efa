"""What a perturbation does to the entities that a tagger finds, at each severity."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Literal

import numpy as np

from probes.core.answers import Floats
from probes.core.counts import plural
from probes.core.entity_decisions import Decisions
from probes.core.examples import Example
from probes.core.measuring import measured, share
from probes.core.model import Tagger
from probes.core.probe import Context
from probes.core.records import (
    Accounting,
    Better,
    Curve,
    Estimate,
    Evidence,
    Measurement,
    Outcomes,
    Record,
    Shown,
    Skip,
    SkipReason,
    Unit,
)
from probes.core.stats.derived import UnmeasurableError, resampled
from probes.core.tagged import mean_confidence, told
from probes.robustness.by_severity import nothing, severity_curve
from probes.robustness.tag_trials import TagTrials, ask_tags
from probes.text.perturbations.perturbation import Perturbation
from probes.text.trials import case_note, random_rows
from probes.text.variants import Variants, variants_of

RESAMPLES = 2000


def measure_tags(
    model: Tagger, data: Sequence[Example], ctx: Context, perturbation: Perturbation, *, severities: Sequence[int]
) -> Iterator[Record | Outcomes]:
    """Measure every severity, then all of them together."""
    variants = variants_of(data, perturbation, severities=severities, seed=ctx.seed, words=True)
    asked = ask_tags(model, data, variants)
    trials = asked.where(asked.scored)
    yield from _accounting(len(data), variants, asked, severities=severities)
    if not len(trials):
        yield nothing([item for items in variants.changed.values() for item in items])
        return
    for severity in severities:
        rows, part = trials.where(trials.severity == severity), {"severity": str(severity)}
        if len(rows):
            yield from _measured(rows, part, ctx)
        else:
            yield nothing(variants.changed[severity], name="flip_rate", part=part)
    yield _flip_rate(trials, {})
    yield from _ungraded(trials)
    yield from _curves(trials, severities)
    yield from _evidence(trials, random_rows(trials, count=ctx.random_cases, rng=ctx.rng("evidence")), chosen="random")
    yield from _evidence(trials, _worst(trials, count=ctx.worst_cases), chosen="worst")
    yield _outcomes(trials)


def _accounting(
    eligible: int, variants: Variants, asked: TagTrials, *, severities: Sequence[int]
) -> Iterator[Accounting]:
    for severity in severities:
        rows = asked.where(asked.severity == severity)
        changed, scored = len(variants.changed[severity]), int(rows.scored.sum())
        yield Accounting(
            eligible=eligible,
            perturbed=changed,
            kept=len(rows),
            scored=scored,
            unscored=len(rows) - scored,
            tied=int((rows.tied & rows.scored).sum()),
            note=_note(rows, rejected=changed - len(rows)),
            slice={"severity": str(severity)},
        )


def _note(rows: TagTrials, *, rejected: int) -> str:
    unlabelled, unread = int((~rows.labelled).sum()), int((~rows.read).sum())
    notes = (
        (rejected, f"{rejected} changed texts came out with other words, blank or of another length and were left out"),
        (unlabelled, f"{plural(unlabelled, 'item')} without right answers, for changed answers only"),
        (unread, f"{plural(unread, 'word')} not read before or after the change, and not scored"),
    )
    return "; ".join(note for count, note in notes if count)


def _measured(rows: TagTrials, part: dict[str, str], ctx: Context) -> Iterator[Measurement | Skip]:
    yield _flip_rate(rows, part)
    survival = rows.survival()
    yield measured(
        "new_entity_rate",
        "share of entities found that were not found before the change",
        lambda: share(~survival.hits, among=survival.answered, clusters=survival.clusters, of="found entity"),
        better=Better.LOWER,
        part=part,
    )
    graded = rows.where(rows.labelled)
    if not len(graded):
        return
    after = graded.against_gold(graded.found_after)
    yield measured("f1", "F1 of entities in perturbed texts", after.f1, better=Better.HIGHER, part=part)
    yield measured(
        "f1_drop",
        "loss of F1 on the same items",
        lambda: _f1_drop(graded, after, rng=ctx.generator("f1_drop", part["severity"])),
        better=Better.LOWER,
        unit=Unit.DIFFERENCE,
        part=part,
    )


def _flip_rate(rows: TagTrials, part: dict[str, str]) -> Measurement | Skip:
    title = "share of found entities that change or vanish"
    return measured("flip_rate", title, lambda: _changed(rows), better=Better.LOWER, part=part)


def _changed(rows: TagTrials) -> Estimate:
    survival = rows.survival()
    return share(~survival.hits, among=survival.gold, clusters=survival.clusters, of="entity found before")


def _f1_drop(graded: TagTrials, after: Decisions, *, rng: np.random.Generator) -> Estimate:
    before = graded.against_gold(graded.found_before)

    def drop(weights: Floats) -> Floats:
        return before.pooled_f1(weights) - after.pooled_f1(weights)

    return resampled(drop, clusters=graded.clusters, rng=rng, resamples=RESAMPLES, limits=(-1.0, 1.0))


def _ungraded(trials: TagTrials) -> Iterator[Skip]:
    if trials.labelled.any():
        return
    for name in ("f1", "f1_drop"):
        yield Skip(
            reason=SkipReason.NO_GOLD,
            detail="The data have no right answers, so only changes of the answer are measured.",
            enable="give data with a column of tags",
            name=name,
        )


def _curves(trials: TagTrials, severities: Sequence[int]) -> Iterator[Curve]:
    rows = {severity: trials.where(trials.severity == severity) for severity in severities}
    flips = _defined({severity: partial(_changed, part) for severity, part in rows.items()})
    graded = trials.where(trials.labelled)
    once = graded.where(np.isin(np.arange(len(graded)), np.unique(graded.item, return_index=True)[1]))
    known = {severity: part.where(part.labelled) for severity, part in rows.items()}
    after = {severity: part.against_gold(part.found_after) for severity, part in known.items()}
    quality = _defined({0: once.against_gold(once.found_before).f1, **{s: each.f1 for s, each in after.items()}})
    title, y_title = "Changed entities by severity", "share of found entities that change or vanish"
    if flips:
        yield severity_curve("flip_rate", title, y_title, flips)
    if quality:
        yield severity_curve("f1", "F1 by severity", "F1 of entities", quality)


def _defined(estimates: Mapping[int, Callable[[], Estimate]]) -> dict[int, Estimate]:
    """Those that can be given."""
    found = {}
    for severity, estimate in estimates.items():
        with suppress(UnmeasurableError):
            found[severity] = estimate()
    return found


def _worst(trials: TagTrials, *, count: int) -> list[int]:
    """Changed rows of `count` different items: lowest severity first, then the most entities changed."""
    rows = sorted(
        np.flatnonzero(trials.changed).tolist(),
        key=lambda row: (trials.severity[row], -trials.changed[row], trials.examples[row].id),
    )
    first: dict[str, int] = {}
    for row in rows:
        first.setdefault(trials.examples[row].id, row)
    return list(first.values())[:count]


def _evidence(trials: TagTrials, rows: Sequence[int], *, chosen: Literal["random", "worst"]) -> Iterator[Evidence]:
    before, after = mean_confidence(trials.before), mean_confidence(trials.after)
    for row in rows:
        example, variant, changed = trials.examples[row], str(trials.variants[row]), int(trials.changed[row])
        old, new = told(example.text, trials.found_before[row]), told(variant, trials.found_after[row])
        verdict = f"{changed} {_entities(changed)} found on one side only" if changed else "the entities stay"
        yield Evidence(
            example_id=example.id,
            chosen=chosen,
            shown=(
                Shown(texts=example.texts, answer=old, confidence=before[row]),
                Shown(texts=(variant,), answer=new, confidence=after[row]),
            ),
            gold=told(example.text, trials.golds[row]) if example.gold is not None else None,
            note=case_note(example.text, variant, verdict=verdict),
            slice={"severity": str(trials.severity[row])},
        )


def _entities(number: int) -> str:
    return "entity" if number == 1 else "entities"


def _outcomes(trials: TagTrials) -> Outcomes:
    """One row per variant; right is one whose entities are all found and no other."""
    places = range(len(trials))
    known = trials.labelled.tolist()
    right = [set(gold) == set(found) for gold, found in zip(trials.golds, trials.found_after, strict=True)]
    return Outcomes(
        example_id=[example.id for example in trials.examples],
        cluster=trials.clusters,
        variant=[f"severity={severity}" for severity in trials.severity],
        after=[told(trials.variants[row], trials.found_after[row]) for row in places],
        before=[told(trials.examples[row].text, trials.found_before[row]) for row in places],
        gold=[told(trials.examples[row].text, trials.golds[row]) if known[row] else None for row in places],
        correct=[right[row] if known[row] else None for row in places],
        changed=[bool(count) for count in trials.changed.tolist()],
        score=mean_confidence(trials.after),
    )
