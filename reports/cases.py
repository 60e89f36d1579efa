"""Concrete cases: the random ones first, then the worst ones, with what was changed marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from probes.core.records import Evidence, Shown
from reports.chapter_views import Case, Cases, Side
from reports.heat import largest, strips, weights_table
from reports.limits import Limits, limited
from reports.marks import Segment, compared, segments
from reports.numbers import part_in_words
from reports.views import Fact

Parts = tuple[tuple[Segment, ...], ...]

INTROS = {
    "random": (
        "Examples drawn at random",
        "Drawn by the seed of the audit, not picked. Read these first: they show the ordinary case.",
    ),
    "worst": (
        "Worst examples",
        "Picked because the answer changed, was wrong or stands out. They show what can happen, not how often it does.",
    ),
}


EXPLAINED = (
    "Examples picked for what they show",
    "Picked by rule, not drawn: the heading or the note says why. They show what can happen, not how often it does.",
)
"""Instead of the worst, where answers are explained: a right answer may be shown for its reasons."""

CHANGED, ALIKE = ("Before", "After"), ("First text", "Second text")
"""Headings of the two texts of a case."""

_MORE = 3
"""How many times the usual number of examples is shown, at most, so that each part of the data has one."""

CLOSED = "Texts under a content note may hurt a reader; each opens on request."


def case_groups(evidence: Sequence[Evidence], *, limits: Limits, alike: bool = False) -> tuple[Cases, ...]:
    """Random and worst cases; a group without cases is left out.

    Args:
        alike: of two texts none is the other one changed: both were written for the test, or stand in the data.
    """
    groups = ([e for e in evidence if e.chosen == chosen] for chosen in INTROS)
    headings = ALIKE if alike else CHANGED
    made = [_group(group, limits, headings) for group in groups if group]
    first = next((place for place, group in enumerate(made) if group.explained), None)
    return tuple(replace(group, explained=place == first) for place, group in enumerate(made))


def _group(found: Sequence[Evidence], limits: Limits, headings: tuple[str, str]) -> Cases:
    shown, note = _limited(found, limits)
    explained = any(side.words for evidence in found for side in evidence.shown)
    chosen = found[0].chosen
    title, intro = EXPLAINED if explained and chosen == "worst" else INTROS[chosen]
    cases = tuple(_case(evidence, index, limits, headings) for index, evidence in enumerate(shown, start=1))
    closed = CLOSED if any(case.content_note for case in cases) else ""
    notes = " ".join(part for part in (closed, note) if part)
    return Cases(title=title, intro=intro, cases=cases, note=notes, explained=explained)


def _limited(found: Sequence[Evidence], limits: Limits) -> tuple[list[Evidence], str]:
    """As many of each kind of case as may be shown, in the order of the record, and a note on the rest."""
    kinds: dict[str, list[int]] = {}
    for place, evidence in enumerate(found):
        kinds.setdefault(evidence.slice.get("kind", ""), []).append(place)
    places = sorted(place for members in kinds.values() for place in _picked(found, members, limits))
    return [found[place] for place in places], limited(found, len(places), "examples")[1]


def _picked(found: Sequence[Evidence], places: Sequence[int], limits: Limits) -> list[int]:
    """The first of each part of the data before the second of any; where there are many parts, a few cases more."""
    parts = _parts([found[place] for place in places])
    seen: Counter[str] = Counter()
    turns = []
    for place, part in zip(places, parts, strict=True):
        turns.append((seen[part], place))
        seen[part] += 1
    room = max(limits.cases, min(len(seen), _MORE * limits.cases))
    return [place for _, place in sorted(turns)[:room]]


def _parts(found: Sequence[Evidence]) -> list[str]:
    """The part each case is of, by the first setting in which they differ."""
    keys = dict.fromkeys(key for evidence in found for key in evidence.slice)
    columns = ([evidence.slice.get(key, "") for evidence in found] for key in keys)
    return next((column for column in columns if len(set(column)) > 1), [""] * len(found))


def _case(evidence: Evidence, index: int, limits: Limits, headings: tuple[str, str]) -> Case:
    setting = part_in_words(evidence.slice)
    facts = [
        Fact("Right answer", evidence.gold) if evidence.gold is not None else None,
        Fact("Note", evidence.note) if evidence.note else None,
        Fact("Item", evidence.example_id, code=True),
    ]
    return Case(
        heading=f"Example {index}" + (f" ({setting})" if setting else ""),
        sides=_sides(evidence.shown, limits, headings),
        facts=tuple(fact for fact in facts if fact is not None),
        content_note=evidence.content_note,
    )


def _sides(shown: Sequence[Shown], limits: Limits, headings: tuple[str, str]) -> tuple[Side, ...]:
    most = largest(shown)
    if len(shown) == 1:
        side = shown[0]
        parts = tuple(segments(text, cap=limits.text) for text in side.texts)
        shaded = strips(side, most=most, limits=limits) if side.words else parts
        return (_side("Text", side, shaded),)
    before, after = _compared_parts(shown[0].texts, shown[1].texts, limits)
    return tuple(
        _side(heading, side, parts, strips(side, most=most, limits=limits) if side.words else ())
        for heading, side, parts in zip(headings, shown, (before, after), strict=True)
    )


def _side(heading: str, shown: Shown, parts: Parts, strips: Parts = ()) -> Side:
    table = weights_table(shown, heading=heading) if shown.words else None
    return Side(heading=heading, parts=parts, answer=_answer(shown), strips=strips, weights=table)


def _compared_parts(before: Sequence[str], after: Sequence[str], limits: Limits) -> tuple[Parts, Parts]:
    pairs = [compared(left, right, cap=limits.text) for left, right in zip_longest(before, after, fillvalue="")]
    return tuple(left for left, _ in pairs), tuple(right for _, right in pairs)


def _answer(shown: Shown) -> str:
    if shown.confidence is None:
        return shown.answer
    return f"{shown.answer} (confidence {100 * shown.confidence:.0f}%)"
