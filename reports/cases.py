"""Concrete cases: the random ones first, then the worst ones, with what was changed marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from probes.core.records import Evidence, Record, Shown
from probes.text.masking import mask
from reports.limits import Limits, limited
from reports.load import Loaded
from reports.marks import Segment, compared, segments
from reports.numbers import part_in_words
from reports.views import Case, Cases, Fact, Side

Parts = tuple[tuple[Segment, ...], ...]

INTROS = {
    "random": (
        "Examples drawn at random",
        "Drawn by the seed of the audit, not picked. Read these first: they show the ordinary case.",
    ),
    "worst": (
        "Worst examples",
        "Picked because the answer changed or was wrong. They show what can happen, not how often it does.",
    ),
}


CLOSED = "Texts under a content note may hurt a reader; each opens on request."


def masked_cases(loaded: Loaded) -> Loaded:
    """The run with the offensive words in the texts of its cases masked.

    Everything else is masked as it is printed. These texts are cut into changed and unchanged stretches first, which
    would hide a word that a stretch ends in.
    """
    steps = {
        step_id: replace(step, records=tuple(_masked(record) for record in step.records))
        for step_id, step in loaded.steps.items()
    }
    return replace(loaded, steps=steps)


def _masked(record: Record) -> Record:
    if not isinstance(record, Evidence):
        return record
    shown = tuple(side.model_copy(update={"texts": tuple(mask(text) for text in side.texts)}) for side in record.shown)
    return record.model_copy(update={"shown": shown})


def case_groups(evidence: Sequence[Evidence], *, limits: Limits) -> tuple[Cases, ...]:
    """Random and worst cases; a group without cases is left out."""
    groups = ([e for e in evidence if e.chosen == chosen] for chosen in INTROS)
    return tuple(_group(*INTROS[group[0].chosen], group, limits) for group in groups if group)


def _group(title: str, intro: str, found: Sequence[Evidence], limits: Limits) -> Cases:
    shown, note = limited(found, limits.cases, "examples")
    cases = tuple(_case(evidence, index, limits) for index, evidence in enumerate(shown, start=1))
    closed = CLOSED if any(case.content_note for case in cases) else ""
    return Cases(title=title, intro=intro, cases=cases, note=" ".join(part for part in (closed, note) if part))


def _case(evidence: Evidence, index: int, limits: Limits) -> Case:
    setting = part_in_words(evidence.slice)
    facts = [
        Fact("Right answer", evidence.gold) if evidence.gold is not None else None,
        Fact("Note", evidence.note) if evidence.note else None,
        Fact("Item", evidence.example_id, code=True),
    ]
    return Case(
        heading=f"Example {index}" + (f" ({setting})" if setting else ""),
        sides=_sides(evidence.shown, limits),
        facts=tuple(fact for fact in facts if fact is not None),
        content_note=evidence.content_note,
    )


def _sides(shown: Sequence[Shown], limits: Limits) -> tuple[Side, ...]:
    if len(shown) == 1:
        parts = tuple(segments(text, cap=limits.text) for text in shown[0].texts)
        return (Side(heading="Text", parts=parts, answer=_answer(shown[0])),)
    before, after = _compared_parts(shown[0].texts, shown[1].texts, limits)
    return (
        Side(heading="Before", parts=before, answer=_answer(shown[0])),
        Side(heading="After", parts=after, answer=_answer(shown[1])),
    )


def _compared_parts(before: Sequence[str], after: Sequence[str], limits: Limits) -> tuple[Parts, Parts]:
    pairs = [compared(left, right, cap=limits.text) for left, right in zip_longest(before, after, fillvalue="")]
    return tuple(left for left, _ in pairs), tuple(right for _, right in pairs)


def _answer(shown: Shown) -> str:
    if shown.confidence is None:
        return shown.answer
    return f"{shown.answer} (confidence {100 * shown.confidence:.0f}%)"
