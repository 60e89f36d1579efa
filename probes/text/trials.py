"""Answers before and after perturbation, row by row, and what a probe publishes of single rows."""

from __future__ import annotations

import random
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np

from probes.core.answers import Bools, Classifications, Floats, Ints, ProblemType, changed, correct
from probes.core.examples import Example, Gold, Text
from probes.core.labelled import gold_text
from probes.core.model import Classifier
from probes.core.records import Evidence, Outcomes, Shown
from probes.text.variants import Variants

STEP = 0.5
"""How far a regression's answer must move to count as changed, in standard deviations of the clean scores."""


@dataclass(frozen=True, kw_only=True)
class Trials:
    """Rows of one item and one variant of it, with the answer to each.

    Attributes:
        examples: (rows,) the items.
        item: (rows,) their positions in the data.
        severity, source: (rows,) how strongly, and by which perturbation (position in the list asked), the text was
            changed.
        variants: (rows,) the changed texts.
        before, after: (rows,) answers to the text itself and to the variant.
        step: how far the answer of a regression must move to count as changed.
    """

    examples: Sequence[Example]
    item: Ints
    severity: Ints
    source: Ints
    variants: Sequence[Text]
    before: Classifications
    after: Classifications
    step: float

    def __len__(self) -> int:
        return len(self.item)

    def where(self, rows: Bools | Ints) -> Trials:
        """The rows picked by a mask or by positions."""
        positions = np.flatnonzero(rows) if rows.dtype == bool else rows
        return Trials(
            examples=[self.examples[row] for row in positions],
            item=self.item[positions],
            severity=self.severity[positions],
            source=self.source[positions],
            variants=[self.variants[row] for row in positions],
            before=self.before[positions],
            after=self.after[positions],
            step=self.step,
        )

    @cached_property
    def clusters(self) -> list[str]:
        """(rows,): variants of one source text are not independent."""
        return [example.cluster for example in self.examples]

    @cached_property
    def flipped(self) -> Bools:
        """(rows,): did the answer change by more than numerical noise, or `step`."""
        return changed(self.before, self.after, step=self.step)

    @cached_property
    def tied(self) -> Bools:
        """(rows,): one of the two answers hangs on a margin within numerical noise."""
        return self.before.tied | self.after.tied

    @cached_property
    def shift(self) -> Floats:
        """(rows,): change of the probability of the answer first given (multi-label: mean over the labels, each for
        the side it was on); of the value itself for a regression.
        """
        moved = self.after.scores - self.before.scores
        if self.before.problem is ProblemType.SINGLE_LABEL:
            return np.asarray(np.where(self.before.chosen, moved, 0).sum(axis=1))
        if self.before.problem is ProblemType.MULTI_LABEL:
            return np.asarray(np.where(self.before.chosen, moved, -moved).mean(axis=1))
        return moved[:, 0]

    @cached_property
    def labelled(self) -> Bools:
        """(rows,): is the right answer known."""
        return np.array([example.gold is not None for example in self.examples], dtype=bool)

    @cached_property
    def golds(self) -> list[Gold]:
        """(rows,) right answers, None where not known."""
        return [example.gold for example in self.examples]

    @cached_property
    def right_before(self) -> Bools:
        """(rows,): is the answer to the text itself right; False where that is unknown, or undefined (regression)."""
        return self._right(self.before)

    @cached_property
    def right_after(self) -> Bools:
        """(rows,): is the answer to the variant right; False where that is unknown, or undefined (regression)."""
        return self._right(self.after)

    def _right(self, answers: Classifications) -> Bools:
        right = np.zeros(len(self), dtype=bool)
        if self.labelled.any() and answers.problem is not ProblemType.REGRESSION:
            golds = [gold for gold in self.golds if gold is not None]
            right[self.labelled] = correct(answers[self.labelled], golds)
        return right


def ask(model: Classifier, data: Sequence[Example], batches: Sequence[Variants]) -> Trials:
    """Ask for the answers to all texts and all variants, in one bulk each.

    Rows whose answer is not finite on either side are left out; a caller counts them by comparing with the variants.
    """
    clean = model.classify([example.text for example in data])
    texts = [text for batch in batches for text in batch.texts]
    item = np.concatenate([batch.item for batch in batches]) if batches else np.zeros(0, dtype=np.int64)
    before = clean[item]
    after = model.classify(texts) if texts else before
    trials = Trials(
        examples=[data[position] for position in item],
        item=item,
        severity=np.concatenate([batch.severity for batch in batches]) if batches else item,
        source=np.repeat(np.arange(len(batches)), [len(batch.texts) for batch in batches]),
        variants=texts,
        before=before,
        after=after,
        step=regression_step(clean),
    )
    finite = np.asarray(np.isfinite(before.logits + after.logits).all(axis=1))
    return trials if finite.all() else trials.where(finite)


def regression_step(clean: Classifications) -> float:
    """How far the answer of a regression must move to count as changed: STEP standard deviations of the scores on the
    texts themselves; 0 for other heads.
    """
    finite = clean.logits[np.isfinite(clean.logits).all(axis=1)]
    return STEP * float(finite.std()) if clean.problem is ProblemType.REGRESSION and len(finite) else 0.0


def outcomes(
    trials: Trials, *, variant: Sequence[str], changed: Bools | None = None, right: Bools | None = None
) -> Outcomes:
    """One row per trial; `changed` and `right` replace what the single row says where a row stands for several."""
    regression = trials.after.problem is ProblemType.REGRESSION
    graded: list[bool | None] = [None] * len(trials)
    if not regression:
        marks = trials.right_after if right is None else right
        graded = [bool(mark) if known else None for mark, known in zip(marks, trials.labelled, strict=True)]
    return Outcomes(
        example_id=[example.id for example in trials.examples],
        cluster=trials.clusters,
        variant=variant,
        after=trials.after.names(),
        before=trials.before.names(),
        gold=[gold_text(gold) for gold in trials.golds],
        correct=graded,
        changed=(trials.flipped if changed is None else changed).tolist(),
        score=(trials.after.logits[:, 0] if regression else trials.after.confidence).tolist(),
    )


class OfExamples(Protocol):
    """Rows of items, whatever was asked about them."""

    @property
    def examples(self) -> Sequence[Example]: ...


def random_rows(trials: OfExamples, *, count: int, rng: random.Random) -> list[int]:
    """Rows of `count` different items, each item and each of its rows equally likely, whatever their order."""
    by_id: dict[str, list[int]] = defaultdict(list)
    for row, example in enumerate(trials.examples):
        by_id[example.id].append(row)
    picked = rng.sample(sorted(by_id), min(count, len(by_id)))
    return [rng.choice(by_id[example_id]) for example_id in picked]


def worst_rows(trials: Trials, *, count: int) -> list[int]:
    """Changed rows of `count` different items: lowest severity first, then the largest loss of confidence (for a
    regression, the largest move)."""
    regression = trials.after.problem is ProblemType.REGRESSION
    loss = np.abs(trials.shift) if regression else -trials.shift
    rows = sorted(
        np.flatnonzero(trials.flipped).tolist(),
        key=lambda row: (trials.severity[row], -loss[row], trials.examples[row].id, trials.source[row]),
    )
    first: dict[str, int] = {}
    for row in rows:
        first.setdefault(trials.examples[row].id, row)
    return list(first.values())[:count]


def evidence(
    trials: Trials, rows: Sequence[int], *, chosen: Literal["random", "worst"], names: Sequence[str]
) -> Iterator[Evidence]:
    """The cases in `rows`, before and after; `names` are those of the perturbations asked."""
    picked = trials.where(np.array(rows, dtype=np.int64))
    before, after = _shown(picked.before, [e.text for e in picked.examples]), _shown(picked.after, picked.variants)
    for row, example in enumerate(picked.examples):
        part = {"severity": str(picked.severity[row])}
        if len(names) > 1:
            part["perturbation"] = names[picked.source[row]]
        yield Evidence(
            example_id=example.id,
            chosen=chosen,
            shown=(before[row], after[row]),
            gold=gold_text(example.gold),
            note=case_note(
                example.text,
                picked.variants[row],
                verdict="the answer changes" if picked.flipped[row] else "the answer stays",
            ),
            slice=part,
        )


def _shown(answers: Classifications, texts: Sequence[Text]) -> list[Shown]:
    return [
        Shown(
            texts=(text,) if isinstance(text, str) else text,
            answer=name,
            confidence=None if np.isnan(confidence) else float(confidence),
        )
        for text, name, confidence in zip(texts, answers.names(), answers.confidence, strict=True)
    ]


def case_note(before: Text, after: Text, *, verdict: str) -> str:
    """What the eye may miss: whether the answer counts as changed, and characters without a shape of their own."""
    new = set("".join(after)) - set("".join(before))
    hidden = [f"U+{ord(sign):04X}" for sign in sorted(new) if _hidden(sign)]
    return f"{verdict}; adds {', '.join(hidden)}" if hidden else verdict


def _hidden(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "CZ" or unicodedata.name(sign, "").startswith(("CYRILLIC", "GREEK"))
