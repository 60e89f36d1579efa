"""fairlearn as the second opinion: every group metric it has is computed by it as well, and must come out the same."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
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


def by_fairlearn(names: Sequence[str], frame: Frame, groups: Mapping[str, Bools]) -> dict[str, dict[str, float]]:
    """Each metric of each group by `fairlearn.metrics.MetricFrame`, NaN where fairlearn has none.

    Equal rows are counted and weighted: the same numbers, many times as fast.

    Args:
        groups: name -> (n,) members, disjoint.
    """
    from fairlearn.metrics import MetricFrame

    values = list(groups)
    code = np.select(list(groups.values()), range(len(values)), default=-1)
    asked = frame.rows & (code >= 0)
    if not asked.any():
        return {name: {} for name in names}
    columns = np.column_stack([frame.truth, frame.prediction, code]).astype(np.float64)
    cells, counts = np.unique(columns[asked], axis=0, return_counts=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about groups in which the metric is undefined
        found = MetricFrame(
            metrics={name: _metric(name) for name in names},
            y_true=cells[:, 0],
            y_pred=cells[:, 1],
            sensitive_features=[int(code) for code in cells[:, 2]],  # a list: an array of one row is misread
            sample_params={name: {"sample_weight": counts} for name in names},
        )
    by_group = found.by_group
    return {name: {values[code]: float(value) for code, value in by_group[name].items()} for name in names}


def require_agreement(ours: Mapping[str, Mapping[str, float]], frame: Frame, groups: Mapping[str, Bools]) -> None:
    """Check our own values of the metrics of one frame, by metric and group, against fairlearn's.

    Raises:
        ArithmeticError: where they differ: then one of the two is wrong, and neither may be published.
    """
    names = [name for name, values in ours.items() if values]
    if not names:
        return
    theirs = by_fairlearn(names, frame, groups)
    for name in names:
        for group, value in ours[name].items():
            other = theirs[name][group]
            if not abs(other - value) <= AGREEMENT * max(1.0, abs(value)):
                raise ArithmeticError(f"{name} of {group} is {value!r} by our count and {other!r} by fairlearn's")


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
