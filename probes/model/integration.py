"""Integrals along the paths of several texts at once, each with as many points as its own error asks for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from probes.core.answers import Floats, Ints
from probes.model import quadrature

FIRST_RULE = 21
"""Points that every text gets; they hold those of the rule of 10, whose difference tells the error."""
ERROR = 1e-2
"""Estimated error from which on a text gets more points, as a share of its largest attribution. On 140 sentences (two
MiniLM classifiers, every baseline) it took 26 points, and the true error was 0.04 % in the middle, 0.26 % at most for
95 of 100 and 0.7 % for the worst."""


def integrated(path_gradients: Callable[[Ints, Floats], Floats], *, rows: int) -> tuple[Floats, Ints]:
    """The (rows, tokens) integrals of (rows, nodes, tokens) gradients over [0, 1], and the (rows,) nodes each took.

    A row whose error is not small enough yet gets the nodes that the next finer rule adds.
    """
    every = np.arange(rows)
    values = path_gradients(every, quadrature.nested(FIRST_RULE)[0])
    scores = _integral(values)
    points = np.full(rows, FIRST_RULE)
    open_ = every[~quadrature.settled(_integral(values[:, 1::2]), scores, tolerance=ERROR)]
    values = values[open_]
    for rule in (rule for rule in quadrature.RULES if rule > FIRST_RULE):
        if not len(open_):
            break
        values = _interleaved(path_gradients(open_, quadrature.added(rule)), values)
        coarse, fine = scores[open_], _integral(values)
        scores[open_], points[open_] = fine, rule
        left = ~quadrature.settled(coarse, fine, tolerance=ERROR)
        open_, values = open_[left], values[left]
    return scores, points


def _integral(values: Floats) -> Floats:
    _, weights = quadrature.nested(values.shape[1])
    return np.asarray(np.einsum("n,rnt->rt", weights, values))


def _interleaved(even: Floats, odd: Floats) -> Floats:
    both = np.empty((len(odd), even.shape[1] + odd.shape[1], odd.shape[2]))
    both[:, ::2], both[:, 1::2] = even, odd
    return both
