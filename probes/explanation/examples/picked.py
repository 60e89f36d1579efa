"""Which items are worth explaining: an ordinary few, and those from which a reader learns most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from probes.core.answers import Classifications, Floats, ProblemType
from probes.core.examples import Example, Text
from probes.core.labelled import Labelled
from probes.core.model import Classifier
from probes.core.probe import Context
from probes.core.records import Skip, SkipReason

RANDOM = "drawn at random"
RIGHT = "confident and right"
WRONG = "confident and wrong"
BOUNDARY = "near the boundary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is to be explained.

    Attributes:
        kind: what it is a case of.
        note: why this item was chosen.
        source: the item.
        texts: its text, or its text and the changed one.
    """

    kind: str
    note: str
    source: Example
    texts: tuple[Text, ...]


def asked(model: Classifier, data: Iterable[Example]) -> Labelled:
    """All items with their answers, labelled or not, sorted by id; those with an answer that is not finite are left
    out."""
    examples = tuple(sorted(data, key=lambda example: example.id))
    answers = model.classify([example.text for example in examples])
    items = Labelled(examples, answers)
    finite = np.asarray(np.isfinite(answers.logits).all(axis=1))
    return items if finite.all() else items[finite]


def missing(kind: str, reason: SkipReason, detail: str, *, enable: str = "") -> Skip:
    """Why there is no case of a kind."""
    return Skip(reason=reason, detail=detail, enable=enable, name="example", slice={"kind": kind})


def ordinary(items: Labelled, *, each: int, ctx: Context) -> Iterator[Case]:
    """Items drawn at random, whatever the order of the rows."""
    drawn = sorted(range(len(items)), key=lambda row: ctx.rng("drawn", items.examples[row].id).random())
    yield from _of(items, drawn, each=each, kind=RANDOM, notes=["drawn by the seed of the audit"] * len(items))


def extremes(items: Labelled, *, each: int) -> Iterator[Case | Skip]:
    """The most confident right and wrong answers, and those closest to another answer."""
    if items.problem is ProblemType.REGRESSION:
        for kind in (RIGHT, WRONG, BOUNDARY):
            yield missing(kind, SkipReason.WRONG_PROBLEM, "A score has no confidence and no boundary.")
        return
    yield from _confident(items, each=each)
    yield from _near_the_boundary(items, each=each)


def _confident(items: Labelled, *, each: int) -> Iterator[Case | Skip]:
    known = items[np.array([example.gold is not None for example in items.examples], dtype=bool)]
    for kind, right in ((RIGHT, True), (WRONG, False)):
        if not len(known):
            yield missing(
                kind,
                SkipReason.NO_GOLD,
                "No item has a right answer to compare with.",
                enable="name the label column with --label-column",
            )
            continue
        rows = [row for row in _ranked(known, -known.answers.confidence) if known.correct[row] == right]
        if not rows:
            other = "wrong" if right else "right"
            yield missing(kind, SkipReason.UNDEFINED, f"All {len(known)} labelled answers are {other}.")
        said = "right" if right else "wrong"
        notes = [f"among the most confident of the answers that are {said}"] * len(known)
        yield from _of(known, rows, each=each, kind=kind, notes=notes)


def _near_the_boundary(items: Labelled, *, each: int) -> Iterator[Case | Skip]:
    if items.problem is ProblemType.SINGLE_LABEL and len(items.labels) < 2:
        yield missing(BOUNDARY, SkipReason.WRONG_PROBLEM, "There is one label only, so no boundary to another.")
        return
    margins, others = _margins(items.answers)
    notes = [f"among the closest decisions: {other}" for other in others]
    yield from _of(items, _ranked(items, margins), each=each, kind=BOUNDARY, notes=notes)


def _margins(answers: Classifications) -> tuple[Floats, list[str]]:
    """(n,) how close the label that is explained was to the other side, in probability, and that in words."""
    if answers.problem is ProblemType.MULTI_LABEL:
        top = answers.scores.max(axis=1)
        margins = np.abs(top - 0.5)
        names = [answers.labels[index] for index in answers.top]
        return margins, [
            f"“{name}” has a probability of {_points(value)}, and counts from 50%"
            for name, value in zip(names, top, strict=True)
        ]
    order = np.argsort(answers.scores, axis=1, kind="stable")
    rows = np.arange(len(answers))
    margins = answers.scores[rows, order[:, -1]] - answers.scores[rows, order[:, -2]]
    seconds = [answers.labels[index] for index in order[:, -2]]
    return margins, [
        f"“{name}” is {100 * value:.1f} percentage points behind" for name, value in zip(seconds, margins, strict=True)
    ]


def _points(probability: float) -> str:
    return f"{100 * probability:.1f}%"


def _ranked(items: Labelled, values: Floats) -> list[int]:
    """Rows by rising value; equal ones by id."""
    return sorted(range(len(items)), key=lambda row: (values[row], items.examples[row].id))


def _of(items: Labelled, rows: Sequence[int], *, each: int, kind: str, notes: Sequence[str]) -> Iterator[Case]:
    for row in first_of_each(rows, items.clusters)[:each]:
        example = items.examples[row]
        yield Case(kind=kind, note=notes[row], source=example, texts=(example.text,))


def first_of_each(rows: Sequence[int], clusters: Sequence[str]) -> list[int]:
    """The rows without those that belong to a text that an earlier one belongs to."""
    first: dict[str, int] = {}
    for row in rows:
        first.setdefault(clusters[row], row)
    return list(first.values())
