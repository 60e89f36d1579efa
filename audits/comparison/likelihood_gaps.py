"""The largest gap between two groups in what a language model expects of them, in two runs on the same sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audits.comparison.items import Row, setting
from probes.bias.likelihood.surroundings import Surroundings
from probes.core.stats.derived import FEW
from probes.text.templates import Sentence

Floats = NDArray[np.float64]

GAPS = ("valence_gap", "expectation_gap", "praise_gap")


def surroundings(rows: Sequence[tuple[str, Row]], *, axis: str) -> Surroundings:
    """The scored sentences of one axis, from (template, row) pairs in which their texts are not kept."""
    found = [(template, row, setting(row.variant) or {}) for template, row in rows]
    own = [(template, row, part) for template, row, part in found if part.get("axis") == axis]
    sentences = [
        Sentence(text="", template=template, register="", axis=axis, group=part.get("group", ""), term="")
        for template, _, part in own
    ]
    bits = np.array([row.score for _, row, _ in own], dtype=np.float64)
    return Surroundings(axis=axis, sentences=tuple(sentences), bits=bits)


def gaps(found: Surroundings, name: str) -> Floats:
    """(templates, pairs of groups): differences whose means over templates are the gaps of which the largest counts."""
    _, differences = found.pairs()
    matrix = found.weighted(differences) if name == "valence_gap" else differences
    enough = (~np.isnan(matrix)).sum(axis=0) >= FEW
    return np.asarray(matrix[:, enough])


def largest(matrix: Floats, weights: Floats) -> Floats:
    """(B,): the largest mean of a column for each of (B, templates) weights; NaN where there is none."""
    known = ~np.isnan(matrix)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (weights @ np.nan_to_num(matrix)) / (weights @ known.astype(np.float64))
    return np.asarray(np.nan_to_num(means, nan=-np.inf).max(axis=1)) if means.size else np.full(len(weights), np.nan)
