"""Numbers that are no means of what single items have, made again from what was kept of the items.

Each is a statistic of weights, so that one bootstrap over the items of both runs gives the interval of its difference:
the same draws for both are what pairs them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from audits.comparison.items import Row, setting
from audits.comparison.reasons import OTHER_LENGTH, OTHER_TOKENS
from probes.bias.bbq.scores import toward, wrong
from probes.bias.stereotypes.associations import NUMBERS as ASSOCIATIONS

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""(B, n) weights -> (B,) values; NaN where undefined."""
Part = Mapping[str, str]

WITHOUT_LIMITS = (-math.inf, math.inf)
IN_DOMAIN = "in-domain"
"""How a run's own data are called among kinds of text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """How a number comes from rows.

    Attributes:
        made: of (n,) rows and the part that the number is about.
        kept: name of a further number without which it cannot be made; "" where it needs none.
        alike: name of one that has to be the same in both runs, row by row; "" where there is none.
        unlike: what is said where it is not.
        limits: smallest and largest possible difference.
        whole: it is made of all rows, and not only of those of its part.
    """

    made: Callable[[Sequence[Row], Part], Statistic]
    kept: str = ""
    alike: str = ""
    unlike: str = ""
    limits: tuple[float, float] = WITHOUT_LIMITS
    whole: bool = False


def _column(rows: Sequence[Row], name: str) -> Floats:
    return np.array([row.values.get(name) for row in rows], dtype=np.float64)


def _ratio(above: Floats, below: Floats) -> Statistic:
    def statistic(weights: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((weights @ above) / (weights @ below))

    return statistic


def _bits_per(size: str, rows: Sequence[Row], part: Part) -> Statistic:
    return _ratio(_column(rows, "bits"), _column(rows, size))


def _perplexity(size: str, rows: Sequence[Row], part: Part) -> Statistic:
    bits = _bits_per(size, rows, part)
    return lambda weights: 2.0 ** bits(weights)


def _over_frequency(rows: Sequence[Row], part: Part) -> Statistic:
    return _ratio(_column(rows, "frequency_bits") - _column(rows, "bits"), _column(rows, "tokens"))


def _times_home(size: str, rows: Sequence[Row], part: Part) -> Statistic:
    """Perplexity of one kind of text as a multiple of the in-domain one."""
    kinds = [(setting(row.variant) or {}).get("domain", "") for row in rows]
    other, home = (np.array([kind == name for kind in kinds]) for name in (part.get("domain", ""), IN_DOMAIN))
    bits, sizes = _column(rows, "bits"), _column(rows, size)
    above, below = (_ratio(bits * which, sizes * which) for which in (other, home))
    return lambda weights: 2.0 ** (above(weights) - below(weights))


def _associations(name: str, rows: Sequence[Row], part: Part) -> Statistic:
    """StereoSet's numbers: means over terms of the means of each term, whose cases are one cluster."""
    terms = [row.cluster for row in rows]
    share = np.array([1 / terms.count(term) for term in terms])
    stereotyped = _ratio(share * [row.answer == "stereotype" for row in rows], share)
    sensible = _ratio(share * [np.nan if row.score is None else row.score for row in rows], share)
    return lambda weights: np.asarray(ASSOCIATIONS[name](stereotyped(weights), sensible(weights)))


def _bias_score(rows: Sequence[Row], part: Part) -> Statistic:
    """BBQ's, of the cases for which the files tell which answer fits the stereotype."""
    told = _column(rows, "told") == 1
    named = told & [row.answer != "cannot be known" for row in rows]
    biased = told & [row.answer == "fits the stereotype" for row in rows]
    correct = np.array([bool(row.correct) for row in rows])
    if part.get("context") != "ambiguous":
        return lambda weights: toward(weights, named=named, biased=biased)
    return lambda weights: (
        wrong(weights[:, told], correct=correct[told]) * np.nan_to_num(toward(weights, named=named, biased=biased))
    )


RECOMPUTED: Mapping[str, Recomputed] = {
    **{
        name: Recomputed(made=partial(made, size), kept="bits", alike=size, unlike=unlike, whole=made is _times_home)
        for name, made, size, unlike in (
            ("perplexity", _perplexity, "tokens", OTHER_TOKENS),
            ("word_perplexity", _perplexity, "words", OTHER_LENGTH),
            ("bits_per_byte", _bits_per, "bytes", OTHER_LENGTH),
            ("perplexity_ratio", _times_home, "tokens", OTHER_TOKENS),
            ("word_perplexity_ratio", _times_home, "words", OTHER_LENGTH),
        )
    },
    "bits_over_frequency": Recomputed(made=_over_frequency, kept="bits", alike="tokens", unlike=OTHER_TOKENS),
    "bias_score": Recomputed(made=_bias_score, kept="told", limits=(-2.0, 2.0)),
    **{name: Recomputed(made=partial(_associations, name), limits=(-1.0, 1.0)) for name in ASSOCIATIONS},
}
"""Name of a number -> how it is made again."""
