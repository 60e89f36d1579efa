"""The probe that computes a metric of the user's own, of the `evaluate` library."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.labelled import Labelled, accounting, cases, no_gold
from probes.core.measuring import measured
from probes.core.metrics import Floats
from probes.core.model import Classifier
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Better, Measurement, Outcomes, Record, Skip, SkipReason, Unit
from probes.core.stats.derived import resampled

Rows = list[Any]
"""Predictions or references as `evaluate` takes them: label indices, rows of 0 and 1, or numbers."""

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class UserMetric:
    """What does a metric that you named say about the answers?

    Measures:
        Every number that the metric returns. It gets the answers as `predictions` and the golds as `references`: label
        indices in the order of the model's labels, rows of 0 and 1 for label sets, numbers for scores.

    Why it matters:
        An organisation may have agreed on a figure of its own. It then belongs in the same report as the others, with
        its uncertainty, as evidence relevant to what was agreed.

    Method:
        The metric is a module of the `evaluate` library, loaded from the path (or the Hub name) given, which runs its
        code. It is computed on all labelled items, and for the interval on 500 resamples of the clusters of items
        (BCa). Resamples for which it fails or gives no finite number are left out; with more than 5 % of them no
        interval, and therefore no number, is given. Where all single-label answers are right (or all wrong), the
        interval also covers the value with as many errors as could have been missed.

    Limits:
        What the number means, and whether it is right, is up to the metric. More is taken to be better unless
        `better` says otherwise. With 500 resamples bounds at error rates below 0.01 are coarse. A metric that returns
        lists gives no measurements for them.

    References:
        The metric's own. Efron 1987, JASA 82:171 (BCa).
    """

    source: str
    """Path of the metric's .py file or folder, or its name on the Hub."""
    better: Better = Better.HIGHER
    resamples: int = 500

    @cached_property
    def info(self) -> ProbeInfo:
        name = snake_case(Path(self.source).stem)
        return ProbeInfo(
            id=f"performance.metric_{name}",
            version=1,
            risk="performance",
            title=f"Your metric {name}",
            doc=ProbeDoc.parse(type(self).__doc__),
            gold=True,
        )

    def run(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields one measurement for each number the metric returns.

        Raises:
            UsageError: when the metric does not load, or fails on these answers.
        """
        # evaluate takes seconds to import, and nobody pays for that who names no metric
        from probes.performance.evaluate_metrics import load_metric

        metric = load_metric(self.source, allow_code=True)
        items = Labelled.ask(model, data)
        yield accounting(items)
        if not len(items):
            yield no_gold()
            return
        scored = Scored.of(metric, items, source=self.source)
        yield from self._measurements(scored, items, ctx)
        yield from cases(items, ctx, note=lambda row: f"gold {items.examples[row].gold}")

    def _measurements(self, scored: Scored, items: Labelled, ctx: Context) -> Iterator[Measurement | Skip]:
        for name in scored.names:
            estimate = partial(
                resampled,
                partial(scored.batched, name),
                clusters=items.clusters,
                rng=ctx.generator("resamples"),  # the same for every number, so that each resample is scored once
                resamples=self.resamples,
                limits=(-math.inf, math.inf),
                unseen=_unseen(scored, items, name),
            )
            title = f"{name} according to {Path(self.source).stem}"
            yield measured(snake_case(name), title, estimate, better=self.better, unit=Unit.SCORE)
        for name in scored.others:
            detail = f"{name} is not a single finite number."
            yield Skip(reason=SkipReason.UNDEFINED, detail=detail, name=snake_case(name))


@dataclass(frozen=True, slots=True)
class Scored:
    """A metric with the rows it is computed on.

    Attributes:
        compute: (predictions, references) -> the numbers it returns.
        names, others: what it returns on all rows: single finite numbers, and the rest.
        seen: numbers of the resamples scored so far, by the bytes of their weights.
    """

    compute: Callable[[Rows, Rows], Mapping[str, Any]]
    predictions: Rows
    references: Rows
    names: tuple[str, ...]
    others: tuple[str, ...]
    seen: dict[bytes, Numbers] = field(default_factory=dict)

    @classmethod
    def of(cls, metric: Any, items: Labelled, *, source: str) -> Scored:
        """Compute the metric once on everything.

        Raises:
            UsageError: when it fails, or returns no dictionary.
        """
        predictions, references = rows_of(items)
        try:
            result = dict(metric.compute(predictions=predictions, references=references))
        except Exception as error:  # a stranger's code may fail in any way
            raise UsageError(
                f"metric {source} fails on these answers: {type(error).__name__}: {' '.join(str(error).split())}",
                hint="it gets label indices (label sets: rows of 0 and 1; scores: numbers) and must return a dict",
            ) from error
        names = tuple(name for name, value in result.items() if _is_number(value))
        others = tuple(name for name in result if name not in names)
        return cls(_fastest(metric, predictions, references, result), predictions, references, names, others)

    def batched(self, name: str, weights: Floats) -> Floats:
        """(B,): the number `name` for each row of weights."""
        return np.array([self._numbers(row).get(name, math.nan) for row in weights])

    def with_predictions(self, predictions: Rows) -> Numbers:
        """The numbers for other answers to the same items."""
        return _numbers(self.compute, predictions, self.references)

    def _numbers(self, weights: Floats) -> Numbers:
        key = weights.astype(np.int32).tobytes()
        if key not in self.seen:
            rows = np.repeat(np.arange(len(weights)), weights.astype(np.int64))
            self.seen[key] = _numbers(
                self.compute, [self.predictions[row] for row in rows], [self.references[row] for row in rows]
            )
        return self.seen[key]


def rows_of(items: Labelled) -> tuple[Rows, Rows]:
    """Predictions and references as `evaluate` takes them."""
    if items.problem is ProblemType.REGRESSION:
        predicted, gold = items.values
        return predicted.tolist(), gold.tolist()
    if items.problem is ProblemType.MULTI_LABEL:
        return items.answers.chosen.astype(int).tolist(), items.gold.astype(int).tolist()
    return items.answers.top.tolist(), items.gold.argmax(axis=1).tolist()


def snake_case(name: str) -> str:
    """A name that a measurement, or part of a probe id, may have."""
    snake = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return snake if snake[:1].isalpha() else f"m_{snake}"


def _unseen(scored: Scored, items: Labelled, name: str) -> Callable[[float], float] | None:
    """With flawless (or wholly wrong) answers: the number with errors (or right answers) spread evenly over items."""
    if items.problem is not ProblemType.SINGLE_LABEL or len(items.labels) < 2:
        return None
    if not (items.correct.all() or not items.correct.any()):
        return None
    ranked = np.argsort(-items.answers.logits, axis=1, kind="stable")
    other: NDArray[np.int64] = np.where(items.correct, ranked[:, 1], items.gold.argmax(axis=1))

    def value(rate: float) -> float:
        count = math.ceil(rate * len(items))
        turned = np.linspace(0, len(items) - 1, count).round().astype(int)
        predictions = list(scored.predictions)
        for row in turned:
            predictions[row] = int(other[row])
        return scored.with_predictions(predictions)[name]

    return value


def _fastest(
    metric: Any, predictions: Rows, references: Rows, result: Mapping[str, Any]
) -> Callable[[Rows, Rows], Mapping[str, Any]]:
    """`_compute` where it gives what `compute` does: the latter writes an Arrow table each time."""

    def direct(predicted: Rows, gold: Rows) -> Mapping[str, Any]:
        return dict(metric._compute(predictions=predicted, references=gold))

    def checked(predicted: Rows, gold: Rows) -> Mapping[str, Any]:
        return dict(metric.compute(predictions=predicted, references=gold))

    expected = {name: float(value) for name, value in result.items() if _is_number(value)}
    return direct if _numbers(direct, predictions, references) == expected else checked


def _numbers(compute: Callable[[Rows, Rows], Mapping[str, Any]], predictions: Rows, references: Rows) -> Numbers:
    try:
        result = compute(predictions, references)
    except Exception:  # the metric's own way of saying that it is undefined for these rows; counted as such
        return {}
    return {name: float(value) for name, value in result.items() if _is_number(value)}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
