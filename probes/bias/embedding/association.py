"""The word embedding association test: how much nearer one list of words lies to an attribute than another list does.

Caliskan, Bryson and Narayanan (2017), Science 356:183; with sentences, May et al. (2019), NAACL 2019:622. Vectors in,
numbers out: no word, no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations
from math import comb

import numpy as np

from probes.core import stats
from probes.core.answers import Bools, Floats
from probes.core.records import Estimate, SkipReason
from probes.core.stats.derived import UnmeasurableError
from probes.core.stats.intervals import estimate

MOST = 200_000
"""Up to so many divisions of the target words into two lists all of them are tried (10 and 10 words: 184,756)."""
SAMPLED = 10_000
"""Divisions drawn where there are more."""
SAME = 1e-12
"""Cosines closer than this are equal: what is left is rounding."""


@dataclass(frozen=True, kw_only=True)
class Association:
    """Two lists of target words and two of attribute words, by the cosines between them.

    Attributes:
        cosines: (targets, attributes).
        first: (targets,) is a word in the first list of targets.
        toward: (attributes,) is a word in the first list of attributes.
    """

    cosines: Floats
    first: Bools
    toward: Bools

    @classmethod
    def of(cls, x: Floats, y: Floats, a: Floats, b: Floats) -> Association:
        """From the vectors of the words, (words, width) each: targets x and y, attributes a and b.

        Raises:
            UnmeasurableError: where a vector has no direction, or all targets are equally near to both attributes.
        """
        found = cls(
            cosines=unit(np.concatenate([x, y])) @ unit(np.concatenate([a, b])).T,
            first=np.arange(len(x) + len(y)) < len(x),
            toward=np.arange(len(a) + len(b)) < len(a),
        )
        if not np.isfinite(found.cosines).all():
            raise UnmeasurableError(SkipReason.UNDEFINED, "The model gives some of these words a vector of zeros.")
        if float(np.ptp(found.leaning)) < SAME:
            raise UnmeasurableError(SkipReason.UNDEFINED, "All words of the two lists get the same answer.")
        return found

    @cached_property
    def leaning(self) -> Floats:
        """(targets,): mean cosine with the first attributes minus that with the second."""
        return np.asarray(self.cosines[:, self.toward].mean(axis=1) - self.cosines[:, ~self.toward].mean(axis=1))

    @property
    def standardised(self) -> Floats:
        """(targets,): each word's leaning in standard deviations from the mean of all."""
        return np.asarray((self.leaning - self.leaning.mean()) / self.leaning.std(ddof=1))

    def effects(self, weights: Floats) -> Floats:
        """(B,) effect sizes for (B, targets + attributes) weights of the words."""
        targets, attributes = np.split(weights, [len(self.first)], axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            pull = _shares(attributes, self.toward) - _shares(attributes, ~self.toward)
            leaning = pull @ self.cosines.T
            gap = ((_shares(targets, self.first) - _shares(targets, ~self.first)) * leaning).sum(axis=1)
            total = targets.sum(axis=1)
            mean = (targets * leaning).sum(axis=1) / total
            variance = (targets * np.square(leaning - mean[:, None])).sum(axis=1) / (total - 1)
            return np.asarray(gap / np.sqrt(variance))

    def effect_size(self, *, rng: np.random.Generator, resamples: int) -> Estimate:
        """Difference of the two lists' mean leanings, in standard deviations of all leanings: -2 to 2.

        The interval is a bootstrap over the words of all four lists: other words might have been chosen.

        Raises:
            UnmeasurableError: where too many resamples leave a list empty.
        """
        try:
            return stats.bootstrap(
                self.effects, n=sum(self.cosines.shape), rng=rng, resamples=resamples, limits=(-2.0, 2.0)
            )
        except ValueError as error:
            raise UnmeasurableError(SkipReason.TOO_FEW, f"No interval can be given: {error}.") from error

    def p_value(self, *, rng: np.random.Generator) -> Estimate:
        """Share of all divisions of the targets into lists of these sizes that lean at least as far (one-sided).

        Exact up to MOST divisions; beyond that, of SAMPLED random ones and the real one, with the interval of that
        share.
        """
        n, size = len(self.first), int(self.first.sum())
        observed = float(self.leaning[self.first].sum()) - SAME
        if comb(n, size) > MOST:
            drawn = np.array([self.first, *(rng.permutation(self.first) for _ in range(SAMPLED))])
            found = stats.rate(drawn @ self.leaning >= observed)
            return found.model_copy(update={"method": f"{found.method} of {SAMPLED} random divisions of the words"})
        value = float(np.mean(divisions(n, size) @ self.leaning >= observed))
        exact = estimate(
            value,
            bounds=lambda _: (value, value),
            n=n,
            clusters=n,
            method=f"exact: all {comb(n, size)} divisions of the words",
        )
        return exact.model_copy(update={"estimand": "fixed_set"})


@cache
def divisions(n: int, size: int) -> Bools:
    """(ways, n): every way to mark `size` of n words."""
    rows = np.array(list(combinations(range(n), size)))
    marks = np.zeros((len(rows), n), dtype=bool)
    np.put_along_axis(marks, rows, True, axis=1)
    return marks


def unit(vectors: Floats) -> Floats:
    """(n, width) vectors of length one; NaN for a vector of zeros."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, length, out=np.full_like(vectors, np.nan), where=length > 0))


def _shares(weights: Floats, members: Bools) -> Floats:
    kept = weights * members
    return np.asarray(kept / kept.sum(axis=1, keepdims=True))
