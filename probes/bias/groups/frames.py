"""fairlearn as the second opinion: every group metric it has is computed by it as well, and must come out the same."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from probes.core.answers import Bools, Floats

AGREEMENT = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What fairlearn is asked about n items.

    Attributes:
        truth, prediction: (n,).
        rows: (n,) which items it is asked about.
    """

    truth: Bools
    prediction: Bools | Floats
    rows: Bools


def by_fairlearn(name: str, frame: Frame, groups: Mapping[str, Bools]) -> dict[str, float]:
    """The metric of each group by `fairlearn.metrics.MetricFrame`, NaN where fairlearn has none.

    Equal rows are counted and weighted: the same number, many times as fast.

    Args:
        groups: name -> (n,) members, disjoint.
    """
    from fairlearn.metrics import MetricFrame

    names = list(groups)
    code = np.select(list(groups.values()), range(len(names)), default=-1)
    asked = frame.rows & (code >= 0)
    if not asked.any():
        return {}
    columns = np.column_stack([frame.truth, frame.prediction, code]).astype(np.float64)
    cells, counts = np.unique(columns[asked], axis=0, return_counts=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about groups in which the metric is undefined
        found = MetricFrame(
            metrics=_metric(name),
            y_true=cells[:, 0],
            y_pred=cells[:, 1],
            sensitive_features=[int(code) for code in cells[:, 2]],  # a list: an array of one row is misread
            sample_params={"sample_weight": counts},
        )
    return {names[code]: float(value) for code, value in found.by_group.items()}


def require_agreement(name: str, ours: Mapping[str, float], frame: Frame, groups: Mapping[str, Bools]) -> None:
    """Check our own values of a metric, by group, against fairlearn's.

    Raises:
        ArithmeticError: where they differ: then one of the two is wrong, and neither may be published.
    """
    if not ours:
        return
    theirs = by_fairlearn(name, frame, groups)
    for group, value in ours.items():
        if not abs(theirs[group] - value) <= AGREEMENT * max(1.0, abs(value)):
            raise ArithmeticError(f"{name} of {group} is {value!r} by our count and {theirs[group]!r} by fairlearn's")


def _metric(name: str) -> Callable[..., Any]:
    from fairlearn import metrics
    from sklearn.metrics import accuracy_score, precision_score

    known: dict[str, Callable[..., Any]] = {
        "selection_rate": metrics.selection_rate,
        "true_positive_rate": metrics.true_positive_rate,
        "false_positive_rate": metrics.false_positive_rate,
        "precision": partial(precision_score, zero_division=np.nan),
        "accuracy": accuracy_score,
        "mean_score": metrics.mean_prediction,
    }
    return known[name]
