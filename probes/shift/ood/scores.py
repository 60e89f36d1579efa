"""How unfamiliar a text looks from the answer alone; larger is less familiar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import entr, logsumexp

from probes.core.answers import Classifications, Floats, ProblemType


@dataclass(frozen=True, slots=True)
class Score:
    """A way to read n answers.

    Attributes:
        name: in slices.
        phrase: for people; completes "by ...".
        of: n answers of a classifier -> (n,) finite numbers.
    """

    name: str
    phrase: str
    of: Callable[[Classifications], Floats]


def unsure(answers: Classifications) -> Floats:
    """(n,): maximum softmax probability, negated (Hendrycks and Gimpel 2017); of label sets the mean over labels."""
    return -answers.confidence


def entropy(answers: Classifications) -> Floats:
    """(n,): of the probabilities, in nats; of label sets the sum over the labels, as if they were independent."""
    parts = entr(answers.scores)
    if answers.problem is ProblemType.MULTI_LABEL:
        parts = parts + entr(1 - answers.scores)
    return np.asarray(parts.sum(axis=1), dtype=np.float64)


def narrowness(answers: Classifications) -> Floats:
    """(n,): probability of the best answer minus that of the next, negated; of label sets for the least sure label."""
    if answers.problem is ProblemType.MULTI_LABEL:
        return np.asarray(-np.abs(2 * answers.scores - 1).min(axis=1))
    top_two = np.partition(answers.scores, -2, axis=1)[:, -2:]
    return np.asarray(top_two[:, 0] - top_two[:, 1])


def energy(answers: Classifications) -> Floats:
    """(n,): minus the logsumexp of the logits (Liu et al. 2020); of label sets the joint energy (Wang et al. 2021)."""
    if answers.problem is ProblemType.MULTI_LABEL:
        return np.asarray(-np.logaddexp(0.0, answers.logits).sum(axis=1))
    return np.asarray(-logsumexp(answers.logits, axis=1), dtype=np.float64)


FROM_ANSWERS = (
    Score("confidence", "the probability of the answer", unsure),
    Score("entropy", "the entropy of the probabilities", entropy),
    Score("margin", "the lead of the answer over the next one", narrowness),
    Score("energy", "the energy of the logits", energy),
)
"""The scores that need no other text to compare with."""
