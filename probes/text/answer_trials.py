"""Answers in words before and after a change of what was asked, row by row; the right answers are not touched.

The answers are those of a model that reads a context, or the replies of one that writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Generic, Literal, Protocol, Self, TypeVar

import numpy as np

from probes.core import stats
from probes.core.answer_scores import normalised
from probes.core.answered import accepted, exact_of, f1_of, gold_told, may_abstain, told
from probes.core.answers import Bools, Floats, Ints
from probes.core.examples import Accepted, Example, Text
from probes.core.generations import Decoding
from probes.core.measuring import measured
from probes.core.model import Generator, Reader
from probes.core.readings import Answers
from probes.core.records import Better, Estimate, Evidence, Measurement, Outcomes, Shown, Skip, SkipReason, Unit
from probes.core.replies import Replies, prompt_of
from probes.core.stats.derived import UnmeasurableError
from probes.text.trials import case_note

Slice = dict[str, str]


class Said(Protocol):
    """n answers in words, as far as a comparison looks at them."""

    @property
    def given(self) -> Sequence[str]: ...

    @property
    def tied(self) -> Bools: ...

    @property
    def confidence(self) -> Floats: ...

    def __getitem__(self, rows: Ints, /) -> Self: ...


S = TypeVar("S", bound=Said)


@dataclass(frozen=True, kw_only=True)
class Changed:
    """One changed form of an item: a pair of question and context, or a prompt.

    Attributes:
        item: position in the data.
        part: which slice it belongs to ({"part": "context", "severity": "2"}).
        severity: for the order of cases.
        added: characters [start, end) of what was put into the text and may stand in the answer; empty for nothing.
    """

    item: int
    text: Text
    part: Slice
    severity: int = 0
    added: tuple[int, int] = (0, 0)


@dataclass(frozen=True, kw_only=True)
class AnswerTrials(Generic[S]):
    """Rows of one item and one changed form of it, with the answers to both.

    Attributes:
        examples: (rows,) the items.
        changes: (rows,) what was asked.
        before, after: (rows,) answers to the item itself and to its changed form.
    """

    examples: Sequence[Example]
    changes: Sequence[Changed]
    before: S
    after: S

    def __len__(self) -> int:
        return len(self.changes)

    def where(self, kept: Bools) -> AnswerTrials[S]:
        """The rows picked by a mask."""
        rows = np.flatnonzero(kept)
        return AnswerTrials(
            examples=list(compress(self.examples, kept)),
            changes=list(compress(self.changes, kept)),
            before=self.before[rows],
            after=self.after[rows],
        )

    def of(self, part: Slice) -> AnswerTrials[S]:
        """The rows of a slice."""
        return self.where(np.array([change.part.items() >= part.items() for change in self.changes], dtype=bool))

    @cached_property
    def clusters(self) -> list[str]:
        """(rows,): changed forms of one source are not independent."""
        return [example.cluster for example in self.examples]

    @cached_property
    def labelled(self) -> Bools:
        """(rows,): are the accepted answers known."""
        return np.array([example.gold is not None for example in self.examples], dtype=bool)

    @cached_property
    def tied(self) -> Bools:
        """(rows,): one of the two answers hangs on a margin within numerical noise."""
        return self.before.tied | self.after.tied

    @cached_property
    def flipped(self) -> Bools:
        """(rows,): is the answer another one after normalisation, by more than numerical noise."""
        pairs = zip(self.before.given, self.after.given, strict=True)
        return np.array([normalised(old) != normalised(new) for old, new in pairs], dtype=bool) & ~self.tied

    @cached_property
    def golds(self) -> list[Accepted]:
        """(rows,) accepted answers; only where all are labelled."""
        return [accepted(example.gold) for example in self.examples]

    @cached_property
    def f1(self) -> tuple[Floats, Floats]:
        """(rows,) F1 before and (rows,) after; only where all are labelled."""
        return f1_of(self.before.given, self.golds), f1_of(self.after.given, self.golds)


def ask_changed(model: Reader, data: Sequence[Example], changes: Sequence[Changed]) -> AnswerTrials[Answers]:
    """Ask about all items and all changed forms, in one bulk each."""
    allowed = may_abstain(data)
    clean = model.answer([example.text for example in data]).abstaining(allowed)
    items: Ints = np.array([change.item for change in changes], dtype=np.int64)
    before = clean[items]
    return AnswerTrials(
        examples=[data[item] for item in items.tolist()],
        changes=changes,
        before=before,
        after=model.answer([change.text for change in changes]).abstaining(allowed) if changes else before,
    )


def write_changed(
    model: Generator, data: Sequence[Example], changes: Sequence[Changed], decoding: Decoding
) -> AnswerTrials[Replies]:
    """Have all items and all changed forms replied to, in one bulk each.

    Rows with an empty reply on either side are left out; a caller counts them by comparing with the changes.
    """
    prompts = [change.text if isinstance(change.text, str) else "\n\n".join(change.text) for change in changes]
    clean = Replies(model.generate([prompt_of(example) for example in data], decoding))
    items: Ints = np.array([change.item for change in changes], dtype=np.int64)
    before = clean[items]
    after = Replies(model.generate(prompts, decoding)) if changes else before
    every = AnswerTrials(examples=[data[item] for item in items.tolist()], changes=changes, before=before, after=after)
    return every.where(~(before.empty | after.empty))


def mean_of(values: Floats, *, clusters: Sequence[str], limits: tuple[float, float]) -> Estimate:
    """Mean of (rows,) numbers within `limits`.

    Raises:
        UnmeasurableError: for none, or for a single cluster.
    """
    try:
        return stats.mean(values, clusters=clusters, limits=limits)
    except ValueError as error:
        raise UnmeasurableError(SkipReason.TOO_FEW, f"{error}.") from error


def flip_rate(rows: AnswerTrials[S], part: Slice) -> Measurement:
    """Against the model's own first answer."""
    return Measurement(
        name="flip_rate",
        title="share of answers that change",
        estimate=stats.rate(rows.flipped, clusters=rows.clusters),
        better=Better.LOWER,
        unit=Unit.PROPORTION,
        slice=part,
    )


def quality(rows: AnswerTrials[S], part: Slice) -> Iterator[Measurement | Skip]:
    """Mean F1 after the change, and its loss on the same items; nothing where no accepted answers are known."""
    graded = rows.where(rows.labelled)
    if not len(graded):
        return
    before, after = graded.f1
    yield measured(
        "f1",
        "mean F1 of the answers after the change",
        lambda: mean_of(after, clusters=graded.clusters, limits=(0.0, 1.0)),
        better=Better.HIGHER,
        part=part,
    )
    yield measured(
        "f1_drop",
        "loss of F1 on the same items",
        lambda: mean_of(before - after, clusters=graded.clusters, limits=(-1.0, 1.0)),
        better=Better.LOWER,
        unit=Unit.DIFFERENCE,
        part=part,
    )


def ungraded(trials: AnswerTrials[S]) -> Iterator[Skip]:
    """Why there is no F1, where there is none."""
    if trials.labelled.any():
        return
    for name in ("f1", "f1_drop"):
        yield Skip(
            reason=SkipReason.NO_GOLD,
            detail="The data have no accepted answers, so only changes of the answer are measured.",
            enable="give data with a column of answers",
            name=name,
        )


def worst(trials: AnswerTrials[S], *, count: int) -> list[int]:
    """Changed rows of `count` different items: lowest severity first, then the most confident new answer."""
    rows = sorted(
        np.flatnonzero(trials.flipped).tolist(),
        key=lambda row: (trials.changes[row].severity, -trials.after.confidence[row], trials.examples[row].id),
    )
    first: dict[str, int] = {}
    for row in rows:
        first.setdefault(trials.examples[row].id, row)
    return list(first.values())[:count]


def cases(
    trials: AnswerTrials[S],
    rows: Iterable[int],
    *,
    chosen: Literal["random", "worst"],
    verdict: Callable[[int], str] | None = None,
) -> Iterator[Evidence]:
    """The cases in `rows`, before and after."""
    for row in rows:
        example, change = trials.examples[row], trials.changes[row]
        says = "the answer changes" if trials.flipped[row] else "the answer stays"
        yield Evidence(
            example_id=example.id,
            chosen=chosen,
            shown=(
                _shown(example.text, trials.before, row),
                _shown(change.text, trials.after, row),
            ),
            gold=gold_told(example.gold),
            note=case_note(example.text, change.text, verdict=verdict(row) if verdict else says),
            slice=change.part,
        )


def _shown(text: Text, answers: Said, row: int) -> Shown:
    texts = (text,) if isinstance(text, str) else text
    return Shown(texts=texts, answer=told(answers.given[row]), confidence=float(answers.confidence[row]))


def outcomes(trials: AnswerTrials[S]) -> Outcomes:
    """One row per changed form; right is an exact match."""
    known = trials.labelled.tolist()
    graded = trials.where(trials.labelled)
    right_before, right_after = (exact_of(side.given, graded.golds) for side in (graded.before, graded.after))
    right = iter(right_after.tolist())
    before, after = graded.f1
    lost = right_before.astype(np.float64) - right_after
    scores = {name: iter(column.tolist()) for name, column in (("f1", after), ("f1_drop", before - after))}
    scores["exact_match_drop"] = iter(lost.tolist())
    return Outcomes(
        example_id=[example.id for example in trials.examples],
        cluster=trials.clusters,
        variant=[",".join(f"{name}={value}" for name, value in change.part.items()) for change in trials.changes],
        after=[told(answer) for answer in trials.after.given],
        before=[told(answer) for answer in trials.before.given],
        gold=[gold_told(example.gold) for example in trials.examples],
        correct=[next(right) if each else None for each in known],
        changed=trials.flipped.tolist(),
        score=trials.after.confidence.tolist(),
        values={name: [next(column) if each else None for each in known] for name, column in scores.items()},
    )
