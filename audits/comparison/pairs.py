"""The paired difference of a published number between two runs, from the outcomes of the same items.

A number is paired only where the outcomes on disk give it back exactly, in both runs: what they give is compared with
what the probe published, so that no difference is ever taken of something else than what is shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from audits.comparison import likelihood_gaps
from audits.comparison.items import Key, Row, Rows, setting
from audits.comparison.labelled import METRICS, OF_LABEL, Labelled
from audits.comparison.reasons import NO_PART, NOT_KEPT, NOT_THE_SAME, PLACES
from audits.comparison.recomputed import RECOMPUTED, WITHOUT_LIMITS, Recomputed, Statistic
from probes.core import stats
from probes.core.records import Estimate, Measurement
from probes.core.rng import generator
from probes.core.stats.resampling import Resamples

Floats = NDArray[np.float64]
Column = Callable[[Row], float | None]
"""What one row counts; None for a row that does not."""
Part = Mapping[str, str]


@dataclass(frozen=True)
class Pairs:
    """The rows of one step in two runs, each row of the one beside the same row of the other.

    Attributes:
        most_missing: share of the items of a number that may have no score in one of the runs; what both have is then
            compared.
    """

    before: Rows
    after: Rows
    most_missing: float = 0.0

    @cached_property
    def keys(self) -> list[Key]:
        """What both runs have, in an order of its own."""
        return sorted(self.after.keys() & self.before.keys())

    @cached_property
    def settings(self) -> Mapping[str, Part | None]:
        """Variant -> the setting of the test it stands for; None where it is none."""
        return {variant: setting(variant) for side in (self.before, self.after) for _, variant in side}

    def difference(self, old: Measurement, new: Measurement) -> Estimate | str:
        """The new number less the old one, or why it cannot be given."""
        if new.name in METRICS or (new.name in OF_LABEL and set(new.slice) == {"label"}):
            return self._of_labels(old, new)
        how = RECOMPUTED.get(new.name)
        if how is not None and (not how.kept or how.kept in self._further):
            return self._recomputed(how, old, new)
        if new.name in likelihood_gaps.GAPS:
            return self._largest_gap(old, new)
        column, part = self._column(new)
        return NOT_KEPT if column is None else self._of_means(column, part, old, new)

    def _of_means(self, column: Column, part: Part, old: Measurement, new: Measurement) -> Estimate | str:
        sides = [dict(self._counted(rows, column, part)) for rows in (self.before, self.after)]
        if part and not any(sides):
            return NO_PART
        for side, published in zip(sides, (old.estimate, new.estimate), strict=True):
            if not _gives(list(side.values()), published):
                return NOT_THE_SAME
        before, after = sides
        shared = sorted(before.keys() & after.keys())
        if len(shared) < (1 - self.most_missing) * max(map(len, sides)):
            return f"only {len(shared):,} of {max(map(len, sides)):,} items have a score in both runs"
        first, second = (np.array([side[key] for key in shared], dtype=np.float64) for side in sides)
        found = _difference(first, second, [self.after[key].cluster for key in shared])
        return _on_shared(found, all_shared=len(shared) == max(map(len, sides)))

    def _counted(self, rows: Rows, column: Column, part: Part) -> Iterator[tuple[Key, float]]:
        for key, row in rows.items():
            if part.items() <= (self.settings[row.variant] or {}).items():
                value = column(row)
                if value is not None:
                    yield key, value

    def _column(self, found: Measurement) -> tuple[Column | None, Part]:
        """What the rows count, and the setting of the test that is left of the part."""
        part = dict(found.slice)
        if found.name == "recall" and set(part) == {"label"}:
            return _answered(part["label"], among=part["label"]), {}
        if found.name == "confusion" and set(part) == {"gold", "predicted"}:
            return _answered(part["predicted"], among=part["gold"]), {}
        about = {name: rest for name in self._further if (rest := _rest(name, found.name, part)) is not None}
        if about:
            name = min(about, key=lambda each: len(about[each]))  # the one that names most of the part
            return _further(name), about[name]
        return _COLUMNS.get(found.name), part

    @cached_property
    def _further(self) -> tuple[str, ...]:
        """Names of the further numbers that rows have."""
        return tuple(next(iter(self.after.values())).values) if self.after else ()

    def _recomputed(self, how: Recomputed, old: Measurement, new: Measurement) -> Estimate | str:
        part = {} if how.whole else dict(new.slice)
        keys = [key for key in self.keys if part.items() <= (self.settings[key[1]] or {}).items()]
        if not keys:
            return NO_PART
        sides = [[rows[key] for key in keys] for rows in (self.before, self.after)]
        made = [how.made(side, new.slice) for side in sides]
        if not _same(made, (old, new), n=len(keys)):
            return NOT_THE_SAME
        if how.alike and not self._alike(how.alike, keys):
            return how.unlike
        clusters = [self.after[key].cluster for key in keys]
        return _bootstrapped(made, new, n=len(keys), clusters=clusters, limits=how.limits)

    def _alike(self, name: str, keys: Sequence[Key]) -> bool:
        return all(self.before[key].values.get(name) == self.after[key].values.get(name) for key in keys)

    def _largest_gap(self, old: Measurement, new: Measurement) -> Estimate | str:
        axis = new.slice.get("axis", "")
        sides = [
            likelihood_gaps.surroundings([(key[0], rows[key]) for key in self.keys], axis=axis)
            for rows in (self.before, self.after)
        ]
        if not sides[0].sentences:
            return NO_PART
        before, after = (likelihood_gaps.gaps(side, new.name) for side in sides)
        made = [partial(likelihood_gaps.largest, matrix) for matrix in (before, after)]
        n = len(sides[0].templates)
        if not _same(made, (old, new), n=n):
            return NOT_THE_SAME
        return _bootstrapped(made, new, n=n, clusters=sides[0].templates, limits=WITHOUT_LIMITS, smooth=False)

    def _of_labels(self, old: Measurement, new: Measurement) -> Estimate | str:
        wanted = (new.name, new.slice.get("label", "")) if new.name in OF_LABEL else (new.name, "")
        if new.slice and new.name in METRICS:
            return NO_PART
        if self._labelled is None or wanted not in self._labelled.names:
            return NOT_KEPT
        return self._labelled.difference(wanted, old.estimate, new.estimate)

    @cached_property
    def _labelled(self) -> Labelled | None:
        return Labelled.of([(self.before[key], self.after[key]) for key in self.keys])


def _difference(first: Floats, second: Floats, clusters: Sequence[str]) -> Estimate | str:
    marks = {0.0, 1.0}
    if set(first) <= marks and set(second) <= marks:
        return stats.paired_difference(first.astype(bool), second.astype(bool), clusters=clusters)
    try:
        return stats.mean(second - first, clusters=clusters)
    except ValueError as error:
        return str(error)


def _on_shared(found: Estimate | str, *, all_shared: bool) -> Estimate | str:
    if isinstance(found, str) or all_shared:
        return found
    return found.model_copy(update={"method": f"{found.method}; on the items with a score in both runs"})


def _bootstrapped(
    made: Sequence[Statistic],
    number: Measurement,
    *,
    n: int,
    clusters: Sequence[str],
    limits: tuple[float, float],
    smooth: bool = True,
) -> Estimate | str:
    """The interval of the difference of two statistics of the same items, with the same draws for both."""
    (before, after), rng = made, generator(0, "side by side", number.key)

    def difference(weights: Floats) -> Floats:
        return (after(weights) - before(weights))[:, None]

    try:
        return Resamples.of(difference, n=n, rng=rng, clusters=clusters).estimate(limits=limits, smooth=smooth)
    except ValueError as error:
        return f"no interval can be given: {error}"


def _gives(values: Sequence[float], published: Estimate) -> bool:
    return len(values) == published.n and math.isclose(float(np.mean(values)), published.value, abs_tol=PLACES)


def _same(made: Sequence[Statistic], published: Sequence[Measurement], *, n: int) -> bool:
    """Does each statistic give the number that was published."""
    values = [float(statistic(np.ones((1, n)))[0]) for statistic in made]
    return all(
        math.isclose(value, each.estimate.value, rel_tol=PLACES, abs_tol=PLACES)
        for value, each in zip(values, published, strict=True)
    )


def _rest(column: str, name: str, part: Part) -> Part | None:
    """What is left of the part of a number for the variants to name; None where the column is not about the number."""
    own, _, inside = column.removesuffix("]").partition("[")
    named = dict(pair.split("=", 1) for pair in inside.split(",")) if inside else {}
    if own != name or not named.items() <= part.items():
        return None
    return {key: value for key, value in part.items() if key not in named}


def _further(name: str) -> Column:
    return lambda row: row.values.get(name)


def _answered(label: str, *, among: str) -> Column:
    return lambda row: float(row.answer == label) if row.gold == among else None


def _correct(row: Row) -> float | None:
    return None if row.correct is None else float(row.correct)


def _changed(row: Row) -> float | None:
    return None if row.changed is None else float(row.changed)


def _lost(row: Row) -> float | None:
    """Right at first and no longer: 1; the other way round: -1."""
    if row.correct is None or row.first is None or row.gold is None:
        return None
    return float(row.first == row.gold) - float(row.correct)


_COLUMNS: Mapping[str, Column] = {
    "accuracy": _correct,
    "exact_match": _correct,
    "worst_accuracy": _correct,
    "flip_rate": _changed,
    "any_flip_rate": _changed,
    "worst_flip_rate": _changed,
    "accuracy_drop": _lost,
    "worst_accuracy_drop": _lost,
    "mae": lambda row: row.error,
}
"""Name of a number that is a mean over rows -> what it is the mean of."""
