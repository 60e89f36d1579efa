"""How good the answers of a regression are: the numbers of `Quality` for scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from probes.core.labelled import Labelled
from probes.core.measuring import measured
from probes.core.metrics import Floats
from probes.core.records import Better, Estimate, Measurement, Skip, Unit
from probes.core.stats.derived import resampled
from probes.performance import regression
from probes.performance.label_quality import Resampling

BatchedError = Callable[[Floats, Floats, Floats | None], Floats]


def regression_quality(items: Labelled, resampling: Resampling) -> Iterator[Measurement | Skip]:
    """Errors in the units of the gold, rank correlation, and the error of always answering the mean."""
    for name, title, metric in (
        ("mae", "mean absolute error, in units of the gold", regression.mae),
        ("rmse", "root mean squared error, in units of the gold", regression.rmse),
    ):
        estimate = partial(resampled_error, metric, items, resampling, name=name)
        yield measured(name, title, estimate, better=Better.LOWER, unit=Unit.SCORE)
    for name, title, metric in (
        ("spearman", "rank correlation of answers and golds (Spearman)", regression.spearman),
        ("pearson", "linear correlation of answers and golds (Pearson)", regression.pearson),
    ):
        estimate = partial(resampled_error, metric, items, resampling, name=name, limits=(-1.0, 1.0))
        yield measured(name, title, estimate, better=Better.HIGHER, unit=Unit.SCORE)
    yield measured(
        "rmse_baseline",
        "root mean squared error of always answering the mean gold",
        partial(resampled_error, _mean_answer, items, resampling, name="rmse_baseline"),
        better=Better.CONTEXT,
        unit=Unit.SCORE,
    )


def resampled_error(
    metric: BatchedError,
    items: Labelled,
    resampling: Resampling,
    *,
    name: str,
    limits: tuple[float, float] = (0.0, np.inf),
) -> Estimate:
    """Cluster bootstrap of a metric of scores.

    Raises:
        UnmeasurableError: see `intervals.resampled`.
    """
    predicted, gold = items.values
    return resampled(
        partial(metric, predicted, gold),
        clusters=items.clusters,
        rng=resampling.generator(name, *resampling.keys),
        resamples=resampling.resamples,
        limits=limits,
    )


def _mean_answer(predicted: Floats, gold: Floats, weights: Floats | None) -> Floats:
    return regression.rmse_of_mean(gold, weights)
