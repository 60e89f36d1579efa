"""What happens when a word is put into held-out texts, or taken out of them, compared with control words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from probes.core.answers import Bools, Classifications, Floats, Ints, ProblemType, changed
from probes.core.examples import Text
from probes.core.model import Classifier
from probes.core.records import Estimate, SkipReason
from probes.core.stats import mean
from probes.core.stats.derived import FEW, UnmeasurableError
from probes.core.words import Span, without, word
from probes.explanation.shortcuts.candidates import Candidate
from probes.explanation.shortcuts.held import Held

Place = Literal["start", "end"]


@dataclass(frozen=True, kw_only=True)
class Effects:
    """What a word did to m items, over control words.

    Attributes:
        rows: (m,) positions among the held-out items.
        moved: (m,) change of the probability of the label: upwards by insertion, downwards by deletion.
        flipped: (m,) share of answers that gained (by insertion) or lost (by deletion) the label.
        answers: (m,) to the items with the word put in or taken out.
        clusters: (m,).
    """

    rows: Ints
    moved: Floats
    flipped: Floats
    answers: Classifications
    clusters: Sequence[str]

    @property
    def enough(self) -> bool:
        """Do they rest on FEW independent items."""
        return len(set(self.clusters)) >= FEW

    def mean(self, values: Floats) -> Estimate:
        """Mean of (m,) values.

        Raises:
            UnmeasurableError: for fewer than FEW independent items.
        """
        if not self.enough:
            found = len(set(self.clusters))
            raise UnmeasurableError(SkipReason.TOO_FEW, f"It rests on {found} independent items; {FEW} are needed.")
        return mean(values, clusters=self.clusters, limits=(-1.0, 1.0))


def place(held: Held, row: int) -> Place:
    """Where a word goes in an item: every other one, in the order in which they are tried, gets it at the end."""
    return "end" if held.order[row] % 2 else "start"


def inserted(text: Text, added: str, place: Place) -> Text:
    """The text with a word before or after it; of a pair the first text, because a claim must stay what it is."""
    if not isinstance(text, str):
        return str(inserted(text[0], added, place)), text[1]
    return f"{added} {text}" if place == "start" else f"{text} {added}"


def insertions(model: Classifier, held: Held, candidates: Sequence[Candidate], *, limit: int) -> list[Effects]:
    """Each candidate put into at most `limit` items that lack it and have another answer; asked in one bulk.

    At the start or at the end, by item, and each of its control words likewise; the effect is over their mean.
    """
    rows = [
        held.first(~held.holding(each.word) & ~held.answered(each.label) & held.read, limit=limit)
        for each in candidates
    ]
    texts = [
        inserted(held.text(row), added, place(held, row))
        for each, chosen in zip(candidates, rows, strict=True)
        for row in chosen
        for added in (each.spelling, *each.controls)
    ]
    answers = _asked(model, held, texts)
    found, start = [], 0
    for each, chosen in zip(candidates, rows, strict=True):
        shape = (len(chosen), 1 + len(each.controls))
        part = answers[start : start + int(np.prod(shape))]
        start += len(part)
        column, before = held.column(each.label), held.items.answers[np.repeat(chosen, shape[1])]
        gained = turned(before, part, column).reshape(shape).astype(np.float64)
        scores = part.scores[:, column].reshape(shape)
        own = part[np.arange(len(chosen)) * shape[1]]
        found.append(_effects(held, chosen, own, moved=_over_control(scores), flipped=_over_control(gained)))
    return found


def deletions(
    model: Classifier, held: Held, candidates: Sequence[Candidate], *, quiet: frozenset[str], limit: int
) -> list[Effects]:
    """Each candidate taken out of at most `limit` items that hold it and have its answer; asked in one bulk.

    As control as many quiet words are taken out of the same item, those nearest in length; items without so many are
    left out.
    """
    plans: list[list[tuple[int, Text, Text]]] = []
    for each in candidates:
        rows = held.first(held.holding(each.word) & held.answered(each.label), limit=limit)
        made = ((int(row), taken_out(held, int(row), each, quiet=quiet)) for row in rows)
        plans.append([(row, *texts) for row, texts in made if texts])
    answers = _asked(model, held, [text for plan in plans for _, *texts in plan for text in texts])
    found, start = [], 0
    for each, plan in zip(candidates, plans, strict=True):
        part = answers[start : start + 2 * len(plan)]
        start += len(part)
        chosen, column = np.array([row for row, *_ in plan], dtype=np.int64), held.column(each.label)
        scores = part.scores[:, column].reshape(-1, 2)
        lost = turned(part, held.items.answers[np.repeat(chosen, 2)], column).reshape(-1, 2).astype(np.float64)
        own, moved, flipped = part[np.arange(len(chosen)) * 2], scores[:, 1] - scores[:, 0], lost[:, 0] - lost[:, 1]
        found.append(_effects(held, chosen, own, moved=moved, flipped=flipped))
    return found


def taken_out(held: Held, row: int, candidate: Candidate, *, quiet: frozenset[str]) -> tuple[Text, Text] | None:
    """The item without the candidate, and without as many quiet words; None where it has too few of them."""
    attribution, found = held.items.attributions[row], held.names[row]
    own = {span for span, name in zip(attribution.words, found, strict=True) if name == candidate.word}
    others = [span for span, name in zip(attribution.words, found, strict=True) if name in quiet]
    if len(others) < len(own):
        return None

    def distance(span: Span) -> tuple[int, Span]:
        return abs(len(word(attribution.text, span)) - len(candidate.spelling)), span

    nearest = set(sorted(others, key=distance)[: len(own)])
    return without(attribution.text, own), without(attribution.text, nearest)


def turned(before: Classifications, after: Classifications, column: int) -> Bools:
    """(n,): did the answer gain the label in this column, by more than numerical noise."""
    gained = ~before.chosen[:, column] & after.chosen[:, column]
    if before.problem is ProblemType.MULTI_LABEL:
        before, after = (_single(each, column) for each in (before, after))
    return np.asarray(gained & changed(before, after))


def _single(answers: Classifications, column: int) -> Classifications:
    """This label alone, so that a change of another one does not count."""
    return Classifications(
        logits=answers.logits[:, [column]],
        labels=(answers.labels[column],),
        problem=answers.problem,
        tolerance=answers.tolerance,
    )


def _over_control(values: Floats) -> Floats:
    """(m,) first column of (m, 1 + controls) minus the mean of the others."""
    return np.asarray(values[:, 0] - values[:, 1:].mean(axis=1))


def _asked(model: Classifier, held: Held, texts: Sequence[Text]) -> Classifications:
    return model.classify(texts) if texts else held.items.answers[np.zeros(0, dtype=np.int64)]


def _effects(held: Held, rows: Ints, answers: Classifications, *, moved: Floats, flipped: Floats) -> Effects:
    """Without the items of which an answer was not finite."""
    finite = np.isfinite(moved)
    kept = rows[finite]
    return Effects(
        rows=kept,
        moved=moved[finite],
        flipped=flipped[finite],
        answers=answers[finite],
        clusters=[held.items.clusters[row] for row in kept],
    )
